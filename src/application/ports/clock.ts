/** Time, so that tests own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `delayMs`, or at once when the signal aborts; never rejects. */
  wait(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Calls back once after `delayMs` (any length, a 32-bit overflow is the clock's business); returns how to stop it. */
  schedule(delayMs: number, callback: () => void): () => void;
}

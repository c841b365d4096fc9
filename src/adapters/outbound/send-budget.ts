/**
 * Told when the bytes that clients have not taken become too many (`paused`), and when they have become few again.
 * Must not throw.
 */
export type PressureListener = (paused: boolean, queuedBytes: number) => void;

/** Of the limit: intake goes on below it, so that it does not go on and off with every frame. */
const resumeShare = 0.75;

/** All bytes in the send queues of a process. One budget is shared by all endpoints. */
export class SendBudget {
  readonly #bytesMax: number;
  readonly #onPressure: PressureListener;
  #bytes = 0;
  #paused = false;

  /** @param bytesMax `sendQueuesBytesMax` of the config. */
  constructor(bytesMax: number, onPressure: PressureListener) {
    this.#bytesMax = bytesMax;
    this.#onPressure = onPressure;
  }

  /** What is queued now, over all connections. A frame that is owed to several of them counts for each. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts what came in, or with a negative number what went out. */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#paused ? this.#bytes >= this.#bytesMax * resumeShare : this.#bytes <= this.#bytesMax) return;
    this.#paused = !this.#paused;
    this.#onPressure(this.#paused, this.#bytes);
  }
}

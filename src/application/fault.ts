/**
 * Something that went wrong outside of what a caller can be blamed for.
 * `retry`: may work later. `dead-letter`: never will for this message. `stop`: never will until an operator acts.
 */
export type FaultDisposition = 'retry' | 'dead-letter' | 'stop';

/** The message says what, where and what to do, and holds no secret. Codes are listed in `docs/errors.md`. */
export class Fault extends Error {
  readonly code: string;
  readonly disposition: FaultDisposition;
  /** With `retry`: there is no use in trying before (milliseconds); absent where nobody knows. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, disposition: FaultDisposition, message: string, cause?: unknown, retryAfterMs?: number) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterMs = retryAfterMs;
    this.name = 'Fault';
    this.code = code;
    this.disposition = disposition;
  }
}

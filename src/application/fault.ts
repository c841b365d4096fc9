/**
 * Something that went wrong outside of what a caller can be blamed for.
 * `retry`: may work later. `dead-letter`: never will for this message. `stop`: never will until an operator acts.
 */
export type FaultDisposition = 'retry' | 'dead-letter' | 'stop';

/** The message says what, where and what to do, and holds no secret. Codes are listed in `docs/errors.md`. */
export class Fault extends Error {
  readonly code: string;
  readonly disposition: FaultDisposition;

  constructor(code: string, disposition: FaultDisposition, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.code = code;
    this.disposition = disposition;
  }
}

/** A plain text mail. */
export type Mail = {
  /** With the angle brackets; the same for each try, so that a second copy is known for one. */
  readonly messageId: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
};

export interface Mailer {
  /**
   * Resolves once a mail server has taken it for every address. Rejects with a `Fault`: `dead-letter` where the server
   * refuses it for good, or where an address or a header could not be written.
   */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}

/**
 * Bytes that a source hands over in one turn of the event loop. Between turns clients are written to and read: without
 * that a backlog or one large request would fill the send queues of clients that had no chance to read.
 */
export const bytesPerTurnMax = 128 * 1024;

/** And how many messages, so that a backlog of small ones does not keep sockets waiting. */
const messagesPerTurnMax = 256;

/** Hands over what is there to be taken, a bounded part of it in each turn of the event loop. */
export class Turns {
  readonly #take: () => number | undefined;
  #next: NodeJS.Immediate | undefined;
  #messages = 0;
  #bytes = 0;
  #isTaking = false;

  /** @param take hands over the next message, and never throws. @returns its bytes, or nothing when none may be taken now. */
  constructor(take: () => number | undefined) {
    this.#take = take;
  }

  /** In a turn of its own, so that what comes in one turn is taken together, and who brings it runs no handler. */
  wake(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#messages = 0;
      this.#bytes = 0;
      this.takeMore();
    });
  }

  /** In this turn, as far as it goes. */
  takeMore(): void {
    // Who settles a message in the call that hands it over asks for more in there: the turn goes on by itself.
    if (this.#isTaking) return;
    this.#isTaking = true;
    const isDone = this.#takeAll();
    this.#isTaking = false;
    if (!isDone) this.wake();
  }

  /** @returns whether there is nothing more; else the turn is over. */
  #takeAll(): boolean {
    while (this.#messages < messagesPerTurnMax && this.#bytes < bytesPerTurnMax) {
      const bytes = this.#take();
      if (bytes === undefined) return true;
      this.#messages += 1;
      this.#bytes += bytes;
    }
    return false;
  }

  stop(): void {
    clearImmediate(this.#next);
  }
}

/** In the first one the turn of the event loop ends that it is; only in the one after that has I/O had its turn. */
const immediatesUntilOver = 2;

/** Tells whether I/O has had its turn since something was begun. Counts only while somebody may want to know. */
export class IoTurns {
  #turn = 0;
  #immediatesLeft = 0;

  /** What to ask about later. */
  begin(): number {
    if (this.#immediatesLeft === 0) setImmediate(this.#count);
    this.#immediatesLeft = immediatesUntilOver;
    return this.#turn;
  }

  /** @param turn of `begin`. */
  isOver(turn: number): boolean {
    return this.#turn - turn >= immediatesUntilOver;
  }

  /** Calls back when I/O has had its turn from now on. */
  onceOver(callback: () => void): void {
    setImmediate(setImmediate, callback);
  }

  readonly #count = (): void => {
    this.#turn += 1;
    this.#immediatesLeft -= 1;
    if (this.#immediatesLeft > 0) setImmediate(this.#count);
  };
}

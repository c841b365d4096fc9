/**
 * How many things may happen in a second: as many at once, and then as fast as it fills up again. Times are given, in
 * milliseconds, so that it is nobody's clock.
 */
export class TokenBucket {
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#at = now;
  }

  /** Whether there is room for one more, which is not taken. */
  hasRoom(now: number): boolean {
    const grown = ((now - this.#at) / 1000) * this.#perSecond;
    this.#left = Math.min(this.#perSecond, this.#left + Math.max(0, grown));
    this.#at = now;
    return this.#left >= 1;
  }

  take(now: number): boolean {
    if (!this.hasRoom(now)) return false;
    this.#left -= 1;
    return true;
  }

  /** Nothing of it is known any more that a new one would not know. */
  isFull(now: number): boolean {
    this.hasRoom(now);
    return this.#left >= this.#perSecond;
  }
}

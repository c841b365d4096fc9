import type { Clock } from '../../application/ports/clock.ts';

/** A bucket that holds as many as may come in a second, and fills up as fast. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perSecondMax: number;
  #grants: number;
  #grantedAt: number;

  constructor(perSecondMax: number, clock: Clock) {
    this.#clock = clock;
    this.#perSecondMax = perSecondMax;
    this.#grants = perSecondMax;
    this.#grantedAt = clock.now();
  }

  /** Whether one more may come now. */
  take(): boolean {
    const now = this.#clock.now();
    const grown = ((now - this.#grantedAt) / 1000) * this.#perSecondMax;
    this.#grants = Math.min(this.#perSecondMax, this.#grants + Math.max(0, grown));
    this.#grantedAt = now;
    if (this.#grants < 1) return false;
    this.#grants -= 1;
    return true;
  }
}

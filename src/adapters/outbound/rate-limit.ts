import type { Clock } from '../../application/ports/clock.ts';
import { TokenBucket } from '../../domain/token-bucket.ts';

/** A bucket by a clock. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;

  constructor(perSecondMax: number, clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(perSecondMax, clock.now());
  }

  /** Whether one more may come now. */
  take(): boolean {
    return this.#bucket.take(this.#clock.now());
  }
}

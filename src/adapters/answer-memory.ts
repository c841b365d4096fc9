import { LRUCache } from 'lru-cache';
import type { Clock } from '../application/ports/clock.ts';

export type Remembered<T> = { readonly value: T };

export type AnswerMemory<T> = {
  get(key: string): Remembered<T> | undefined;
  /**
   * One request for everybody who asks under the same key before it is answered. A rejection is not remembered.
   *
   * @param expiresAt until when an answer may be remembered at most, in milliseconds since the epoch.
   */
  share(key: string, expiresAt: number | undefined, request: () => Promise<T>): Promise<T>;
};

export type MemoryLimits = {
  /** 0: nothing is remembered. */
  readonly cacheMs: number;
  readonly cacheEntriesMax: number;
};

export function createAnswerMemory<T>({ cacheMs, cacheEntriesMax }: MemoryLimits, clock: Clock): AnswerMemory<T> {
  const answers = new LRUCache<string, Remembered<T>>({
    max: cacheEntriesMax,
    perf: clock,
    ttlResolution: 0,
    updateAgeOnGet: false,
    allowStale: false,
  });
  const pending = new Map<string, Promise<T>>();

  async function requestOnce(key: string, expiresAt: number | undefined, request: () => Promise<T>): Promise<T> {
    try {
      const value = await request();
      const ttl = Math.min(cacheMs, (expiresAt ?? Infinity) - clock.now());
      // A time to live of 0 would mean for ever.
      if (ttl > 0) answers.set(key, { value }, { ttl });
      return value;
    } finally {
      pending.delete(key);
    }
  }

  return {
    get: (key) => answers.get(key),
    share(key, expiresAt, request) {
      const running = pending.get(key);
      if (running) return running;
      const started = requestOnce(key, expiresAt, request);
      pending.set(key, started);
      return started;
    },
  };
}

import { LRUCache } from 'lru-cache';
import type { Clock } from '../../application/ports/clock.ts';
import type { QuestionSettings } from './access-settings.ts';

export type Remembered<T> = { readonly value: T };

/** One who asks, and waits. */
export type Share<T> = {
  readonly answer: Promise<T>;
  /** Waits no more. */
  leave(): void;
};

export type AnswerMemory<T> = {
  get(key: string): Remembered<T> | undefined;
  /**
   * One request for everybody who asks under the same key before it is answered. A rejection is not remembered.
   *
   * @param expiresAt until when an answer may be remembered at most, in milliseconds since the epoch.
   * @param request is told whether anybody waits for the answer still.
   */
  share(key: string, expiresAt: number | undefined, request: (isWanted: () => boolean) => Promise<T>): Share<T>;
};

type Pending<T> = { readonly answer: Promise<T>; waiting: number };

export function createAnswerMemory<T>(
  { cacheMs, cacheEntriesMax }: Pick<QuestionSettings, 'cacheMs' | 'cacheEntriesMax'>,
  clock: Clock,
): AnswerMemory<T> {
  const answers = new LRUCache<string, Remembered<T>>({
    max: cacheEntriesMax,
    perf: clock,
    ttlResolution: 0,
    updateAgeOnGet: false,
    allowStale: false,
  });
  const pending = new Map<string, Pending<T>>();

  function forget(key: string, which: Pending<T>): void {
    if (pending.get(key) === which) pending.delete(key);
  }

  async function remember(key: string, expiresAt: number | undefined, answer: Promise<T>): Promise<T> {
    const value = await answer;
    const ttl = Math.min(cacheMs, (expiresAt ?? Infinity) - clock.now());
    // A time to live of 0 would mean for ever.
    if (ttl > 0) answers.set(key, { value }, { ttl });
    return value;
  }

  function start(key: string, expiresAt: number | undefined, request: (isWanted: () => boolean) => Promise<T>) {
    const { promise, resolve } = Promise.withResolvers<T>();
    const started: Pending<T> = { answer: promise, waiting: 1 };
    // At once, so that whoever asks from then on asks anew.
    const isWanted = (): boolean => {
      if (started.waiting === 0) forget(key, started);
      return started.waiting > 0;
    };
    pending.set(key, started);
    resolve(remember(key, expiresAt, request(isWanted)).finally(() => forget(key, started)));
    return started;
  }

  function join(running: Pending<T>): Pending<T> {
    running.waiting += 1;
    return running;
  }

  return {
    get: (key) => answers.get(key),
    share(key, expiresAt, request) {
      const running = pending.get(key);
      const shared = running ? join(running) : start(key, expiresAt, request);
      const leave = () => {
        shared.waiting -= 1;
      };
      return { answer: shared.answer, leave };
    },
  };
}

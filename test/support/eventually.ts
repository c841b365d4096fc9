import { setTimeout as wait } from 'node:timers/promises';

/** The one limit for things that happen soon. */
export const eventuallyMsMax = 10_000;

/** Tries an assertion until it holds. The last failure is thrown when the limit has passed. */
export async function eventually<T>(assertion: () => T | Promise<T>, limitMs = eventuallyMsMax): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      return await assertion();
    } catch (failure) {
      if (Date.now() > end) throw failure;
      await wait(10);
    }
  }
}

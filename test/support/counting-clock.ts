import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Clock } from '../../src/application/ports/clock.ts';

/** The machine's time, with a count of what has been asked of it and is neither due nor called off. */
export function countingClock(): Clock & { readonly pending: number } {
  const open = new Set<symbol>();
  return {
    get pending() {
      return open.size;
    },
    now: () => systemClock.now(),
    async wait(delayMs, signal) {
      const wait = Symbol();
      open.add(wait);
      await systemClock.wait(delayMs, signal);
      open.delete(wait);
    },
    schedule(delayMs, callback) {
      const timer = Symbol();
      open.add(timer);
      const stop = systemClock.schedule(delayMs, () => {
        open.delete(timer);
        callback();
      });
      return () => {
        open.delete(timer);
        stop();
      };
    },
  };
}

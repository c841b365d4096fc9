import type { Clock } from '../application/ports/clock.ts';

/** `setTimeout` fires at once for longer delays (2^31 - 1 ms, about 24.8 days). */
const timeoutMsMax = 0x7fff_ffff;

/** The machine's own time. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wait(delayMs, signal) {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = systemClock.schedule(delayMs, finish);
      signal.addEventListener('abort', finish, { once: true });
      function finish() {
        stop();
        signal.removeEventListener('abort', finish);
        resolve();
      }
    });
  },
  schedule(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = (left: number) => {
      const step = Math.min(left, timeoutMsMax);
      timer = setTimeout(() => (left > step ? arm(left - step) : callback()), step);
      timer.unref();
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

import type { Clock } from '../../application/ports/clock.ts';

/** Has something done once, soon. */
export type FlushSchedule = (flush: () => void) => void;

/**
 * When what is queued is written: at the end of the turn of the event loop, or later where writes would follow each
 * other faster than the delay. So an event that comes alone is never held back, and one of many for no longer than that.
 *
 * @param delayMs `coalesceDelayMs` of an endpoint.
 */
export function createFlushSchedule(delayMs: number, clock: Clock): FlushSchedule {
  if (delayMs === 0) return (flush) => void setImmediate(flush);
  let flushedAt = Number.NEGATIVE_INFINITY;
  return (flush) => {
    const waitMs = Math.min(delayMs, flushedAt + delayMs - clock.now());
    const run = () => {
      flushedAt = clock.now();
      flush();
    };
    if (waitMs > 0) clock.schedule(waitMs, run);
    else setImmediate(run);
  };
}

import type { EventSource } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';

/** Holds the sources back while clients are owed too much, so that memory stays within its limit. */
export const holdBack =
  (sources: () => readonly EventSource[], observer: Observer) =>
  (paused: boolean, queuedBytes: number): void => {
    observer.observe({ kind: 'pressure', queuedBytes, paused });
    for (const source of sources()) {
      if (paused) source.pause('too much is queued for clients');
      else source.resume();
    }
  };

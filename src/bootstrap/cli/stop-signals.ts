import type { EventEmitter } from 'node:events';

/** Ctrl-C, a supervisor, a closed terminal. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal sends Ctrl-C to every process of a command, and npm passes it on: both come within this time. */
const sameSignalMs = 500;

export type StopRequests = {
  readonly first: () => void;
  /** Somebody asks again and does not want to wait. */
  readonly again: () => void;
};

/** Tells the first signal to stop from one that asks again. */
export function onStopSignals(process: EventEmitter, now: () => number, { first, again }: StopRequests): void {
  let firstAt: number | undefined;
  for (const signal of stopSignals) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = now();
        first();
      } else if (now() - firstAt >= sameSignalMs) {
        again();
      }
    });
  }
}

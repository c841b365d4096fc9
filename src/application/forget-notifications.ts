import type { Clock } from './ports/clock.ts';
import type { NotificationStore } from './ports/notification-store.ts';
import type { Observer } from './ports/observer.ts';

export type ForgetDependencies = {
  readonly store: Pick<NotificationStore, 'forget'>;
  /** How long what is sent or has failed is kept, and how long a notification waits (milliseconds). */
  readonly keepMs: number;
  readonly waitMs: number;
  /** How long what has fired is tried at most; with a handler that is gone it is not. */
  readonly tryMs: number;
  readonly clock: Clock;
  readonly observer: Observer;
};

const everyMs = 3_600_000;

/** Forgets what is old, at once and every hour, until the signal aborts. Never rejects. */
export async function forgetNotifications(dependencies: ForgetDependencies, stopping: AbortSignal): Promise<void> {
  const { store, keepMs, waitMs, tryMs, clock, observer } = dependencies;
  while (!stopping.aborted) {
    const now = clock.now();
    const before = { throughAt: now - keepMs, waitingSince: now - waitMs, matchedSince: now - tryMs - keepMs };
    try {
      while (!stopping.aborted && (await store.forget(before)) > 0);
    } catch (error) {
      observer.observe({ kind: 'notification-store-failed', error });
    }
    await clock.wait(everyMs, stopping);
  }
}

import type { Registry } from 'prom-client';
import type { Observation } from '../../application/ports/observer.ts';
import { counterIn } from './metric-counters.ts';

export type NotificationCounters = ReturnType<typeof createNotificationCounters>;

/** What has become of notifications since the process began. */
export function createNotificationCounters(registry: Registry) {
  const counter = counterIn(registry);
  return {
    notificationsRequested: counter(
      'notifications_requested',
      'Notifications that somebody asked for, by what became of it.',
      'handler',
      'outcome',
    ),
    notificationsMatched: counter('notifications_matched', 'Notifications that an event fired.', 'source'),
    notificationsTried: counter(
      'notifications_tried',
      'Tries to send a notification, by outcome: sent, retried, or failed for good.',
      'handler',
      'outcome',
    ),
    notificationsRecovered: counter(
      'notifications_recovered',
      'Tries that a crash had interrupted and that were made again.',
    ),
    notificationStoreFailures: counter('notification_store_failures', 'What the store of notifications did not take.'),
  };
}

const kinds = [
  'notification-requested',
  'notification-matched',
  'notification-tried',
  'notifications-recovered',
  'notification-store-failed',
] as const;
export type NotificationObservation = Extract<Observation, { kind: (typeof kinds)[number] }>;

const known: ReadonlySet<string> = new Set(kinds);
export const isNotificationObservation = (observation: Observation): observation is NotificationObservation =>
  known.has(observation.kind);

export function countNotification(counters: NotificationCounters, observation: NotificationObservation) {
  switch (observation.kind) {
    case 'notification-requested':
      return counters.notificationsRequested.inc({ handler: observation.handler, outcome: observation.outcome });
    case 'notification-matched':
      return counters.notificationsMatched.inc({ source: observation.source }, observation.count);
    case 'notification-tried':
      return counters.notificationsTried.inc({ handler: observation.handler, outcome: observation.outcome });
    case 'notifications-recovered':
      return counters.notificationsRecovered.inc(observation.count);
    case 'notification-store-failed':
      return counters.notificationStoreFailures.inc();
  }
}

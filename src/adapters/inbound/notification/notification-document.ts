import type { Notification } from '../../../domain/notification.ts';

/** A notification as it goes over the wire: what MongoDB held (brainlife section 2), and what became of it. */
export type NotificationDocument = Readonly<Record<string, unknown>> & { readonly _id: string };

/** Names of the fields, as `find`, `select` and `sort` know them. */
export const documentFields: readonly string[] = [
  ...['_id', '__v', 'user_id', 'event', 'handler', 'config', 'create_date', 'update_date', 'trigger_date'],
  ...['state', 'attempts', 'next_try_date', 'failure'],
];

export const dateFields: ReadonlySet<string> = new Set(documentFields.filter((name) => name.endsWith('_date')));

/** Absent fields are left out of the JSON. */
export function documentOf(notification: Notification): NotificationDocument {
  const { id, userId, event, handler, createdAt, updatedAt, triggeredAt, state, attempts, nextTryAt, failure } =
    notification;
  return {
    _id: id,
    __v: 0,
    user_id: userId,
    event,
    handler,
    config: shownConfig(notification),
    create_date: dateText(createdAt),
    update_date: dateText(updatedAt),
    trigger_date: dateText(triggeredAt),
    state,
    attempts,
    next_try_date: dateText(nextTryAt),
    failure,
  };
}

const dateText = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

/** The secret of a receiver is his own, and is not told again. */
function shownConfig({ handler, config }: Notification): unknown {
  if (handler !== 'webhook' || typeof config !== 'object' || config === null || Array.isArray(config)) return config;
  return Object.fromEntries(Object.entries(config).filter(([name]) => name !== 'secret'));
}

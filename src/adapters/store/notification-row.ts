import { createHash } from 'node:crypto';
import {
  type Notification,
  type NotificationState,
  type NotificationTrigger,
  notificationStates,
  wishText,
} from '../../domain/notification.ts';
import type { SqlRow, SqlValue } from './sqlite-statement.ts';

export const fingerprintOf = (notification: Notification): string =>
  createHash('sha256').update(wishText(notification)).digest('hex');

export const jsonOrNull = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

export function notificationOf(row: SqlRow): Notification {
  const [event, handler, config] = [text(row['event']), text(row['handler']), text(row['config'])];
  const [triggeredAt, nextTryAt] = [number(row['triggered_at']), number(row['next_try_at'])];
  const [trigger, failure] = [text(row['trigger_event']), text(row['failure'])];
  return {
    id: String(row['id']),
    userId: String(row['user_id']),
    ...(event === undefined ? {} : { event }),
    ...(handler === undefined ? {} : { handler }),
    ...(config === undefined ? {} : { config: JSON.parse(config) as unknown }),
    state: stateOf(row['state']),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    ...(triggeredAt === undefined ? {} : { triggeredAt }),
    ...(trigger === undefined ? {} : { trigger: JSON.parse(trigger) as NotificationTrigger }),
    attempts: Number(row['attempts']),
    ...(nextTryAt === undefined ? {} : { nextTryAt }),
    ...(failure === undefined ? {} : { failure }),
  };
}

const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

const number = (value: SqlValue | undefined): number | undefined => (typeof value === 'number' ? value : undefined);

function stateOf(value: SqlValue | undefined): NotificationState {
  const state = notificationStates.find((each) => each === value);
  // The schema keeps every other one out.
  if (!state) throw new RangeError('a notification has a state that there is none of');
  return state;
}

/**
 * `waiting`: for its event. `matched`: the event has come, and it is to be sent when its next try is due. `sending`: a
 * try is under way, or was when the process ended. `sent` and `failed`: for good.
 */
export const notificationStates = ['waiting', 'matched', 'sending', 'sent', 'failed'] as const;
export type NotificationState = (typeof notificationStates)[number];

/** What somebody asks for: to be told by a handler when an event of this name happens. Nothing of it needs to make sense. */
export type NotificationWish = {
  readonly event?: string | undefined;
  readonly handler?: string | undefined;
  /** A JSON value: what tells this event from others of its name, and what the handler needs. */
  readonly config?: unknown;
};

/** Times are milliseconds since the epoch. */
export type Notification = NotificationWish & {
  readonly id: string;
  readonly userId: string;
  readonly state: NotificationState;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When its event came; it fires once. */
  readonly triggeredAt?: number | undefined;
  /** What came, from then until it is sent or has failed. */
  readonly trigger?: NotificationTrigger | undefined;
  /** Tries that were begun. */
  readonly attempts: number;
  readonly nextTryAt?: number | undefined;
  /** The code of the fault that the last try ended with. */
  readonly failure?: string | undefined;
};

/** The event that fired a notification. */
export type NotificationTrigger = {
  readonly eventId: string;
  readonly stream: string;
  readonly key: string;
  readonly publishedAt: number;
  /** The payload's own text, where it is JSON and not too large to be kept. */
  readonly payload?: string | undefined;
};

/** A text field of the config; nothing where it is absent or something else. */
export function configText({ config }: NotificationWish, field: string): string | undefined {
  if (typeof config !== 'object' || config === null || !Object.hasOwn(config, field)) return undefined;
  const value: unknown = (config as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : undefined;
}

/** The JSON text of a value with the names of its objects in order, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each)}`).join(',')}}`;
}

/** Two wishes of one user are the same when these texts are. */
export const wishText = ({ event, handler, config }: NotificationWish): string =>
  canonicalJson([event ?? null, handler ?? null, config ?? null]);

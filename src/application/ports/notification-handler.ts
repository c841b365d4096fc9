import type { Notification } from '../../domain/notification.ts';

/** How people and systems are told: by `email`, by `webhook`. */
export interface NotificationHandler {
  /** What a notification calls it. */
  readonly name: string;
  /** Why nothing is sent by it on this gateway, if so: each try rejects until somebody changes that. */
  readonly offReason?: string | undefined;
  /** Whether it has a use for the payload of what has fired; it is not kept for the others. */
  readonly readsPayload?: boolean;
  /** How many tries may be under way at once. */
  readonly concurrencyMax: number;
  /**
   * Resolves once the other side has taken it. Rejects with a `Fault`: with `dead-letter` it never will, with anything
   * else it may later, not before the fault's `retryAfterMs`. When the signal aborts it ends soon.
   */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}

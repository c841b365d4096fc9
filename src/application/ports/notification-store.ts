import type { Notification, NotificationTrigger } from '../../domain/notification.ts';
import type { Occurrence } from '../../domain/notification-rule.ts';

export type Added =
  /** It waits. */
  | { readonly kind: 'added' }
  /** The same wish of the same user waits already; nothing was stored. */
  | { readonly kind: 'known'; readonly notification: Notification }
  /** It waits; as many of the user's did as may, and the oldest of them was forgotten for it. */
  | { readonly kind: 'replaced' };

export type TryOutcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'failed'; readonly failure: string }
  | { readonly kind: 'retry'; readonly failure: string; readonly nextTryAt: number };

/** One handler's notifications that have fired and are not through. */
export type Backlog = {
  /** To be tried, now or later; those under way are not among them. */
  readonly count: number;
  readonly nextTryAt: number | undefined;
};

/** What people have asked for. Whatever it resolves is kept: a store on a disk has synced it. Rejects with a `Fault`. */
export interface NotificationStore {
  /** Takes a notification that waits. */
  add(notification: Notification, waitingMax: number): Promise<Added>;
  /**
   * Whatever waits, has one of these handlers and is meant by one of the occurrences is `matched` from then on, to be
   * tried at once; all of it or nothing.
   * @param withoutPayload handlers that have no use for the payload of the trigger: it is not kept for them.
   * @returns how many there were.
   */
  match(
    occurrences: readonly Occurrence[],
    handlers: readonly string[],
    trigger: NotificationTrigger,
    at: number,
    withoutPayload?: readonly string[],
  ): Promise<number>;
  /** In the order of their ids, behind `after`; of one user, or of all. */
  page(userId: string | undefined, after: string | undefined, max: number): Promise<readonly Notification[]>;
  /**
   * Forgets what has been through, has waited, or has fired and was never through, since before these times; some of it
   * at a time.
   * @returns how many; 0 when nothing is left to be forgotten.
   */
  forget(before: {
    readonly throughAt: number;
    readonly waitingSince: number;
    readonly matchedSince: number;
  }): Promise<number>;
}

/** What is to be sent. The same promise. */
export interface NotificationOutbox {
  /** Tries of a process that has ended are to be made again. @returns how many there were. */
  recover(at: number): Promise<number>;
  /** Those that are due, the longest first; each is `sending` with one attempt more, until its try is finished. */
  begin(handler: string, at: number, max: number): Promise<readonly Notification[]>;
  /** One that was begun; another call for it changes nothing. */
  finish(id: string, outcome: TryOutcome, at: number): Promise<void>;
  backlog(handler: string): Promise<Backlog>;
  /** How many have fired and are to be tried by none of these handlers. */
  orphans(handlers: readonly string[]): Promise<number>;
}

/** Both of them, of one place. */
export type OpenableNotifications = NotificationStore &
  NotificationOutbox & {
    /** Once, before anything else. Rejects with a `Fault` when the place cannot be had. */
    open(): Promise<void>;
    /** What was given before is stored first. Idempotent, never rejects. */
    close(): Promise<void>;
  };

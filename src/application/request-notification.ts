import type { Notification, NotificationWish } from '../domain/notification.ts';
import { type NotificationRule, neverFires } from '../domain/notification-rule.ts';
import type { Clock } from './ports/clock.ts';
import type { NotificationHandler } from './ports/notification-handler.ts';
import type { NotificationStore } from './ports/notification-store.ts';
import type { Observer } from './ports/observer.ts';

export type RequestDependencies = {
  readonly store: NotificationStore;
  readonly rules: readonly NotificationRule[];
  readonly handlers: readonly NotificationHandler[];
  /** Of one user. */
  readonly waitingMax: number;
  readonly nextId: () => string;
  readonly clock: Clock;
  readonly observer: Observer;
};

/** A notification that is stored, and what whoever asked should know of it. */
export type Requested = { readonly notification: Notification; readonly warnings: readonly string[] };

/** Rejects with a `Fault` when nothing can be stored now. */
export type RequestNotification = (userId: string, wish: NotificationWish) => Promise<Requested>;

/** Stores what somebody asks for, whatever it is, and says what of it will never happen. */
export function createRequestNotification(dependencies: RequestDependencies): RequestNotification {
  const { store, rules, handlers, waitingMax, nextId, clock, observer } = dependencies;
  const names = new Set(handlers.map(({ name }) => name));
  return async (userId, wish) => {
    const now = clock.now();
    const fresh: Notification = {
      ...wish,
      id: nextId(),
      userId,
      state: 'waiting',
      createdAt: now,
      updatedAt: now,
      attempts: 0,
    };
    const added = await store.add(fresh, waitingMax);
    const handler = handlers.find(({ name }) => name === wish.handler);
    observer.observe({ kind: 'notification-requested', handler: handler?.name ?? 'unknown', outcome: added.kind });
    const warnings = [...neverFires(wish, rules, names)];
    if (handler?.offReason !== undefined) warnings.push(`${handler.offReason}: it is kept until that changes`);
    if (added.kind === 'known') {
      return { notification: added.notification, warnings: [...warnings, 'the same notification waits already'] };
    }
    if (added.kind === 'replaced') {
      warnings.push(`${waitingMax} notifications of this user wait, which is as many as may: the oldest was forgotten`);
    }
    return { notification: fresh, warnings };
  };
}

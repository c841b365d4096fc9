import type { Notification } from '../domain/notification.ts';
import type { NotificationStore } from './ports/notification-store.ts';

export type NotificationSearch = {
  /** Whose; nothing: everybody's. */
  readonly userId?: string | undefined;
  readonly matches: (notification: Notification) => boolean;
  /** By default in the order of their ids. */
  readonly compare?: ((a: Notification, b: Notification) => number) | undefined;
  readonly skip: number;
  readonly limit: number;
};

export type FoundNotifications = {
  readonly notifications: readonly Notification[];
  /** Of all that match. */
  readonly count: number;
};

/** Rejects with a `Fault` when nothing can be read now. */
export type FindNotifications = (search: NotificationSearch) => Promise<FoundNotifications>;

const pageMax = 200;

/** Reads page by page, so that what is held at once does not grow with what is stored. */
export function createFindNotifications(store: Pick<NotificationStore, 'page'>): FindNotifications {
  return async ({ userId, matches, compare, skip, limit }) => {
    let kept: Notification[] = [];
    let count = 0;
    for (let after: string | undefined; ; ) {
      const page = await store.page(userId, after, pageMax);
      const matching = page.filter(matches);
      if (compare) kept = [...kept, ...matching].sort(compare).slice(0, skip + limit);
      else kept.push(...matching.slice(Math.max(0, skip - count)).slice(0, limit - kept.length));
      count += matching.length;
      after = page.at(-1)?.id;
      if (page.length < pageMax) return { notifications: compare ? kept.slice(skip) : kept, count };
    }
  };
}

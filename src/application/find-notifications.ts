import type { Notification } from '../domain/notification.ts';
import type { NotificationStore } from './ports/notification-store.ts';

/** What a notification is sorted by, read once. */
export type SortKey = readonly (string | number | undefined)[];

export type SortOrder = {
  readonly keyOf: (notification: Notification) => SortKey;
  /** Equal ones stand in the order of their ids. */
  readonly compare: (a: SortKey, b: SortKey) => number;
};

export type NotificationSearch = {
  /** Whose; nothing: everybody's. */
  readonly userId?: string | undefined;
  readonly matches: (notification: Notification) => boolean;
  /** By default in the order of their ids. */
  readonly order?: SortOrder | undefined;
  readonly skip: number;
  readonly limit: number;
};

/** Without what has fired them. */
export type FoundNotifications = {
  /** Fewer than `limit` where more would be too much for one answer. */
  readonly notifications: readonly Notification[];
  /** Of all that match. */
  readonly count: number;
};

/** Rejects with a `Fault` when nothing can be read now. */
export type FindNotifications = (search: NotificationSearch) => Promise<FoundNotifications>;

/** What is read at once: a notification may be a hundred kilobytes, and what has fired it as much. */
const pageMax = 25;

/** Of the configs in one answer; one notification is always there. */
export const answerBytesMax = 4 * 1024 * 1024;

type Candidate = { readonly id: string; readonly key: SortKey; readonly bytes: number };

/** Reads page by page, so that what is held at once does not grow with what is stored. */
export function createFindNotifications(store: Pick<NotificationStore, 'page'>): FindNotifications {
  async function* matching({ userId, matches }: NotificationSearch): AsyncGenerator<Notification> {
    for (let after: string | undefined; ; ) {
      const page = await store.page(userId, after, pageMax);
      yield* page.filter(matches);
      after = page.at(-1)?.id;
      if (page.length < pageMax) return;
    }
  }

  /** Twice: what stands where is known only after all of it was read. */
  async function sorted(search: NotificationSearch, order: SortOrder): Promise<FoundNotifications> {
    const end = search.skip + search.limit;
    const compare = (a: Candidate, b: Candidate) => order.compare(a.key, b.key) || (a.id < b.id ? -1 : 1);
    let candidates: Candidate[] = [];
    let count = 0;
    for await (const notification of matching(search)) {
      count += 1;
      candidates.push({ id: notification.id, key: order.keyOf(notification), bytes: bytesOf(notification) });
      if (candidates.length > 2 * end + 1000) candidates = candidates.sort(compare).slice(0, end);
    }
    const shown = withinBytes(candidates.sort(compare).slice(search.skip, end));
    const found = new Map<string, Notification | undefined>(shown.map(({ id }) => [id, undefined]));
    if (found.size > 0) {
      for await (const each of matching(search)) if (found.has(each.id)) found.set(each.id, withoutTrigger(each));
    }
    // Some of it may have been forgotten meanwhile.
    return { notifications: [...found.values()].filter((each) => each !== undefined), count };
  }

  return async (search) => {
    if (search.order) return sorted(search, search.order);
    const kept: Notification[] = [];
    let [count, bytes, isFull] = [0, 0, false];
    for await (const notification of matching(search)) {
      count += 1;
      if (count <= search.skip || isFull || kept.length >= search.limit) continue;
      bytes += bytesOf(notification);
      isFull = kept.length > 0 && bytes > answerBytesMax;
      if (!isFull) kept.push(withoutTrigger(notification));
    }
    return { notifications: kept, count };
  };
}

function withinBytes(candidates: readonly Candidate[]): readonly Candidate[] {
  let sum = 0;
  const end = candidates.findIndex(({ bytes }, index) => {
    sum += bytes;
    return index > 0 && sum > answerBytesMax;
  });
  return end === -1 ? candidates : candidates.slice(0, end);
}

const bytesOf = ({ config }: Notification): number => JSON.stringify(config)?.length ?? 0;

const withoutTrigger = (notification: Notification): Notification => ({ ...notification, trigger: undefined });

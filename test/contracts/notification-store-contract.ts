import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { NotificationOutbox, NotificationStore } from '../../src/application/ports/notification-store.ts';
import type { Notification } from '../../src/domain/notification.ts';

export type TestedStore = NotificationStore & NotificationOutbox;

export type StoreHarness = AsyncDisposable & {
  readonly store: TestedStore;
  /** Another process on what was kept, after the one before has ended in the middle of things; the same store where nothing outlives it. */
  reopen(): Promise<TestedStore>;
};

/** One promise of the ports, run on every store and on the table of mutants. */
export type StoreClause = {
  readonly id: string;
  readonly promise: string;
  run(harness: StoreHarness): Promise<void>;
};

export const at = 1_000_000;
let count = 0;

export function wish(changes: Partial<Notification> = {}): Notification {
  count += 1;
  return {
    id: `${String(count).padStart(8, '0')}-${randomUUID()}`,
    userId: 'ann',
    event: 'done',
    handler: 'email',
    config: { task: `t${count}`, subject: 'Done' },
    state: 'waiting',
    createdAt: at,
    updatedAt: at,
    attempts: 0,
    ...changes,
  };
}

export const trigger = { eventId: 'e1', stream: 's', key: 'k', publishedAt: 5, payload: '{"a":1}' };

export const occurrence = (fields: Record<string, string>, changes: { userId?: string; event?: string } = {}) => ({
  event: 'done',
  userId: 'ann',
  fields: new Map(Object.entries(fields)),
  ...changes,
});

export const allOf = (store: TestedStore, userId?: string) => store.page(userId, undefined, 1000);

export async function addAll(store: TestedStore, ...notifications: readonly Notification[]): Promise<void> {
  for (const each of notifications) expect(await store.add(each, 1000)).toEqual({ kind: 'added' });
}

export async function fired(store: TestedStore, ...notifications: readonly Notification[]): Promise<void> {
  await addAll(store, ...notifications);
  for (const { config } of notifications) {
    const { task } = config as { task: string };
    expect(await store.match([occurrence({ task })], ['email', 'webhook'], trigger, at)).toBe(1);
  }
}

export const storeClauses: readonly StoreClause[] = [
  {
    id: 'N1',
    promise: 'what was added is there, as it was, for its user, in the order of ids',
    async run({ store }) {
      const odd = wish({ event: undefined, handler: undefined, config: [1, { 'a.b"': null }, 'ü\n\u0000'] });
      const [first, second, other] = [wish(), wish({ config: undefined }), wish({ userId: 'bob' })];
      await addAll(store, second, first, other, odd);
      expect(await allOf(store, 'ann')).toEqual([first, second, odd].toSorted((a, b) => (a.id < b.id ? -1 : 1)));
      expect(await allOf(store, 'bob')).toEqual([other]);
      expect(await allOf(store)).toHaveLength(4);
    },
  },
  {
    id: 'N2',
    promise: 'pages go on behind an id and are no longer than asked for',
    async run({ store }) {
      const all = [wish(), wish(), wish()];
      await addAll(store, ...all);
      expect(await store.page('ann', undefined, 2)).toEqual(all.slice(0, 2));
      expect(await store.page('ann', all[1]?.id, 2)).toEqual(all.slice(2));
      expect(await store.page(undefined, all[2]?.id, 2)).toEqual([]);
    },
  },
  {
    id: 'N3',
    promise: 'the same wish of one user waits once, also when it is asked for at the same time',
    async run({ store }) {
      const first = wish({ config: { task: 't', deep: { b: 1, a: [2] } } });
      const again = wish({ config: { deep: { a: [2], b: 1 }, task: 't' } });
      const [one, two] = await Promise.all([store.add(first, 10), store.add(again, 10)]);
      expect([one.kind, two.kind]).toEqual(['added', 'known']);
      expect(two).toEqual({ kind: 'known', notification: first });
      await addAll(
        store,
        wish({ ...again, id: wish().id, userId: 'bob' }),
        wish({ ...again, id: wish().id, event: 'x' }),
      );
      expect(await store.match([occurrence({ task: 't' })], ['email'], trigger, at)).toBe(1);
      expect(await store.add(again, 10)).toEqual({ kind: 'added' });
    },
  },
  {
    id: 'N4',
    promise: 'no more of a user wait than may: the oldest goes; what has fired does not count, and no other user does',
    async run({ store }) {
      const [oldest, first, last] = [wish(), wish(), wish()];
      await addAll(store, oldest, first);
      expect(await store.add(last, 2)).toEqual({ kind: 'replaced' });
      expect(await allOf(store)).toEqual([first, last]);
      expect(await store.add(wish({ config: first.config }), 2)).toMatchObject({ kind: 'known' });
      expect(await allOf(store)).toEqual([first, last]);
      expect(await store.add(wish({ userId: 'bob' }), 2)).toEqual({ kind: 'added' });
      const { task } = first.config as { task: string };
      await store.match([occurrence({ task })], ['email'], trigger, at);
      expect(await store.add(wish(), 2)).toEqual({ kind: 'added' });
    },
  },
  {
    id: 'N5',
    promise: 'an occurrence fires what has its event, its user, a handler that is known and one of its fields; once',
    async run({ store }) {
      const byTask = wish({ config: { task: 't', run: 'other' } });
      const byRun = wish({ config: { run: 7 } });
      const others = [
        wish({ config: { task: 't' }, userId: 'bob' }),
        wish({ config: { task: 't' }, event: 'failed' }),
        wish({ config: { task: 't' }, event: undefined }),
        wish({ config: { task: 't', a: 1 }, handler: 'pigeon' }),
        wish({ config: { task: 't' }, handler: undefined }),
        wish({ config: { task: 'T' } }),
        wish({ config: { run: 't' } }),
        wish({ config: { deep: { task: 't' } } }),
        wish({ config: 't' }),
      ];
      await addAll(store, byTask, byRun, ...others);
      const meant = [occurrence({ task: 't', run: '7' }), occurrence({ task: 't' }, { userId: 'eve' })];
      expect(await store.match(meant, ['email', 'webhook'], trigger, at + 1)).toBe(2);
      const changed = { state: 'matched', triggeredAt: at + 1, updatedAt: at + 1, nextTryAt: at + 1, trigger };
      const all = await allOf(store);
      expect(all.filter(({ state }) => state !== 'waiting')).toEqual(
        [byTask, byRun].map((e) => ({ ...e, ...changed })),
      );
      expect(await store.match(meant, ['email', 'webhook'], trigger, at + 2)).toBe(0);
      expect(await allOf(store)).toEqual(all);
    },
  },
  {
    id: 'N6',
    promise: 'names and values are text and nothing else, whatever stands in them',
    async run({ store }) {
      const hostile = `'; DROP TABLE notification; --`;
      const odd = wish({ userId: hostile, event: hostile, config: { [`a"'$.b`]: hostile, __proto__x: '%' } });
      await addAll(store, odd, wish({ userId: hostile, event: hostile, config: { task: '%' } }));
      const named = { userId: hostile, event: hostile };
      expect(await store.match([occurrence({ [`a"'$.b`]: 'x', task: '_' }, named)], ['email'], trigger, at)).toBe(0);
      expect(await store.match([occurrence({ [`a"'$.b`]: hostile }, named)], ['email'], trigger, at)).toBe(1);
    },
  },
  {
    id: 'N7',
    promise: 'a try begins once, the one that is longest due first, no more than asked for, and of its own handler',
    async run({ store }) {
      const [one, two] = [wish(), wish()];
      await fired(store, one, two, wish({ handler: 'webhook' }));
      const [begun, alsoBegun] = await Promise.all([store.begin('email', at, 1), store.begin('email', at + 1, 5)]);
      expect([begun.length, alsoBegun.length]).toEqual([1, 1]);
      expect([...begun, ...alsoBegun].map(({ id }) => id).toSorted()).toEqual([one.id, two.id]);
      expect(begun[0]).toMatchObject({ state: 'sending', attempts: 1, updatedAt: at, trigger });
      expect(await store.begin('email', at + 1000, 5)).toEqual([]);
      await store.finish(two.id, { kind: 'retry', failure: 'f', nextTryAt: at + 50 }, at);
      await store.finish(one.id, { kind: 'retry', failure: 'f', nextTryAt: at + 60 }, at);
      expect((await store.begin('email', at + 100, 5)).map(({ id }) => id)).toEqual([two.id, one.id]);
    },
  },
  {
    id: 'N8',
    promise: 'what became of a try is kept: sent and failed for good, another try not before its time',
    async run({ store }) {
      const [sent, failed, again] = [wish(), wish(), wish()];
      await fired(store, sent, failed, again);
      await store.begin('email', at, 3);
      await store.finish(sent.id, { kind: 'sent' }, at + 1);
      await store.finish(failed.id, { kind: 'failed', failure: 'mail_refused' }, at + 2);
      await store.finish(again.id, { kind: 'retry', failure: 'mail_unreachable', nextTryAt: at + 100 }, at + 3);
      const [first, second, third] = await allOf(store);
      expect(first).toEqual({ ...sent, state: 'sent', attempts: 1, triggeredAt: at, updatedAt: at + 1 });
      const failure = 'mail_refused';
      expect(second).toEqual({ ...failed, state: 'failed', attempts: 1, triggeredAt: at, updatedAt: at + 2, failure });
      expect(third).toMatchObject({ state: 'matched', failure: 'mail_unreachable', nextTryAt: at + 100, trigger });
      expect(await store.begin('email', at + 99, 5)).toEqual([]);
      expect(await store.begin('email', at + 100, 5)).toMatchObject([{ id: again.id, attempts: 2 }]);
    },
  },
  {
    id: 'N9',
    promise: 'only what was begun is finished, and it is finished once',
    async run({ store }) {
      const [waiting, sent] = [wish(), wish()];
      await addAll(store, waiting);
      await fired(store, sent);
      await store.begin('email', at, 1);
      await store.finish(sent.id, { kind: 'sent' }, at);
      await store.finish(sent.id, { kind: 'retry', failure: 'f', nextTryAt: 0 }, at);
      await store.finish(waiting.id, { kind: 'sent' }, at);
      await store.finish('nobody', { kind: 'sent' }, at);
      expect((await allOf(store)).map(({ state }) => state)).toEqual(['waiting', 'sent']);
    },
  },
  {
    id: 'N10',
    promise: 'the backlog is what has fired and is not under way or through, and when the next of it is due',
    async run({ store }) {
      expect(await store.backlog('email')).toEqual({ count: 0, nextTryAt: undefined });
      const [one, two] = [wish(), wish()];
      await fired(store, one, two, wish({ handler: 'webhook' }));
      await store.begin('email', at, 2);
      await store.finish(one.id, { kind: 'retry', failure: 'f', nextTryAt: at + 70 }, at);
      expect(await store.backlog('email')).toEqual({ count: 1, nextTryAt: at + 70 });
      await store.finish(two.id, { kind: 'retry', failure: 'f', nextTryAt: at + 50 }, at);
      expect(await store.backlog('email')).toEqual({ count: 2, nextTryAt: at + 50 });
      expect(await store.backlog('webhook')).toEqual({ count: 1, nextTryAt: at });
    },
  },
  {
    id: 'N11',
    promise: 'what is forgotten is old and waits or is through; nothing else ever is',
    async run({ store }) {
      const [sent, failed, matched, sending, old, young] = [
        wish(),
        wish(),
        wish(),
        wish(),
        wish(),
        wish({ createdAt: at + 9, updatedAt: at + 9 }),
      ];
      await fired(store, sent, failed, sending);
      await store.begin('email', at, 3);
      await store.finish(sent.id, { kind: 'sent' }, at);
      await store.finish(failed.id, { kind: 'failed', failure: 'f' }, at + 5);
      await fired(store, matched);
      await addAll(store, old, young);
      expect(await store.forget({ throughAt: at, waitingSince: at, matchedSince: at })).toBe(0);
      expect(await store.forget({ throughAt: at + 1, waitingSince: at + 1, matchedSince: at })).toBe(2);
      expect((await allOf(store)).map(({ id }) => id)).toEqual([failed, matched, sending, young].map(({ id }) => id));
      expect(await store.forget({ throughAt: at + 1000, waitingSince: at + 1000, matchedSince: at })).toBe(2);
      expect(await store.forget({ throughAt: at + 1000, waitingSince: at + 1000, matchedSince: at })).toBe(0);
      expect((await allOf(store)).map(({ id }) => id)).toEqual([matched, sending].map(({ id }) => id));
      expect(await store.forget({ throughAt: at, waitingSince: at, matchedSince: at + 1 })).toBe(1);
      expect((await allOf(store)).map(({ id }) => id)).toEqual([sending.id]);
    },
  },
  {
    id: 'N12',
    promise: 'after the process has ended everything is as it was, and tries that were under way are due again',
    async run(harness) {
      const [waiting, matched, sending, sent] = [wish(), wish(), wish(), wish()];
      await addAll(harness.store, waiting);
      await fired(harness.store, sent, sending);
      await harness.store.begin('email', at, 2);
      await harness.store.finish(sent.id, { kind: 'sent' }, at);
      await fired(harness.store, matched);
      const before = await allOf(harness.store);
      const store = await harness.reopen();
      expect(await allOf(store)).toEqual(before);
      expect(await store.recover(at + 7)).toBe(1);
      expect(await store.recover(at + 8)).toBe(0);
      const again = (await allOf(store)).find(({ id }) => id === sending.id);
      expect(again).toMatchObject({ state: 'matched', attempts: 1, nextTryAt: at + 7, updatedAt: at + 7, trigger });
      expect((await store.begin('email', at + 7, 9)).map(({ id }) => id).toSorted()).toEqual([matched.id, sending.id]);
    },
  },
];

/** What of a config the clauses look at. */
export const testedFields: readonly string[] = ['task', 'run', `a"'$.b`];

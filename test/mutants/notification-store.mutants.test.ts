import { describe, expect, test } from 'vitest';
import { createMemoryNotifications } from '../../src/adapters/store/memory-notifications.ts';
import { storeClauses, type TestedStore } from '../contracts/notification-store-contract.ts';
import { edgeClauses } from '../contracts/notification-store-edges.ts';

const clausesOfAll = [...storeClauses, ...edgeClauses];

/** Stores that are wrong in one thing, each with the clauses that it breaks. */
const mutants: readonly (readonly [string, readonly string[], (right: TestedStore) => Partial<TestedStore>])[] = [
  ['forgets the config', ['N1'], (right) => ({ add: ({ config: _config, ...rest }, max) => right.add(rest, max) })],
  [
    'stores the same wish twice',
    ['N3'],
    (right) => ({ add: (each, max) => right.add({ ...each, config: { ...Object(each.config), n: each.id } }, max) }),
  ],
  ['counts nobody', ['N4'], (right) => ({ add: (each) => right.add(each, 1000) })],
  ['shows everybody’s', ['N1'], (right) => ({ page: (_user, after, max) => right.page(undefined, after, max) })],
  ['begins each page anew', ['N2'], (right) => ({ page: (user, _after, max) => right.page(user, undefined, max) })],
  ['gives pages of any length', ['N2'], (right) => ({ page: (user, after) => right.page(user, after, 1000) })],
  [
    'fires for every user',
    ['N5'],
    (right) => ({
      match: (occurrences, ...rest) =>
        right.match(
          occurrences.flatMap((each) => ['ann', 'bob'].map((userId) => ({ ...each, userId }))),
          ...rest,
        ),
    }),
  ],
  [
    'fires for every handler',
    ['N5'],
    (right) => ({
      match: (occurrences, handlers, ...rest) => right.match(occurrences, [...handlers, 'pigeon'], ...rest),
    }),
  ],
  [
    'fires for the first occurrence only',
    ['N5'],
    (right) => ({
      match: (occurrences, ...rest) => right.match(occurrences.slice(1), ...rest),
    }),
  ],
  [
    'keeps no trigger',
    ['N5', 'N7'],
    (right) => ({
      match: (occurrences, handlers, _trigger, at) =>
        right.match(occurrences, handlers, { eventId: '', stream: '', key: '', publishedAt: 0 }, at),
    }),
  ],
  [
    'takes patterns for values',
    ['N6'],
    (right) => ({
      match: (occurrences, ...rest) =>
        right.match(
          occurrences.map((each) => ({
            ...each,
            fields: new Map([...each.fields].map(([name, value]) => [name, value === '_' ? '%' : value])),
          })),
          ...rest,
        ),
    }),
  ],
  ['begins everything', ['N7'], (right) => ({ begin: (handler, at) => right.begin(handler, at, 1000) })],
  [
    'begins for any handler',
    ['N7'],
    (right) => ({
      begin: async (_handler, at, max) => [
        ...(await right.begin('email', at, max)),
        ...(await right.begin('webhook', at, max)),
      ],
    }),
  ],
  [
    'begins before it is time',
    ['N8'],
    (right) => ({ begin: (handler, at, max) => right.begin(handler, at + 1000, max) }),
  ],
  [
    'begins the latest first',
    ['N7'],
    (right) => ({
      begin: async (...given) => (await right.begin(...given)).toReversed(),
    }),
  ],
  [
    'tries again what was sent',
    ['N8', 'N9'],
    (right) => ({
      finish: (id, outcome, at) =>
        right.finish(id, outcome.kind === 'sent' ? { kind: 'retry', failure: '', nextTryAt: at } : outcome, at),
    }),
  ],
  [
    'forgets why',
    ['N8'],
    (right) => ({
      finish: (id, outcome, at) => right.finish(id, 'failure' in outcome ? { ...outcome, failure: '' } : outcome, at),
    }),
  ],
  [
    'finishes twice',
    ['N9'],
    (right) => ({
      async finish(id, outcome, at) {
        await right.finish(id, outcome, at);
        if (outcome.kind === 'retry') await right.begin('email', at, 1).then(() => right.recover(at));
        const [waiting] = await right.page('ann', undefined, 1);
        if (id === waiting?.id)
          await right.forget({ throughAt: 0, waitingSince: Number.POSITIVE_INFINITY, matchedSince: 0 });
      },
    }),
  ],
  ['has no backlog', ['N10'], () => ({ backlog: async () => ({ count: 0, nextTryAt: undefined }) })],
  [
    'counts the backlog of all handlers',
    ['N10'],
    (right) => ({
      async backlog() {
        const [mail, hook] = [await right.backlog('email'), await right.backlog('webhook')];
        return { count: mail.count + hook.count, nextTryAt: mail.nextTryAt ?? hook.nextTryAt };
      },
    }),
  ],
  [
    'forgets what still waits',
    ['N11'],
    (right) => ({
      forget: (before) => right.forget({ ...before, waitingSince: Number.POSITIVE_INFINITY }),
    }),
  ],
  ['forgets nothing', ['N11'], () => ({ forget: async () => 0 })],
  ['has no orphans', ['N14'], () => ({ orphans: async () => 0 })],
  [
    'keeps every payload',
    ['N15'],
    (right) => ({ match: (occurrences, handlers, given, at) => right.match(occurrences, handlers, given, at) }),
  ],
  ['recovers nothing', ['N12'], () => ({ recover: async () => 0 })],
  [
    'takes whole milliseconds only',
    ['N13'],
    (right) => ({
      async finish(id, outcome, at) {
        if (outcome.kind === 'retry' && !Number.isInteger(outcome.nextTryAt)) throw new Error('REAL in INTEGER');
        await right.finish(id, outcome, at);
      },
    }),
  ],
  ['recovers for later', ['N12'], (right) => ({ recover: (at) => right.recover(at + 1000) })],
];

async function breaks(id: string, mutate: (right: TestedStore) => Partial<TestedStore>): Promise<boolean> {
  const right = createMemoryNotifications();
  const store: TestedStore = { ...right, ...mutate(right) };
  const clause = clausesOfAll.find((each) => each.id === id);
  if (!clause) throw new Error(`there is no clause ${id}`);
  const harness = { store, reopen: async () => store, async [Symbol.asyncDispose]() {} };
  return clause.run(harness).then(
    () => false,
    () => true,
  );
}

describe('every broken store is found out', () => {
  test.each(mutants)('one that %s, by %s', async (_name, clauses, mutate) => {
    for (const id of clauses) expect(await breaks(id, mutate), id).toBe(true);
  });

  test('every clause finds one out', () => {
    expect(new Set(mutants.flatMap(([, clauses]) => clauses))).toEqual(new Set(clausesOfAll.map(({ id }) => id)));
  });

  test('and none a store that is right', async () => {
    for (const { id } of clausesOfAll) expect(await breaks(id, () => ({})), id).toBe(false);
  });
});

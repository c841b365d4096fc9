import { describe, expect, test } from 'vitest';
import type { HistoryLimits } from '../../src/adapters/store/history-settings.ts';
import { createMemoryHistory } from '../../src/adapters/store/memory-history.ts';
import type { Clock } from '../../src/application/ports/clock.ts';
import type { History } from '../../src/application/ports/history.ts';
import { Event } from '../../src/domain/event.ts';
import { historyClauses, runHistoryClause } from '../contracts/history-contract.ts';

type Broken = {
  readonly name: string;
  readonly fails: readonly string[];
  /** What is changed of a history that works. */
  readonly flaw: (history: History, limits: HistoryLimits, clock: Clock) => Partial<History>;
  readonly limits?: Partial<HistoryLimits>;
};

const fieldsOf = ({ id, stream, key, attributes, payload, contentType, publishedAt, origin }: Event) => ({
  ...{ id, stream, key, attributes, payload, contentType, publishedAt, origin },
});

const unlimited = Number.MAX_SAFE_INTEGER;

const broken: readonly Broken[] = [
  {
    name: 'positions begin at 0',
    fails: ['H1'],
    flaw: (history) => ({ append: async (room, event) => (await history.append(room, event)) - 1 }),
  },
  {
    name: 'one room for all',
    fails: ['H1', 'H7'],
    flaw: (history) => ({
      append: (_, event) => history.append('one' as never, event),
      read: (_, range) => history.read('one' as never, range),
      positionOf: (_, id) => history.positionOf('one' as never, id),
    }),
  },
  {
    name: 'newest first',
    fails: ['H2'],
    flaw: (history) => ({
      async read(room, range) {
        const page = await history.read(room, range);
        return { ...page, entries: page.entries.toReversed() };
      },
    }),
  },
  {
    name: 'never more on either side',
    fails: ['H2'],
    flaw: (history) => ({
      read: async (room, range) => ({ ...(await history.read(room, range)), hasOlder: false, hasNewer: false }),
    }),
  },
  {
    name: 'each event is another one',
    fails: ['H3'],
    flaw: (history) => {
      let count = 0;
      return {
        append(room, event) {
          count += 1;
          return history.append(room, new Event({ ...fieldsOf(event), id: `${event.id}#${count}` }));
        },
      };
    },
  },
  { name: 'rooms without an end', fails: ['H4'], limits: { eventsPerRoomMax: unlimited }, flaw: () => ({}) },
  { name: 'nothing grows old', fails: ['H5'], limits: { ageMsMax: unlimited }, flaw: () => ({}) },
  { name: 'as many rooms as there are', fails: ['H8'], limits: { roomsMax: unlimited }, flaw: () => ({}) },
  {
    name: 'bytes become text',
    fails: ['H6'],
    flaw: (history) => ({
      append(room, event) {
        const payload = Buffer.from(Buffer.from(event.payload).toString());
        return history.append(room, new Event({ ...fieldsOf(event), payload }));
      },
    }),
  },
  {
    name: 'what is given is kept a turn later',
    fails: ['H9'],
    flaw: (history) => ({
      async append(room, event) {
        await new Promise((resolve) => setImmediate(resolve));
        return history.append(room, event);
      },
    }),
  },
  {
    name: 'closing gives up what was given',
    fails: ['H10'],
    flaw: (history) => {
      let isClosed = false;
      return {
        async append(room, event) {
          await new Promise((resolve) => setImmediate(resolve));
          if (isClosed) throw new Error('closed');
          return history.append(room, event);
        },
        async close() {
          isClosed = true;
        },
      };
    },
  },
];

const make =
  ({ flaw, limits: own = {} }: Pick<Broken, 'flaw' | 'limits'>) =>
  async (limits: HistoryLimits, clock: Clock) => {
    const history = createMemoryHistory({ ...limits, ...own, bytesMax: 1e9 }, clock);
    const { append, read, positionOf, close } = { ...bound(history), ...flaw(history, limits, clock) };
    return { append, read, positionOf, close, [Symbol.asyncDispose]: async () => {} };
  };

const bound = (history: History): History => ({
  append: (room, event) => history.append(room, event),
  read: (room, range) => history.read(room, range),
  positionOf: (room, id) => history.positionOf(room, id),
  close: () => history.close(),
});

test.each(historyClauses)('clause $id has a broken history that it must reject', ({ id }) => {
  expect(broken.filter(({ fails }) => fails.includes(id))).not.toHaveLength(0);
});

describe('a clause rejects a history that breaks it', () => {
  const pairs = broken.flatMap((mutant) =>
    mutant.fails.map((id) => ({
      id,
      name: mutant.name,
      mutant,
      clause: historyClauses.find((each) => each.id === id),
    })),
  );
  test.each(pairs)('$id: $name', async ({ mutant, clause }) => {
    if (!clause) throw new Error('there is no such clause');
    await expect(runHistoryClause(clause, make(mutant))).rejects.toMatchObject({ name: 'AssertionError' });
  });
});

test.each(historyClauses)('$id holds for one that is not broken', async (clause) => {
  await runHistoryClause(clause, make({ flaw: () => ({}) }));
});

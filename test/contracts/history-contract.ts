import { describe, expect, test } from 'vitest';
import type { HistoryLimits } from '../../src/adapters/store/history-settings.ts';
import type { Clock } from '../../src/application/ports/clock.ts';
import type { History, HistoryRange } from '../../src/application/ports/history.ts';
import { Event } from '../../src/domain/event.ts';
import type { RoomName } from '../../src/domain/room.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A history of a test's own; what it keeps is nobody else's. */
export type MakeHistory = (limits: HistoryLimits, clock: Clock) => Promise<History & AsyncDisposable>;

type Bench = { readonly history: History; readonly clock: ManualClock };

/** One promise of the port (`src/application/ports/history.ts`). */
export type HistoryClause = {
  readonly id: string;
  readonly promise: string;
  readonly limits?: Partial<HistoryLimits>;
  /** Rejects with an assertion error when the promise is not kept. */
  run(bench: Bench): Promise<void>;
};

const room = (name: string): RoomName => `spaces/${name}` as RoomName;
const a = room('a');

/** What is too old is gone soon after. */
const soonMs = 120_000;

function event(id: string, { now }: { readonly now: number }, more: Partial<Event> = {}): Event {
  return new Event({
    ...{ id, stream: 'spaces', key: 'a', attributes: new Map(), payload: Buffer.from(id), publishedAt: now },
    ...{ origin: { source: 'test', properties: {} } },
    ...more,
  });
}

const idsOf = async (history: History, range: HistoryRange, name = a): Promise<readonly string[]> =>
  (await history.read(name, range)).entries.map((entry) => entry.event.id);

const newest = (limit = 100): HistoryRange => ({ from: 'newest', limit });

async function say(history: History, clock: ManualClock, ...ids: readonly string[]): Promise<readonly number[]> {
  return Promise.all(ids.map((id) => history.append(a, event(id, { now: clock.now() }))));
}

export const historyClauses: readonly HistoryClause[] = [
  {
    id: 'H1',
    promise: 'positions of a room grow from 1 in the order of the calls, waited for or not',
    async run({ history, clock }) {
      expect(await say(history, clock, '1', '2', '3')).toEqual([1, 2, 3]);
      expect(await history.append(room('b'), event('b1', { now: clock.now() }))).toBe(1);
      expect(await say(history, clock, '4')).toEqual([4]);
      const { entries } = await history.read(a, newest());
      expect(entries.map(({ position, event: { id } }) => [position, id])).toEqual([
        [1, '1'],
        [2, '2'],
        [3, '3'],
        [4, '4'],
      ]);
    },
  },
  {
    id: 'H2',
    promise: 'a page is oldest first, with no more than was asked for, and says whether there is more on either side',
    async run({ history, clock }) {
      await say(history, clock, '1', '2', '3', '4', '5');
      const pages: [HistoryRange, string[], boolean, boolean][] = [
        [{ from: 'newest', limit: 2 }, ['4', '5'], true, false],
        [{ from: 'oldest', limit: 2 }, ['1', '2'], false, true],
        [newest(), ['1', '2', '3', '4', '5'], false, false],
        [{ after: 2, limit: 2 }, ['3', '4'], true, true],
        [{ after: 3, limit: 9 }, ['4', '5'], true, false],
        [{ before: 4, limit: 2 }, ['2', '3'], true, true],
        [{ before: 3, limit: 9 }, ['1', '2'], false, true],
        [{ after: 5, limit: 9 }, [], true, false],
        [{ before: 1, limit: 9 }, [], false, true],
        [{ after: 0, limit: 1 }, ['1'], false, true],
      ];
      for (const [range, ids, hasOlder, hasNewer] of pages) {
        const page = await history.read(a, range);
        const told = {
          ids: page.entries.map((entry) => entry.event.id),
          hasOlder: page.hasOlder,
          hasNewer: page.hasNewer,
        };
        expect(told, JSON.stringify(range)).toEqual({ ids, hasOlder, hasNewer });
      }
    },
  },
  {
    id: 'H3',
    promise: 'an event whose id the room has is not kept again, and has the position of the first',
    async run({ history, clock }) {
      expect(await say(history, clock, '1', '2', '1')).toEqual([1, 2, 1]);
      expect(await say(history, clock, '3')).toEqual([3]);
      expect(await idsOf(history, newest())).toEqual(['1', '2', '3']);
    },
  },
  {
    id: 'H4',
    promise: 'of more than may be in a room the oldest are gone, also by their ids',
    limits: { eventsPerRoomMax: 3 },
    async run({ history, clock }) {
      await say(history, clock, '1', '2', '3', '4', '5');
      await history.append(room('b'), event('6', { now: clock.now() }));
      expect(await idsOf(history, { from: 'oldest', limit: 9 })).toEqual(['3', '4', '5']);
      expect(await history.positionOf(a, '2')).toBeUndefined();
      expect(await history.read(a, { after: 1, limit: 1 })).toMatchObject({ hasOlder: false });
    },
  },
  {
    id: 'H5',
    promise: 'what is older than may be is not read, and its position is not used again',
    limits: { ageMsMax: 1000 },
    async run({ history, clock }) {
      await say(history, clock, '1', '2');
      clock.advance(600);
      await say(history, clock, '3');
      clock.advance(401);
      const page = await history.read(a, newest());
      expect(page.entries.map(({ position }) => position)).toEqual([3]);
      expect(page).toMatchObject({ hasOlder: false, hasNewer: false });
      expect(await history.positionOf(a, '1')).toBeUndefined();
      clock.advance(soonMs);
      expect(await idsOf(history, newest())).toEqual([]);
      expect(await say(history, clock, '1')).toEqual([4]);
    },
  },
  {
    id: 'H6',
    promise: 'an event keeps its bytes, names and times',
    async run({ history, clock }) {
      const payload = Buffer.from([0, 255, 10, 195, 40]);
      const attributes = new Map([
        ['Ä', 'ö'],
        ['__proto__', '1'],
      ]);
      const own = event(
        'id',
        { now: clock.now() },
        { payload, attributes, contentType: 'x/y', key: 'k.k', stream: 's' },
      );
      await history.append(a, own);
      const [entry] = (await history.read(a, newest())).entries;
      expect(entry?.event).toMatchObject({
        id: 'id',
        key: 'k.k',
        stream: 's',
        contentType: 'x/y',
        publishedAt: clock.now(),
      });
      expect([...(entry?.event.attributes ?? [])]).toEqual([...attributes]);
      expect(Buffer.from(entry?.event.payload ?? [])).toEqual(payload);
      expect(entry?.event.origin.source).toBe('test');
    },
  },
  {
    id: 'H7',
    promise: 'a room that nothing was said in is empty, and has no position',
    async run({ history, clock }) {
      await say(history, clock, '1');
      expect(await history.read(room('b'), newest())).toEqual({ entries: [], hasOlder: false, hasNewer: false });
      expect(await history.positionOf(room('b'), '1')).toBeUndefined();
      expect(await history.positionOf(a, '1')).toBe(1);
    },
  },
  {
    id: 'H8',
    promise:
      'of more rooms than may be those go in which nothing was said for longest; their positions are not used again',
    limits: { roomsMax: 2 },
    async run({ history, clock }) {
      await say(history, clock, '1', '2', '3');
      for (const name of ['b', 'c']) {
        clock.advance(1);
        await history.append(room(name), event('1', { now: clock.now() }));
      }
      clock.advance(soonMs);
      expect(await idsOf(history, newest())).toEqual([]);
      expect(await idsOf(history, newest(), room('b'))).toEqual(['1']);
      expect((await say(history, clock, '4'))[0]).toBeGreaterThan(3);
    },
  },
  {
    id: 'H9',
    promise: 'a look sees what was given before it, waited for or not',
    async run({ history, clock }) {
      void history.append(a, event('1', { now: clock.now() }));
      expect(await idsOf(history, newest())).toEqual(['1']);
      void history.append(a, event('2', { now: clock.now() }));
      expect(await history.positionOf(a, '2')).toBe(2);
    },
  },
  {
    id: 'H10',
    promise: 'it closes once, when what was given before is kept',
    async run({ history, clock }) {
      const given = say(history, clock, '1', '2');
      await history.close();
      await history.close();
      await expect(given).resolves.toEqual([1, 2]);
    },
  },
];

const limitsDefault: HistoryLimits = { eventsPerRoomMax: 100, ageMsMax: 86_400_000, roomsMax: 100 };

export async function runHistoryClause(clause: HistoryClause, make: MakeHistory): Promise<void> {
  const clock = new ManualClock();
  await using history = await make({ ...limitsDefault, ...clause.limits }, clock);
  await clause.run({ history, clock });
}

export function historyContract(name: string, make: MakeHistory): void {
  describe(`history contract: ${name}`, () => {
    test.each(historyClauses)('$id: $promise', (clause) => runHistoryClause(clause, make));
  });
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RoomIndex } from '../../../src/adapters/outbound/room-index.ts';
import type { RoomName } from '../../../src/domain/room.ts';
import { heapUsedBytes } from '../../support/heap-used.ts';

const rooms = (...names: readonly string[]) => names as readonly RoomName[];

describe('the room index', () => {
  test('finds everybody in any of the rooms, once', () => {
    const index = new RoomIndex<string>();
    index.join('ann', rooms('a', 'b'));
    index.join('bob', rooms('b'));
    index.join('cat', rooms('c'));
    expect([...index.membersOf(rooms('a', 'b', 'none'))]).toEqual(['ann', 'bob']);
    expect([...index.membersOf(rooms('c'))]).toEqual(['cat']);
    expect([...index.membersOf(rooms('none'))]).toEqual([]);
    expect([...index.membersOf([])]).toEqual([]);
  });

  test('takes names that objects have as names like any other', () => {
    const index = new RoomIndex<string>();
    expect([...index.membersOf(rooms('__proto__', 'constructor'))]).toEqual([]);
    index.join('ann', rooms('__proto__'));
    expect([...index.membersOf(rooms('__proto__'))]).toEqual(['ann']);
    expect([...index.membersOf(rooms('constructor'))]).toEqual([]);
  });

  test('lets members leave while it is gone through', () => {
    const index = new RoomIndex<string>();
    const names = ['ann', 'bob', 'cat'];
    for (const name of names) index.join(name, rooms('a'));
    const seen: string[] = [];
    for (const name of index.membersOf(rooms('a'))) {
      seen.push(name);
      index.leave(name, rooms('a'));
    }
    expect(seen).toEqual(names);
    expect([...index.membersOf(rooms('a'))]).toEqual([]);
  });

  test('keeps nothing of a room that nobody is in', () => {
    const index = new RoomIndex<string>();
    const before = heapUsedBytes();
    for (let count = 0; count < 50_000; count += 1) {
      index.join('ann', rooms(`room ${count}`, 'a'));
      index.leave('ann', rooms(`room ${count}`));
    }
    expect(heapUsedBytes() - before).toBeLessThan(2_000_000);
    expect([...index.membersOf(rooms('a'))]).toEqual(['ann']);
  });

  test('agrees with a list of pairs', () => {
    const someRooms = fc.uniqueArray(fc.constantFrom<string[]>('a', 'b', 'c', 'd'));
    const step = fc.record({ member: fc.nat(4), names: someRooms, joins: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), someRooms, (steps, target) => {
        const index = new RoomIndex<number>();
        let pairs: (readonly [number, string])[] = [];
        for (const { member, names, joins } of steps) {
          pairs = pairs.filter(([who, room]) => who !== member || !names.includes(room));
          if (joins) pairs.push(...names.map((room) => [member, room] as const));
          if (joins) index.join(member, rooms(...names));
          else index.leave(member, rooms(...names));
        }
        const expected = new Set(pairs.filter(([, room]) => target.includes(room)).map(([member]) => member));
        const found = [...index.membersOf(rooms(...target))];
        expect(found).toHaveLength(expected.size);
        expect(new Set(found)).toEqual(expected);
      }),
    );
  });
});

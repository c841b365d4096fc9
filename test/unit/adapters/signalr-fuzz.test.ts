import { setImmediate as turn } from 'node:timers/promises';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthPrefix } from '../../../src/adapters/outbound/signalr/message-pack-protocol.ts';
import type { RoomName } from '../../../src/domain/room.ts';
import { fakeHub } from '../../support/fake-hub.ts';

/** Cases of each protocol. */
const runs = 6000;

const type = fc.oneof(fc.integer({ min: -1, max: 12 }), fc.constantFrom(1, 1, 4, 4, 5, 6), fc.anything());
const id = fc.oneof(fc.constantFrom('0', '1', '2'), fc.string(), fc.anything());
const target = fc.oneof(fc.constantFrom('Subscribe', 'unsubscribe', 'STREAM', 'X', '__proto__'), fc.anything());
const args = fc.oneof(
  fc.array(fc.oneof(fc.constantFrom('victim', 'own', 'other'), fc.anything()), { maxLength: 3 }),
  fc.constantFrom([{ site: 'victim' }], [{ site: ['victim', 'own'] }], [null]),
  fc.anything(),
);
const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const large = fc.constantFrom(32_767, 32_769, 70_000).map((length) => Buffer.alloc(length, 0x20));

const text = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '{}';
  }
};
const jsonRecord = fc
  .record({ type, invocationId: id, target, arguments: args }, { requiredKeys: ['type'] })
  .map((record) => Buffer.from(`${text(record)}\x1e`));
const packed = (value: unknown): Buffer => {
  try {
    const body = encode(value);
    return Buffer.concat([lengthPrefix(body.length), body]);
  } catch {
    return Buffer.from([0x02, 0x91, 0x06]);
  }
};
const packedRecord = fc.tuple(type, fc.anything(), id, target, args).map((record) => packed(JSON.parse(text(record))));
const wrongLengths = fc
  .tuple(fc.constantFrom(0xdd, 0xdf, 0xdc, 0xc6, 0xc9, 0x9f, 0xc1), noise)
  .map(([first, rest]) => Buffer.concat([lengthPrefix(rest.length + 1), Buffer.of(first), rest]));

const greetings = {
  json: Buffer.from('{"protocol":"json","version":1}\x1e'),
  messagepack: Buffer.from('{"protocol":"messagepack","version":1}\x1e'),
};

/** What somebody sends, and where it is cut into messages. */
const attack = (protocol: keyof typeof greetings) => {
  const record = protocol === 'json' ? jsonRecord : fc.oneof(packedRecord, wrongLengths);
  return fc.record({
    greeting: fc.oneof({ weight: 9, arbitrary: fc.constant(greetings[protocol]) }, { weight: 1, arbitrary: noise }),
    records: fc.array(
      fc.oneof({ weight: 12, arbitrary: record }, { weight: 2, arbitrary: noise }, { weight: 1, arbitrary: large }),
      { maxLength: 6 },
    ),
    cuts: fc.array(fc.nat({ max: 200 }), { maxLength: 5 }),
    /** How long it is silent before each message. */
    pauseMs: fc.constantFrom(0, 1000, 5000, 15_000, 30_000),
  });
};

function messagesOf(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

test.each(['json', 'messagepack'] as const)(
  'whatever a client says in %s, it gets nothing that is not its own, harms nobody and leaves nothing behind',
  { timeout: 120_000 },
  async (protocol) => {
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(attack(protocol), async ({ greeting, records, cuts, pauseMs }) => {
        const hub = fakeHub(async (_, presented) => {
          const sites = presented.read('query.site');
          return sites.includes('victim') || sites.length === 0
            ? { kind: 'denied', denial: { code: 'room_denied', reason: 'not yours' } }
            : { kind: 'joined', rooms: sites as readonly RoomName[] };
        });
        const [victim, attacker] = [hub.connect('victim'), hub.connect('own')];
        victim.connection.receive(greetings.json);
        for (const message of messagesOf(Buffer.concat([greeting, ...records]), cuts)) {
          hub.clock.advance(pauseMs);
          for (const { connection } of [victim, attacker]) connection.look(hub.clock.now());
          attacker.connection.receive(message);
          hub.deliver('victim', '"of the victim"');
          await turn();
          hub.deliver('own', '"own"');
        }
        await turn();
        if (attacker.connection.is('active')) reached += 1;
        const seen = Buffer.concat(attacker.socket.frames).toString('latin1');
        expect(seen).not.toContain('of the victim');
        expect(seen.length).toBeLessThan(500_000);
        // The victim goes on, with each of its events once.
        expect(victim.connection.is('active')).toBe(true);
        const own = Buffer.concat(victim.socket.frames).toString('latin1');
        expect(own.match(/of the victim/g) ?? []).toHaveLength(
          messagesOf(Buffer.concat([greeting, ...records]), cuts).length,
        );
        expect(own).not.toContain('\\"own\\"');
        // Who is told to go has its socket closed; who went is in no room, owes nothing, and nothing comes due for it.
        if (!attacker.connection.is('active') && !attacker.connection.is('greeting')) {
          expect(attacker.socket.ended).toBeDefined();
        }
        hub.deliver('own', '"owed"');
        attacker.connection.end('gone');
        victim.connection.end('gone');
        const sent = [attacker, victim].map(({ socket }) => socket.frames.length);
        hub.clock.advance(3_600_000);
        for (const { connection } of [victim, attacker]) connection.look(hub.clock.now());
        await turn();
        expect([attacker, victim].map(({ socket }) => socket.frames.length)).toEqual(sent);
        expect([...hub.home.rooms.membersOf(['own', 'victim', 'other'] as RoomName[])]).toEqual([]);
        expect([hub.home.queues.bytes, hub.clock.pending]).toEqual([0, 0]);
        expect(hub.home.counts).toEqual({ greeting: 0, active: 0, closing: 0, ended: 2 });
      }),
      { numRuns: runs },
    );
    // What is generated is not all refused at the door.
    expect(reached).toBeGreaterThan(runs / 10);
  },
);

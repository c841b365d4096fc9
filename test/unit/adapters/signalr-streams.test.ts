import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fakeHub } from '../../support/fake-hub.ts';

const greeting = (protocol: string) => Buffer.from(`{"protocol":"${protocol}","version":1}\x1e`);
const site = fc.constantFrom('s1', 's2', 's1/users/u1', 's1/users/u2', 's2/users/u1');
const hubName = fc.constantFrom('entries', 'incidents');
const protocol = fc.constantFrom('json', 'messagepack');

test('an event of one hub, site or user reaches its own, once each, and nobody else, whoever comes and goes', async () => {
  const client = fc.record({ hub: hubName, room: site, protocol, goesBefore: fc.integer({ min: 0, max: 12 }) });
  const event = fc.record({ hub: hubName, rooms: fc.uniqueArray(site, { minLength: 1, maxLength: 3 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(client, { maxLength: 8 }),
      fc.array(event, { maxLength: 10 }),
      async (clients, events) => {
        const hubs = new Map(
          ['entries', 'incidents'].map((name) => [name, fakeHub(async () => ({ kind: 'joined', rooms: [] }))]),
        );
        const connected = clients.map((each) => {
          const made = hubs.get(each.hub)?.connect(each.room);
          made?.connection.receive(greeting(each.protocol));
          return { ...each, made };
        });
        for (const [index, { hub, rooms }] of events.entries()) {
          for (const { goesBefore, made } of connected) if (goesBefore === index) made?.connection.end('gone');
          hubs.get(hub)?.deliver(rooms, `"event ${index}."`);
          await turn();
        }
        for (const { hub, room, goesBefore, made } of connected) {
          const seen = Buffer.concat([...(made?.socket.frames ?? [])]).toString('latin1');
          const own = events.flatMap((each, index) =>
            each.hub === hub && each.rooms.includes(room) && index < goesBefore ? [`event ${index}.`] : [],
          );
          expect(seen.match(/event \d+\./g) ?? []).toEqual(own);
        }
      },
    ),
    { numRuns: 300 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SpaceAnswer } from '../../../src/application/ports/admission.ts';
import { Event } from '../../../src/domain/event.ts';
import type { RoomName } from '../../../src/domain/room.ts';
import { type FakeMember, say, spacesMembers, subscribe, unsubscribe } from '../../support/spaces-members.ts';

const users = ['a', 'b', 'c', 'd'];
const spaces = ['one', 'two', 'x.y'];

/** What should be: who is connected and where, what waits at the broker, and what everybody must have got. */
type Model = {
  readonly sockets: Map<string, { spaces: Set<string>; got: string[] }>;
  readonly banned: Set<string>;
  readonly waiting: { space: string; text: string }[];
  said: number;
};

type Real = {
  readonly gateway: ReturnType<typeof spacesMembers>;
  readonly sockets: Map<string, FakeMember>;
  /** At the broker. */
  readonly waiting: Event[];
  delivered: Event[];
};

type Command = fc.AsyncCommand<Model, Real>;
const pair = (user: string, space: string): string => `${user} ${space}`;

/** What follows from it follows in the same turn, some promises later. */
async function turn(): Promise<void> {
  for (let promises = 0; promises < 20; promises += 1) await Promise.resolve();
}

function toRoom(model: Model, space: string, text: string): void {
  for (const socket of model.sockets.values()) if (socket.spaces.has(space)) socket.got.push(`${space}: ${text}`);
}

async function compare(model: Model, real: Real): Promise<void> {
  await turn();
  for (const [user, { got }] of model.sockets) {
    const messages = real.sockets.get(user)?.of('MESSAGE_SENT') ?? [];
    expect(
      messages.map(({ topicId, content }) => `${String(topicId)}: ${(content as { bodyText: string }).bodyText}`),
    ).toEqual(got);
  }
}

const command = (
  name: string,
  check: (model: Readonly<Model>) => boolean,
  run: (model: Model, real: Real) => void,
): Command => ({
  toString: () => name,
  check,
  async run(model, real) {
    run(model, real);
    await compare(model, real);
  },
});

const user = fc.constantFrom(...users);
const space = fc.constantFrom(...spaces);
const both = fc.tuple(user, space);
const realOf = (real: Real, name: string): FakeMember =>
  real.sockets.get(name) ?? expect.fail(`${name} is not connected`);

const commandsWith = (order: 'local' | 'broker') => [
  user.map((name) =>
    command(
      `connect ${name}`,
      ({ sockets }) => !sockets.has(name),
      (model, real) => {
        model.sockets.set(name, { spaces: new Set(), got: [] });
        real.sockets.set(name, real.gateway.open(name));
      },
    ),
  ),
  user.map((name) =>
    command(
      `disconnect ${name}`,
      ({ sockets }) => sockets.has(name),
      (model, real) => {
        model.sockets.delete(name);
        realOf(real, name).member.end();
        real.sockets.delete(name);
      },
    ),
  ),
  both.map(([name, place]) =>
    command(
      `${name} joins ${place}`,
      ({ sockets }) => sockets.has(name),
      (model, real) => {
        if (!model.banned.has(pair(name, place))) model.sockets.get(name)?.spaces.add(place);
        subscribe(realOf(real, name), place);
      },
    ),
  ),
  both.map(([name, place]) =>
    command(
      `${name} leaves ${place}`,
      ({ sockets }) => sockets.has(name),
      (model, real) => {
        model.sockets.get(name)?.spaces.delete(place);
        unsubscribe(realOf(real, name), place);
      },
    ),
  ),
  both.map(([name, place]) =>
    command(
      `${name} sends to ${place}`,
      ({ sockets }) => sockets.has(name),
      (model, real) => {
        model.said += 1;
        const text = `${model.said}`;
        const socket = realOf(real, name);
        const failures = socket.of('SEND_MESSAGE_FAILED').length;
        const isMember = model.sockets.get(name)?.spaces.has(place) ?? false;
        say(socket, place, text);
        expect(socket.of('SEND_MESSAGE_FAILED').length - failures).toBe(isMember ? 0 : 1);
        if (!isMember) return;
        if (order === 'local') toRoom(model, place, text);
        model.waiting.push({ space: place, text });
      },
    ),
  ),
  fc.constant(
    command(
      'the broker delivers',
      ({ waiting }) => waiting.length > 0,
      (model, real) => {
        const next = model.waiting.shift();
        if (next && order === 'broker') toRoom(model, next.space, next.text);
        const event = real.waiting.shift() ?? expect.fail('nothing waits');
        real.delivered.push(event);
        real.gateway.deliver(event);
      },
    ),
  ),
  fc.nat().map((index) =>
    command(
      'the broker delivers again',
      () => true,
      (_, real) => {
        const event = real.delivered[index % Math.max(1, real.delivered.length)];
        if (event) real.gateway.deliver(event);
      },
    ),
  ),
  both.map(([name, place]) =>
    command(
      `${name} is removed from ${place}`,
      ({ banned }) => !banned.has(pair(name, place)),
      (model, real) => {
        model.banned.add(pair(name, place));
        model.sockets.get(name)?.spaces.delete(place);
        real.gateway.deliver(recheckOf(place, model.said));
      },
    ),
  ),
];

let rechecks = 0;
const recheckOf = (place: string, said: number): Event => {
  rechecks += 1;
  return new Event({
    id: `recheck ${rechecks} ${said}`,
    stream: 'spaces',
    key: place,
    attributes: new Map([['Spaces-Event', 'MEMBERS_RECHECK']]),
    payload: Buffer.from('{}'),
    publishedAt: 0,
    origin: { source: 'broker', properties: {} },
  });
};

test.each(['local', 'broker'] as const)(
  'order %s: whoever is in a space gets what is said there once, in order, and nobody else does',
  async (order) => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commandsWith(order), { maxCommands: 60, size: 'max' }), async (commands) => {
        const model: Model = { sockets: new Map(), banned: new Set(), waiting: [], said: 0 };
        const waiting: Event[] = [];
        const gateway = spacesMembers({
          settings: { order },
          mayJoin: ({ connection }, request) =>
            model.banned.has(pair(connection, request.space))
              ? { kind: 'denied', denial: { code: 'room_denied', reason: '' } }
              : { kind: 'member' },
          publish: async (event) => {
            // What is told of those who leave is not for this model.
            if (event.attributes.get('Spaces-Event') === 'MESSAGE_SENT') waiting.push(event);
          },
        });
        const real: Real = { gateway, sockets: new Map(), waiting, delivered: [] };
        await fc.asyncModelRun(() => ({ model, real }), commands);
      }),
      { numRuns: 60 },
    );
  },
);

const step = fc.tuple(fc.constantFrom('join', 'leave', 'recheck', 'answer', 'answer'), fc.nat(3));

/** Somebody is looked at, comes back, is let in, and removed; only then is the first answer there. */
const crossing: [string, number][] = [
  ...([
    ['join', 0],
    ['answer', 0],
    ['recheck', 0],
    ['leave', 0],
    ['join', 0],
    ['answer', 1],
  ] as [string, number][]),
];

test('whoever is removed is out once all is answered, and nobody else, whatever the answers cross', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), fc.boolean(), async (steps, isRemoved) => {
      let isBanned = false;
      let isWanted = false;
      const answers: (() => void)[] = [];
      const gateway = spacesMembers({
        mayJoin: () => {
          // Who is asked has made up its mind; it is heard later.
          const answer: SpaceAnswer = isBanned
            ? { kind: 'denied', denial: { code: 'room_denied', reason: '' } }
            : { kind: 'member' };
          return new Promise((resolve) => answers.push(() => resolve(answer)));
        },
      });
      const socket = gateway.open('a');
      for (const [what, index] of steps) {
        if (what === 'join') subscribe(socket, 's');
        else if (what === 'leave') unsubscribe(socket, 's');
        else if (what === 'recheck') gateway.deliver(recheckOf('s', 0));
        else answers.splice(index % Math.max(1, answers.length), 1)[0]?.();
        if (what === 'join' || what === 'leave') isWanted = what === 'join';
        await turn();
      }
      isBanned = isRemoved;
      if (isRemoved) gateway.deliver(recheckOf('s', 0));
      while (answers.length > 0) {
        answers.shift()?.();
        await turn();
      }
      const present = gateway.rooms.membersOf('spaces/s' as RoomName);
      expect(present).toHaveLength(isWanted && !isRemoved ? 1 : 0);
    }),
    { numRuns: 60, examples: [[crossing, true]] },
  );
});

import { describe, expect, test } from 'vitest';
import type { SpaceAnswer } from '../../../src/application/ports/admission.ts';
import { Event } from '../../../src/domain/event.ts';
import { anonymous } from '../../../src/domain/principal.ts';
import type { RoomName } from '../../../src/domain/room.ts';
import { type FakeMember, say, spacesMembers, subscribe, unsubscribe } from '../../support/spaces-members.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const codesOf = (member: FakeMember, name = 'SEND_MESSAGE_FAILED') =>
  member.of(name).map(({ error }) => (error as { code: string }).code);
const texts = (member: FakeMember) =>
  member.of('MESSAGE_SENT').map(({ content }) => (content as { bodyText: string }).bodyText);
const denied: SpaceAnswer = { kind: 'denied', denial: { code: 'room_denied', reason: '' } };

let made = 0;
const fromBackend = (payload: string, attributes: Record<string, string> = {}, key = 's', publishedAt = 0): Event => {
  made += 1;
  return new Event({
    ...{ id: `e${made}`, stream: 'spaces', key, attributes: new Map(Object.entries(attributes)) },
    ...{ payload: Buffer.from(payload), publishedAt, origin: { source: 'broker', properties: {} } },
  });
};
const recheck = (userId?: string) => fromBackend(JSON.stringify({ userId }), { 'Spaces-Event': 'MEMBERS_RECHECK' });

describe('limits', () => {
  test('let people and bots alone: 50 messages a second from each of ten sockets, for as long as they like', () => {
    const { open, clock } = spacesMembers();
    const bots = Array.from({ length: 10 }, (_, index) => open(`bot ${index}`));
    for (const bot of bots) subscribe(bot, 's');
    for (let second = 0; second < 3; second += 1) {
      for (const bot of bots) for (let each = 0; each < 50; each += 1) say(bot, 's', 'x');
      clock.advance(1000);
    }
    for (const bot of bots) expect([texts(bot).length, codesOf(bot)]).toEqual([1500, []]);
  });

  test('of a socket, of a space, of spaces and of subscriptions each have their code, and end with time', () => {
    const { open, clock } = spacesMembers({
      settings: {
        eventsPerSecondMax: 3,
        spaceEventsPerSecondMax: 5,
        spacesPerConnectionMax: 2,
        subscribesPerSecondMax: 4,
      },
    });
    const [one, two] = [open('one'), open('two')];
    for (const member of [one, two]) subscribe(member, 's');
    for (const member of [one, two]) for (let each = 0; each < 4; each += 1) say(member, 's', `${each}`);
    expect(texts(one)).toHaveLength(5);
    expect(codesOf(one)).toEqual(['rate.limit.exceeded']);
    expect(codesOf(two)).toEqual(['rate.limit.exceeded', 'rate.limit.exceeded']);
    clock.advance(1000);
    say(two, 's', 'again');
    expect(texts(one)).toHaveLength(6);
    subscribe(one, 't');
    subscribe(one, 'u');
    expect(codesOf(one, 'SUBSCRIBE_CHANNEL_FAILED')).toEqual(['too.many.spaces']);
    for (let each = 0; each < 3; each += 1) subscribe(one, 's');
    expect(codesOf(one, 'SUBSCRIBE_CHANNEL_FAILED')).toEqual(['too.many.spaces', 'rate.limit.exceeded']);
  });

  test('of the size count what others get, and of presence and media are told in their own events', () => {
    const { open } = spacesMembers({ settings: { eventBytesMax: 400 } });
    const member = open('one');
    subscribe(member, 's');
    const content = { bodyText: 'x'.repeat(400) };
    member.member.hear('SEND_MESSAGE', { content, topicId: 's' });
    member.member.hear('SEND_PRESENCE_EVENT', { category: 'c', content, topicId: 's' });
    member.member.hear('SEND_MEDIA_SESSION_EVENTS', { category: 'c', content, topicId: 's' });
    for (const name of ['SEND_MESSAGE_FAILED', 'PRESENCE_EVENT_RESPONSE', 'MEDIA_SESSION_RESPONSE']) {
      expect(codesOf(member, name)).toEqual(['message.too.large']);
      expect(member.of(name)[0]).toMatchObject({ topicId: 's', content: {} });
    }
    say(member, 's', 'small', { loopbackMetadata: 'x'.repeat(400) });
    expect(codesOf(member)).toEqual(['message.too.large', 'message.too.large']);
  });
});

describe('what cannot be read', () => {
  const deep = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}1${']'.repeat(depth)}`);

  test.each([
    ['nothing', undefined, 'app.event.channel.subscription.required'],
    ['a text', 'x', 'app.event.channel.subscription.required'],
    ['no content', { topicId: 's' }, 'invalid.parameters'],
    ['a list as content', { topicId: 's', content: [] }, 'invalid.parameters'],
    ['a category that is no text', { topicId: 's', content: {}, category: 7 }, 'invalid.parameters'],
    ['bytes', { topicId: 's', content: { bodyText: Buffer.from('x') } }, 'app.event.channel.subscription.required'],
    ['an abyss', { topicId: 's', content: { a: deep(20_000) } }, 'app.event.channel.subscription.required'],
    [
      'an abyss beside it',
      { topicId: 's', content: {}, loopbackMetadata: deep(20_000) },
      'app.event.channel.subscription.required',
    ],
  ])('%s is answered, and harms nobody', (_, body, code) => {
    const { open } = spacesMembers();
    const member = open('one');
    subscribe(member, 's');
    member.member.hear('SEND_MESSAGE', body);
    expect(codesOf(member)).toEqual([code]);
  });

  test('events that nobody has heard of are ignored', () => {
    const { open } = spacesMembers();
    const member = open('one');
    for (const name of ['toString', '__proto__', 'MESSAGE_SENT', 7, undefined])
      member.member.hear(name, { topicId: 's' });
    expect(member.events).toEqual([]);
  });

  test('it counts, as what can be read does', () => {
    const { open } = spacesMembers({ settings: { eventsPerSecondMax: 3, subscribesPerSecondMax: 2 } });
    const member = open('one');
    subscribe(member, 's');
    for (let each = 0; each < 2; each += 1) member.member.hear('SUBSCRIBE_CHANNEL', {});
    expect(codesOf(member, 'SUBSCRIBE_CHANNEL_FAILED')).toEqual(['invalid.parameters', 'rate.limit.exceeded']);
    member.member.hear('NONSENSE', {});
    unsubscribe(member, 'nowhere');
    for (let each = 0; each < 2; each += 1) say(member, 's', 'x');
    expect(codesOf(member)).toEqual(['rate.limit.exceeded']);
  });

  test('names of a prototype are content like any other', () => {
    const { open } = spacesMembers();
    const member = open('one');
    subscribe(member, 's');
    const body = JSON.parse('{"topicId":"s","content":{"__proto__":{"x":1},"constructor":2}}');
    member.member.hear('SEND_MESSAGE', body);
    expect(JSON.stringify(member.of('MESSAGE_SENT')[0]?.['content'])).toBe('{"__proto__":{"x":1},"constructor":2}');
  });
});

describe('the order of the broker', () => {
  test('delivers what has come back, with the loopback for its sender, and tells what is not confirmed in time', async () => {
    const waiting: Event[] = [];
    const { open, clock, deliver, observer } = spacesMembers({
      settings: { order: 'broker', publishTimeoutMs: 1000 },
      publish: (event) => {
        waiting.push(event);
        return new Promise(() => {});
      },
    });
    const [one, two] = [open('one'), open('two')];
    for (const member of [one, two]) subscribe(member, 's');
    say(one, 's', 'x', { loopbackMetadata: { mine: 1 } });
    expect([...texts(one), ...texts(two)]).toEqual([]);
    clock.advance(999);
    await turn();
    expect(codesOf(one)).toEqual([]);
    clock.advance(1);
    await turn();
    expect(one.of('SEND_MESSAGE_FAILED')).toMatchObject([
      { topicId: 's', content: { bodyText: 'x' }, loopbackMetadata: { mine: 1 }, error: { code: 'message.not.sent' } },
    ]);
    expect(observer.of('publish-failed')).toMatchObject([{ error: { code: 'publish_unconfirmed' } }]);
    for (const event of waiting) deliver(event);
    expect(one.of('MESSAGE_SENT')).toMatchObject([{ content: { bodyText: 'x' }, loopbackMetadata: { mine: 1 } }]);
    expect(two.of('MESSAGE_SENT')[0]).not.toHaveProperty('loopbackMetadata');
    expect(waiting[0]?.key).toBe('s');
    expect(Buffer.from(waiting[0]?.payload ?? []).toString()).not.toContain('mine');
  });

  test('a broker that refuses is told of at once; with the order of the instance the room has it all the same', async () => {
    for (const order of ['broker', 'local']) {
      const { open, observer } = spacesMembers({
        settings: { order },
        publish: () => Promise.reject(new Error('full')),
      });
      const member = open('one');
      subscribe(member, 's');
      say(member, 's', 'x');
      await turn();
      expect([texts(member), codesOf(member)]).toEqual(order === 'local' ? [['x'], []] : [[], ['message.not.sent']]);
      expect(observer.of('publish-failed')).toHaveLength(1);
    }
  });
});

describe('membership', () => {
  test('what is sent without waiting for the answer is heard after it, in order', async () => {
    const answers: ((answer: SpaceAnswer) => void)[] = [];
    const { open } = spacesMembers({ mayJoin: () => new Promise((resolve) => answers.push(resolve)) });
    const [one, two] = [open('one'), open('two')];
    for (const member of [one, two]) {
      subscribe(member, 's');
      subscribe(member, 's');
      for (const text of ['1', '2']) say(member, 's', text);
      expect(member.events).toEqual([]);
    }
    answers[0]?.({ kind: 'member' });
    answers[1]?.(denied);
    await turn();
    expect(answers).toHaveLength(2);
    expect(one.events.map(([name]) => name)).toEqual([
      ...['CHANNEL_SUBSCRIBED', 'CHANNEL_SUBSCRIBED', 'MESSAGE_SENT', 'MESSAGE_SENT'],
    ]);
    expect(two.events.map(([name]) => name)).toEqual([
      ...['SUBSCRIBE_CHANNEL_FAILED', 'SUBSCRIBE_CHANNEL_FAILED', 'SEND_MESSAGE_FAILED', 'SEND_MESSAGE_FAILED'],
    ]);
  });

  test('what is held has its limits, each with its code, and counts as sent', async () => {
    const answers: ((answer: SpaceAnswer) => void)[] = [];
    const { open } = spacesMembers({
      settings: { eventsPerSecondMax: 70, eventBytesMax: 400 },
      mayJoin: () => new Promise((resolve) => answers.push(resolve)),
    });
    const member = open('one');
    subscribe(member, 's');
    say(member, 's', 'x'.repeat(400));
    for (let each = 0; each < 65; each += 1) say(member, 's', `${each}`);
    expect(codesOf(member)).toEqual(['message.too.large', 'rate.limit.exceeded']);
    answers[0]?.({ kind: 'member' });
    await turn();
    expect(texts(member)).toHaveLength(64);
    for (let each = 0; each < 5; each += 1) say(member, 's', 'more');
    expect(codesOf(member).slice(2)).toEqual(['rate.limit.exceeded']);
  });

  test('what all clients have waiting has a limit in bytes, which ends with those who go and with the answers', async () => {
    const answers: ((answer: SpaceAnswer) => void)[] = [];
    const { open } = spacesMembers({
      settings: { eventBytesMax: 1_048_576 },
      mayJoin: () => new Promise((resolve) => answers.push(resolve)),
    });
    const members = Array.from({ length: 17 }, (_, index) => open(`${index}`));
    const text = 'x'.repeat(1_000_000);
    for (const member of members) subscribe(member, 's');
    for (const member of members) say(member, 's', text);
    const [first, second] = members as [FakeMember, FakeMember];
    const last = members.at(-1) as FakeMember;
    expect(codesOf(last)).toEqual(['try.later']);
    first.member.end();
    say(last, 's', text);
    expect(codesOf(last)).toEqual(['try.later']);
    say(last, 's', text);
    answers[1]?.(denied);
    await turn();
    expect(codesOf(second)).toEqual(['app.event.channel.subscription.required']);
    say(last, 's', text);
    expect(codesOf(last)).toEqual(['try.later', 'try.later']);
  });

  test('another password is another question, whose answer alone counts', async () => {
    const answers: ((answer: SpaceAnswer) => void)[] = [];
    const asked: (string | undefined)[] = [];
    const { open, deliver } = spacesMembers({
      mayJoin: (_, { password }) => {
        asked.push(password);
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    const member = open('one');
    for (const password of ['wrong', 'wrong', 'right']) subscribe(member, 's', { password });
    answers[0]?.(denied);
    await turn();
    expect([asked, member.events]).toEqual([['wrong', 'right'], []]);
    answers[1]?.({ kind: 'member' });
    await turn();
    expect(member.events.map(([name]) => name)).toEqual(Array(3).fill('CHANNEL_SUBSCRIBED'));
    subscribe(member, 's', { password: 'newer' });
    subscribe(member, 's', { password: 'wrong' });
    answers[3]?.(denied);
    await turn();
    expect(member.of('SUBSCRIBE_CHANNEL_FAILED')).toHaveLength(2);
    subscribe(member, 's', { password: 'newest' });
    answers[4]?.({ kind: 'member' });
    await turn();
    deliver(recheck());
    expect(asked).toEqual(['wrong', 'right', 'newer', 'wrong', 'newest', 'newest']);
    say(member, 's', 'still there');
    expect(texts(member)).toEqual(['still there']);
  });

  test('an answer that comes after the client has left means nothing', async () => {
    const answers: ((answer: SpaceAnswer) => void)[] = [];
    const signals: AbortSignal[] = [];
    const { open } = spacesMembers({
      mayJoin: (_, __, signal) => {
        signals.push(signal);
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    const [left, gone] = [open('left'), open('gone')];
    subscribe(left, 's');
    say(left, 's', 'held');
    subscribe(gone, 's');
    unsubscribe(left, 's');
    gone.member.end();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    for (const answer of answers) answer({ kind: 'member' });
    await turn();
    expect(left.events.map(([name]) => name)).toEqual([
      ...['SUBSCRIBE_CHANNEL_FAILED', 'SEND_MESSAGE_FAILED', 'CHANNEL_UNSUBSCRIBED'],
    ]);
    expect(gone.events).toEqual([]);
  });

  test('one who is removed is asked about until it is known, each time anew, and is out then', async () => {
    const answers: SpaceAnswer[] = [{ kind: 'member' }];
    const asked: unknown[] = [];
    const { open, clock, deliver } = spacesMembers({
      mayJoin: async (_, request) => {
        asked.push(request);
        return answers.shift() ?? denied;
      },
    });
    const member = open('one');
    subscribe(member, 's', { password: 'p' });
    await turn();
    answers.push({ kind: 'try-later', retryAfterMs: 500 }, { kind: 'try-later', retryAfterMs: 500 });
    deliver(recheck('somebody else'));
    deliver(recheck('one'));
    await turn();
    clock.advance(500);
    await turn();
    expect(member.of('CHANNEL_UNSUBSCRIBED')).toEqual([]);
    clock.advance(500);
    await turn();
    expect(member.of('CHANNEL_UNSUBSCRIBED')).toHaveLength(1);
    expect(asked).toEqual([
      { space: 's', password: 'p' },
      ...Array.from({ length: 3 }, () => ({ space: 's', password: 'p', fresh: true })),
    ]);
    expect(clock.pending).toBe(0);
  });

  test('an answer from before a demand does not let anybody stay', async () => {
    const answers: ((answer: SpaceAnswer) => void)[] = [];
    const { open, deliver } = spacesMembers({ mayJoin: () => new Promise((resolve) => answers.push(resolve)) });
    const member = open('one');
    subscribe(member, 's');
    deliver(recheck());
    answers[0]?.({ kind: 'member' });
    await turn();
    answers[1]?.(denied);
    await turn();
    expect(member.events.map(([name]) => name)).toEqual(['CHANNEL_SUBSCRIBED', 'CHANNEL_UNSUBSCRIBED']);
  });
});

test('whose token has expired stays where it is, and subscribes to nothing more', () => {
  const { open, clock } = spacesMembers();
  const member = open('one', 'user', { ...anonymous, expiresAt: clock.now() + 1000 });
  subscribe(member, 's');
  clock.advance(1000);
  for (const space of ['t', 's']) subscribe(member, space);
  say(member, 's', 'still here');
  expect(member.events.map(([name]) => name)).toEqual([
    ...['CHANNEL_SUBSCRIBED', 'SUBSCRIBE_CHANNEL_FAILED', 'CHANNEL_SUBSCRIBED', 'MESSAGE_SENT'],
  ]);
  expect(codesOf(member, 'SUBSCRIBE_CHANNEL_FAILED')).toEqual(['forbidden']);
});

test('what the history could not keep is remembered, and that it fails until it does not', async () => {
  let isFull = true;
  const history = {
    ...{ read: () => expect.fail(), positionOf: () => expect.fail(), close: async () => {} },
    async append() {
      if (isFull) throw new Error('full');
      return 1;
    },
  };
  const { open, losses, observer } = spacesMembers({ history });
  const member = open('one');
  const rooms = ['spaces/s', 'spaces/t'] as RoomName[];
  const state = () => [losses.isFailing, ...rooms.map((room) => losses.isIn(room))];
  for (const space of ['s', 't']) subscribe(member, space);
  expect(state()).toEqual([false, false, false]);
  say(member, 's', 'x');
  await turn();
  expect([state(), observer.of('history-failed').length]).toEqual([[true, true, false], 1]);
  isFull = false;
  say(member, 't', 'x');
  await turn();
  expect(state()).toEqual([false, true, false]);
});

describe('presence', () => {
  const online = { category: 'app.event.presence.party.online', topicId: 's', content: {} };
  const leaves = { ...online, category: 'app.event.presence.party.leaves' };
  const categories = (member: FakeMember) => member.of('PRESENCE_EVENT_RESPONSE').map(({ category }) => category);

  test.each([
    ['lost', [], 'each-session', 1],
    ['lost', [online], 'each-session', 1],
    ['lost', [leaves], 'each-session', 0],
    ['lost', [leaves, online], 'each-session', 1],
    ['lost', [online], 'last-session', 0],
    ['lost', [online], 'never', 0],
    ['unsubscribed', [], 'each-session', 0],
    ['unsubscribed', [online], 'each-session', 1],
    ['unsubscribed', [online, leaves], 'each-session', 0],
  ] as const)('one that is %s after %j, told of %s: %i times', (departure, sent, leaving, times) => {
    const { open } = spacesMembers({ settings: { presence: { leaving } } });
    const [witness, user, same] = [open('witness'), open('user'), open('user')];
    for (const member of [witness, user, same]) subscribe(member, 's');
    for (const body of sent) user.member.hear('SEND_PRESENCE_EVENT', body);
    if (departure === 'lost') user.member.end();
    else unsubscribe(user, 's');
    expect(categories(witness)).toHaveLength(sent.length + times);
  });

  test('who leaves while the broker is away is told of by its instance, once', async () => {
    const waiting: Event[] = [];
    const { open, deliver } = spacesMembers({
      settings: { order: 'broker' },
      publish: async (event) => {
        waiting.push(event);
        throw new Error('away');
      },
    });
    const [witness, user] = [open('witness'), open('user')];
    for (const member of [witness, user]) subscribe(member, 's');
    user.member.end();
    await turn();
    expect(categories(witness)).toEqual([leaves.category]);
    for (const event of waiting) deliver(event);
    expect(categories(witness)).toHaveLength(1);
  });

  test('nobody leaves when the gateway closes: its clients come back elsewhere', () => {
    const { open, close, published } = spacesMembers();
    const [witness, user] = [open('witness'), open('user')];
    for (const member of [witness, user]) subscribe(member, 's');
    close();
    user.member.end();
    expect([categories(witness), published]).toEqual([[], []]);
  });

  test.each([
    ['with-loopback', undefined, 0],
    ['with-loopback', null, 1],
    ['always', undefined, 1],
    ['never', { l: 1 }, 0],
  ] as const)('the sender’s own, %s and a loopback of %j: %i', (echo, loopbackMetadata, times) => {
    const { open } = spacesMembers({ settings: { message: { echo }, presence: { echo }, media: { echo } } });
    const [member, other] = [open('user'), open('other')];
    for (const each of [member, other]) subscribe(each, 's');
    say(member, 's', 'x', { loopbackMetadata });
    expect([texts(member).length, texts(other).length]).toEqual([times, 1]);
    member.member.hear('SEND_PRESENCE_EVENT', { ...online, loopbackMetadata });
    member.member.hear('SEND_MEDIA_SESSION_EVENTS', { ...online, loopbackMetadata });
    for (const name of ['PRESENCE_EVENT_RESPONSE', 'MEDIA_SESSION_RESPONSE']) {
      expect(member.of(name)).toHaveLength(times);
      for (const body of member.of(name)) expect('loopbackMetadata' in body).toBe(loopbackMetadata !== undefined);
    }
  });

  test.each([
    ['only-them', [1, 0]],
    ['everybody', [1, 1]],
  ] as const)('receivers: %s', (receivers, counts) => {
    const { open } = spacesMembers({ settings: { presence: { receivers } } });
    const [sender, named, other] = [open('sender'), open('named'), open('other')];
    for (const member of [sender, named, other]) subscribe(member, 's');
    sender.member.hear('SEND_PRESENCE_EVENT', { ...online, receivers: [{ _id: 'named' }, 'nonsense', null] });
    expect([categories(named).length, categories(other).length]).toEqual(counts);
  });
});

describe('a message with receivers', () => {
  const receivers = [{ _id: 'named', type: 'user' }, { _id: 'unsaid' }, 'nonsense'];

  test.each([
    ['only-them', [1, 1, 1, 1, 0, 0]],
    ['everybody', [1, 1, 1, 1, 1, 1]],
  ] as const)('is for %s, and for its sender', (chosen, counts) => {
    const { open } = spacesMembers({ settings: { message: { receivers: chosen } } });
    const sender = open('sender');
    const members = [sender, open('sender'), open('named'), open('unsaid'), open('named', 'anonymous'), open('other')];
    for (const member of members) subscribe(member, 's');
    say(sender, 's', 'x', { receivers });
    expect(members.map((member) => texts(member).length)).toEqual(counts);
    say(sender, 's', 'y', { receivers: [] });
    expect(members.every((member) => texts(member).includes('y'))).toBe(true);
    say(sender, 's', 'z', { receivers: 'all' });
    expect(codesOf(sender)).toEqual(['invalid.parameters']);
  });
});

describe('events of back-ends', () => {
  test.each([
    ['{"_id":"mine","content":{}}', 'mine'],
    ['{"_id":7,"content":{}}', undefined],
    ['{"_id":"","content":{}}', undefined],
  ])('%s is kept under the id that clients get', async (payload, id) => {
    const { open, deliver, history, clock } = spacesMembers();
    const member = open('one');
    subscribe(member, 's');
    deliver(fromBackend(payload, {}, 's', clock.now()));
    const expected = id ?? `e${made}`;
    expect(member.of('MESSAGE_SENT')[0]).toMatchObject({ _id: expected });
    expect(await history.positionOf('spaces/s' as never, expected)).toBe(1);
  });

  test.each([
    ['{"content":{"bodyText":"x"},"topicId":"other","loopbackMetadata":1}', 'x'],
    ['"a text"', 'a text'],
    ['no JSON', 'no JSON'],
    ['[1]', '[1]'],
  ])('%s becomes a message of the space that its key names', (payload, bodyText) => {
    const { open, deliver } = spacesMembers();
    const member = open('one');
    subscribe(member, 's');
    expect(deliver(fromBackend(payload))).toEqual({ queued: 1, dropped: 0 });
    expect(member.of('MESSAGE_SENT')).toEqual([
      {
        ...{
          _id: `e${made}`,
          category: 'chat',
          content: { bodyText },
          topicId: 's',
          created: '1970-01-01T00:00:00.000Z',
        },
        sender: { _id: 'spaceserver', type: 'spaceserver', displayname: '', username: '' },
      },
    ]);
  });

  test.each(['PRESENCE_EVENT_RESPONSE', 'MEDIA_SESSION_RESPONSE', 'MESSAGE_SENT'])(
    'named %s are of the space that their key names, whatever they say',
    (name) => {
      const { open, deliver } = spacesMembers();
      const member = open('one');
      subscribe(member, 's');
      const payload = '{"category":"c","content":{"a":1},"topicId":"other","sender":{"_id":"x"},"loopbackMetadata":1}';
      deliver(fromBackend(payload, { 'Spaces-Event': name }));
      expect(member.of(name)).toMatchObject([{ category: 'c', content: { a: 1 }, topicId: 's', sender: { _id: 'x' } }]);
      expect(member.of(name)[0]).not.toHaveProperty('loopbackMetadata');
    },
  );

  test('of an unknown name are for nobody, and a mistake; rooms of other templates are none of its business', () => {
    const { open, deliver, rooms } = spacesMembers();
    subscribe(open('one'), 's');
    const event = fromBackend('{}', { 'Spaces-Event': 'NONSENSE' });
    expect(() => deliver(event)).toThrow(
      expect.objectContaining({ code: 'spaces_event_unknown', disposition: 'dead-letter' }),
    );
    expect(rooms.deliver(event, ['tenants/s' as never, 'spaces/s/more' as never])).toEqual({ queued: 0, dropped: 0 });
  });
});

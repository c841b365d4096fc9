import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import {
  type Body,
  connectedSpacesClient,
  oldVersions,
  type SpacesClient,
  spacesClient,
} from '../support/spaces-clients.ts';
import { type SpacesGateway, startSpaces } from '../support/spaces-gateway.ts';

let spaces: SpacesGateway;
beforeAll(async () => {
  spaces = await startSpaces();
});
afterAll(() => spaces[Symbol.asyncDispose]());

/** A name that no other test has. */
const own = (what: string): string => `${what}-${randomUUID()}`;

/** One client of each library in the field, all in one space. */
async function three(space = own('space')): Promise<[SpacesClient, SpacesClient, SpacesClient]> {
  const clients = await Promise.all(oldVersions.map((version) => spaces.connect(`user of ${version}`, { version })));
  for (const client of clients) await client.subscribe(space);
  return clients as [SpacesClient, SpacesClient, SpacesClient];
}

/** A client that speaks in frames. */
async function frames(query: string) {
  const socket = new WebSocket(`${spaces.url.replace('http', 'ws')}/socket.io/?${query}&transport=websocket`);
  onTestFinished(() => socket.terminate());
  const received: string[] = [];
  socket.on('message', (data: Buffer) => void received.push(data.toString()));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('open', resolve));
  const until = (frame: string | RegExp) =>
    eventually(() => {
      const found = received.find((each) => (typeof frame === 'string' ? each === frame : frame.test(each)));
      if (found === undefined) throw new Error(`${frame} is not in ${JSON.stringify(received)}`);
      return found;
    });
  return { socket, received, until, send: (frame: string) => socket.send(frame) };
}

const eventFrame = (name: string, body: unknown): string => `42/chat,${JSON.stringify([name, body])}`;
const subscribeTo = (space: string) => eventFrame('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space } });

/** What was sent before is answered when this is. */
async function settled(client: SpacesClient): Promise<void> {
  const before = client.of('CHANNEL_UNSUBSCRIBED').length;
  client.emit('UNSUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: own('nobody') } });
  await eventually(() => expect(client.of('CHANNEL_UNSUBSCRIBED').length).toBeGreaterThan(before));
}

describe('connecting', () => {
  test('6.1 clients 1.7.3, 2.0.4 and 2.4.0, by websocket alone and from polling on', async () => {
    const token = spaces.backend.user('ann');
    for (const version of oldVersions) {
      for (const transports of [['websocket'], undefined]) {
        const client = await connectedSpacesClient(spaces.url, {
          version,
          transports,
          query: { tokenType: 'jwt', token },
        });
        expect((await client.subscribe('s'))['channel']).toEqual({ _id: 's', type: 'topic' });
      }
    }
  });

  test('6.1, 6.2 raw frames: 0, a bare 40, then 40/chat without a comma, whether it was asked for with one or not', async () => {
    const token = spaces.backend.user('ann');
    for (const comma of ['', ',']) {
      const client = await frames(`tokenType=jwt&token=${token}&EIO=3`);
      await client.until('40');
      expect(client.received).toEqual([expect.stringMatching(/^0\{"sid"/), '40']);
      client.send(`40/chat?tokenType=jwt&token=${token}${comma}`);
      await client.until('40/chat');
      client.send('2');
      await client.until('3');
      client.send(subscribeTo('s'));
      await client.until(/^42\/chat,\["CHANNEL_SUBSCRIBED"/);
      // An acknowledgement may be asked for, and is not given.
      client.send('42/chat,0["SUBSCRIBE_CHANNEL",{"channel":{"type":"topic","_id":"s"}}]');
      client.send('41/chat');
      await eventually(() => expect(client.socket.readyState).toBe(client.socket.CLOSED));
    }
  });

  test('6.3 the token of the URL, else that of the CONNECT packet; jwt, oauth and no type; fields that mean nothing', async () => {
    const { backend, url } = spaces;
    const [ann, ben] = [backend.user('ann'), backend.user('ben')];
    const senderWith = async (urlQuery: string, connectQuery: string) => {
      const client = await frames(`${urlQuery}&EIO=3`);
      client.send(`40/chat?${connectQuery}`);
      await client.until('40/chat');
      client.send(subscribeTo('s'));
      client.send(eventFrame('SEND_MESSAGE', { content: { bodyText: 'x' }, topicId: 's', loopbackMetadata: 1 }));
      const frame = await client.until(/"loopbackMetadata":1/);
      return JSON.parse(frame.slice('42/chat,'.length))[1].sender._id;
    };
    expect(await senderWith(`token=${ann}&tokenType=jwt`, `token=${ben}&tokenType=jwt`)).toBe('ann');
    expect(await senderWith('x=1', `token=${ben}&tokenType=jwt`)).toBe('ben');
    expect(await senderWith(`token=${ann}&batchRoster=true`, '')).toBe('ann');
    // As bots write it, which forget the name of the second field.
    expect(await senderWith(`token=${ann}`, `token=${ann}=jwt`)).toBe('ann');
    expect(await senderWith('token=', `token=${ann}=jwt`)).toBe('ann');

    const opaque = own('opaque');
    backend.opaque.set(opaque, { active: true, sub: 'cid' });
    expect(await senderWith(`token=${opaque}&tokenType=oauth`, '')).toBe('cid');
    const guest = await connectedSpacesClient(url, { query: { token: backend.guest('guest-1'), tokenType: 'jwt' } });
    await guest.subscribe('s');
    guest.say('s', 'hello', { loopbackMetadata: {} });
    await eventually(() =>
      expect(guest.of('MESSAGE_SENT').at(-1)?.['sender']).toEqual({ _id: 'guest-1', type: 'anonymous' }),
    );
  });

  test('6.4 a bad token is told in words, and nothing that is sent afterwards is heard', async () => {
    const { backend, url } = spaces;
    const space = own('space');
    const other = await spaces.connect('other');
    await other.subscribe(space);
    const expired = backend.user('ann', { exp: 1000 });
    for (const version of oldVersions) {
      const client = spacesClient(url, { version, query: { tokenType: 'jwt', token: expired } });
      await eventually(() => expect(client.of('error')).toEqual(['The token has expired']));
      client.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space } });
      client.say(space, 'not heard');
      expect(client.of('connect')).toEqual([]);
    }
    const raw = await frames(`token=${expired}&EIO=3`);
    raw.send('40/chat?tokenType=jwt');
    await raw.until('44/chat,"The token has expired"');
    raw.send('40/nope');
    await raw.until(/^44\/nope,/);
    for (const query of ['EIO=3', 'EIO=3&token=x', `EIO=3&tokenType=service_app&token=${backend.user('ann')}`]) {
      const nobody = await frames(query);
      nobody.send('40/chat');
      await nobody.until(/^44\/chat,"/);
    }
    await settled(other);
    expect(other.of('MESSAGE_SENT')).toEqual([]);
  });
});

describe('subscribing', () => {
  test('6.5 is answered to the socket alone, with ids of two kinds', async () => {
    const [one, two, three_] = await three();
    const answers = [one, two, three_].map((client) => client.of('CHANNEL_SUBSCRIBED'));
    expect(answers.map(({ length }) => length)).toEqual([1, 1, 1]);
    for (const [answer] of answers) {
      expect(answer).toEqual({
        channel: { _id: expect.any(String), type: 'topic' },
        dtsid: expect.stringMatching(/./),
        sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    }
    expect(new Set(answers.map(([answer]) => answer?.['sessionId'])).size).toBe(3);
  });

  test('6.6 what is malformed or forbidden fails, with the channel that was asked for', async () => {
    const client = await spaces.connect('ann');
    const malformed: [unknown, unknown][] = [
      [{}, undefined],
      [{ channel: {} }, {}],
      [{ channel: 'space' }, 'space'],
      [{ channel: null }, null],
      [{ channel: { type: 'topic' } }, { type: 'topic' }],
      [{ channel: { type: 'topic', _id: '' } }, { type: 'topic', _id: '' }],
      [{ channel: { type: 'topic', _id: 7 } }, { type: 'topic', _id: 7 }],
      [{ channel: { type: 'user', _id: 's' } }, { type: 'user', _id: 's' }],
      [{ channel: { _id: 's' } }, { _id: 's' }],
      [{ channel: { connected: false } }, { connected: false }],
      ['nonsense', undefined],
      [undefined, undefined],
    ];
    for (const [body, channel] of malformed) {
      const before = client.of('SUBSCRIBE_CHANNEL_FAILED').length;
      client.emit('SUBSCRIBE_CHANNEL', body);
      const answer = await eventually(
        () => client.of('SUBSCRIBE_CHANNEL_FAILED')[before] ?? Promise.reject(new Error('none')),
      );
      expect(answer).toEqual({
        ...(channel === undefined ? {} : { channel }),
        error: { code: 'invalid.parameters', message: expect.stringMatching(/./) },
      });
    }
    const space = own('closed');
    spaces.backend.membership = (asked) => (asked === space ? 403 : 200);
    client.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space, password: 'secret' } });
    await eventually(() =>
      expect(client.of('SUBSCRIBE_CHANNEL_FAILED').at(-1)).toEqual({
        channel: { type: 'topic', _id: space },
        error: { code: 'forbidden', message: expect.any(String) },
      }),
    );
    expect(client.of('CHANNEL_SUBSCRIBED')).toEqual([]);
  });

  test('6.7 twice is answered twice, and delivers once', async () => {
    const space = own('space');
    const [client] = await three(space);
    const again = await client.subscribe(space);
    expect(again).toEqual(client.of('CHANNEL_SUBSCRIBED')[0]);
    client.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space } });
    client.say(space, 'once');
    await eventually(() => expect(client.texts(space)).toEqual(['once']));
    await settled(client);
    expect(client.texts(space)).toEqual(['once']);
  });

  test('6.8 ends for one space and no other; twice, empty and unknown do no harm', async () => {
    const [here, there] = [own('here'), own('there')];
    const [leaver, stayer] = await three(here);
    await leaver.subscribe(there);
    await stayer.subscribe(there);
    leaver.emit('UNSUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: here, password: null } });
    leaver.emit('UNSUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: here } });
    leaver.emit('UNSUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: '' } });
    leaver.emit('UNSUBSCRIBE_CHANNEL', {});
    await eventually(() =>
      expect(leaver.of('CHANNEL_UNSUBSCRIBED').map(({ channel }) => (channel as Body)['_id'])).toEqual([
        here,
        here,
        '',
        '',
      ]),
    );
    stayer.say(here, 'not for the leaver');
    stayer.say(there, 'for both');
    await eventually(() => expect(leaver.texts(there)).toEqual(['for both']));
    expect(leaver.texts(here)).toEqual([]);
    expect(leaver.of('error')).toEqual([]);
    leaver.say(here, 'no member');
    await eventually(() => expect(leaver.of('SEND_MESSAGE_FAILED')).toHaveLength(1));
  });
});

describe('messages', () => {
  test('6.9 go to everybody in the room as one, with what was sent, and the loopback to the sender alone', async () => {
    const space = own('space');
    const clients = await three(space);
    const [sender, ...others] = clients;
    const content = {
      bodyText: '<p>it&#x27;s &quot;so&quot;</p>',
      data: [{ fileId: 'f', fileSize: 1 }],
      more: { n: null },
    };
    const loopback = { deep: [{ nested: true }], text: 'ä' };
    sender.emit('SEND_MESSAGE', {
      ...{ content, category: 'task', topicId: space, version: '1.1', created: '1999-01-01T00:00:00Z' },
      ...{ mentions: [{ id: '1', type: 'user', title: 't' }], parentMsg: { _id: 'p' }, loopbackMetadata: loopback },
    });
    await eventually(() => {
      for (const client of clients) expect(client.of('MESSAGE_SENT')).toHaveLength(1);
    });
    const [first] = sender.of('MESSAGE_SENT');
    const { loopbackMetadata, ...shared } = first ?? {};
    expect(loopbackMetadata).toEqual(loopback);
    expect(shared).toEqual({
      _id: expect.stringMatching(/./),
      category: 'task',
      content,
      sender: { _id: 'user of 1.7.3', type: 'user', displayname: 'Name of user of 1.7.3' },
      topicId: space,
      created: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      version: '1.1',
      mentions: [{ id: '1', type: 'user', title: 't' }],
      parentMsg: { _id: 'p' },
    });
    for (const other of others) expect(other.of('MESSAGE_SENT')[0]).toEqual(shared);
  });

  test('6.10 to a space without a subscription fail for the sender, and reach nobody', async () => {
    const space = own('space');
    const [member, other] = await three(space);
    const outsider = await spaces.connect('outsider');
    await outsider.subscribe(own('elsewhere'));
    outsider.say(space, 'not for you');
    outsider.say(own('unknown'), 'nowhere');
    outsider.emit('SEND_MESSAGE', { content: { bodyText: 'x' }, category: 'chat' });
    await eventually(() => expect(outsider.of('SEND_MESSAGE_FAILED')).toHaveLength(3));
    const code = 'app.event.channel.subscription.required';
    for (const answer of outsider.of('SEND_MESSAGE_FAILED')) {
      expect(answer).toMatchObject({ category: 'chat', type: code, error: { code, message: expect.any(String) } });
    }
    await settled(member);
    await settled(other);
    expect([...member.of('MESSAGE_SENT'), ...other.of('MESSAGE_SENT'), ...member.of('SEND_MESSAGE_FAILED')]).toEqual(
      [],
    );
  });

  test('6.11 have the sender that the token names, whatever the client writes', async () => {
    const space = own('space');
    const [sender, other] = await three(space);
    sender.say(space, 'it is me', {
      ...{ sender: { _id: 'boss', type: 'spaceserver', displayname: 'Boss' }, _id: 'mine', topicTitle: 'x' },
      ...{ topicType: 'y', chatMessages: {} },
    });
    await eventually(() => expect(other.of('MESSAGE_SENT')).toHaveLength(1));
    const [message] = other.of('MESSAGE_SENT');
    expect(message?.['sender']).toMatchObject({ _id: 'user of 1.7.3', type: 'user' });
    expect(message?.['_id']).not.toBe('mine');
    expect(message).not.toHaveProperty('topicTitle');
  });

  test('6.15 of one space never reach another, also where a socket is in both', async () => {
    const [a, b] = [own('a'), own('b')];
    const [inA, inBoth, inB] = [await spaces.connect('1'), await spaces.connect('2'), await spaces.connect('3')];
    await inA.subscribe(a);
    await inBoth.subscribe(a);
    await inBoth.subscribe(b);
    await inB.subscribe(b);
    inBoth.say(a, 'for a');
    inBoth.say(b, 'for b');
    await eventually(() => expect([inBoth.texts(a), inBoth.texts(b)]).toEqual([['for a'], ['for b']]));
    await settled(inA);
    await settled(inB);
    expect(inA.of('MESSAGE_SENT').map(({ topicId }) => topicId)).toEqual([a]);
    expect(inB.of('MESSAGE_SENT').map(({ topicId }) => topicId)).toEqual([b]);
  });
});

describe('presence and media', () => {
  test('6.12 presence reaches the others with its session; typing too; what cannot be taken is told to the sender', async () => {
    const space = own('space');
    const [sender, two, three_] = await three(space);
    const sessionId = sender.of('CHANNEL_SUBSCRIBED')[0]?.['sessionId'];
    const online = 'app.event.presence.party.online';
    const content = { desktop: true, idle: false, offline: false, role: 'guest', mediaSession: { audio: true } };
    sender.emit('SEND_PRESENCE_EVENT', {
      category: online,
      topicId: space,
      content,
      receivers: [],
      sender: { _id: 'boss' },
    });
    sender.emit('SEND_PRESENCE_EVENT', { category: 'party.typing', topicId: space, userId: 'boss', content: {} });
    await eventually(() => expect(two.of('PRESENCE_EVENT_RESPONSE')).toHaveLength(2));
    const attendee = { attendeeType: 'userId', attendee: 'user of 1.7.3' };
    expect(two.of('PRESENCE_EVENT_RESPONSE')[0]).toEqual({
      ...{ category: online, topicId: space, receivers: [], content: { ...content, sessionId, attendee } },
      sender: { _id: 'user of 1.7.3', type: 'user', displayname: 'Name of user of 1.7.3' },
    });
    expect(two.of('PRESENCE_EVENT_RESPONSE')[1]).toMatchObject({ category: 'party.typing', userId: 'user of 1.7.3' });

    // Only those whom it names, and the sender when it has asked for it.
    const receivers = [{ _id: 'user of 2.4.0', type: 'user' }];
    two.emit('SEND_PRESENCE_EVENT', {
      category: online,
      topicId: space,
      content,
      receivers,
      loopbackMetadata: { l: 1 },
    });
    await eventually(() => expect(three_.of('PRESENCE_EVENT_RESPONSE')).toHaveLength(3));
    expect(three_.of('PRESENCE_EVENT_RESPONSE')[2]).toMatchObject({ receivers });
    expect(three_.of('PRESENCE_EVENT_RESPONSE')[2]).not.toHaveProperty('loopbackMetadata');
    await eventually(() => expect(two.of('PRESENCE_EVENT_RESPONSE')[2]).toMatchObject({ loopbackMetadata: { l: 1 } }));
    expect(sender.of('PRESENCE_EVENT_RESPONSE')).toEqual([]);

    sender.emit('SEND_PRESENCE_EVENT', { category: online, content: { topicId: space, loopbackMetadata: {} } });
    sender.emit('SEND_PRESENCE_EVENT', { category: online, topicId: own('elsewhere'), content });
    sender.emit('SEND_PRESENCE_EVENT', { topicId: space, content });
    await eventually(() => expect(sender.of('PRESENCE_EVENT_RESPONSE')).toHaveLength(3));
    for (const answer of sender.of('PRESENCE_EVENT_RESPONSE')) {
      expect(answer).toMatchObject({
        category: 'media.session.invalid',
        content: {},
        error: { code: expect.any(String) },
      });
    }
    await settled(three_);
    expect([two.of('PRESENCE_EVENT_RESPONSE').length, three_.of('PRESENCE_EVENT_RESPONSE').length]).toEqual([3, 3]);
  });

  test('6.13 media events of both spellings reach the others, with the same category', async () => {
    const space = own('space');
    const [sender, two, three_] = await three(space);
    const content = { mediaSession: { audio: true, connected: true, video: false, selfMuted: false }, streamId: 's' };
    const categories = ['trackstatus', 'tracksstatus', 'video.end', 'space.call.offer'];
    for (const category of categories) {
      sender.emit('SEND_MEDIA_SESSION_EVENTS', { category, topicId: space, content, sender: { _id: 'boss' } });
    }
    for (const other of [two, three_]) {
      await eventually(() =>
        expect(other.of('MEDIA_SESSION_RESPONSE').map(({ category }) => category)).toEqual(categories),
      );
      expect(other.of('MEDIA_SESSION_RESPONSE')[0]).toMatchObject({
        ...{ _id: expect.stringMatching(/./), topicId: space, content, modified: expect.any(String) },
        sender: { _id: 'user of 1.7.3', type: 'user' },
      });
    }
    sender.emit('SEND_MEDIA_SESSION_EVENTS', { category: 'tracksstatus', topicId: own('elsewhere'), content });
    await eventually(() =>
      expect(sender.of('MEDIA_SESSION_RESPONSE')).toMatchObject([{ category: 'media.session.invalid' }]),
    );
    sender.emit('SEND_MEDIA_SESSION_EVENTS', { category: 'video.end', topicId: space, content, loopbackMetadata: 7 });
    await eventually(() => expect(sender.of('MEDIA_SESSION_RESPONSE')[1]).toMatchObject({ loopbackMetadata: 7 }));
  });

  test('6.14 of a socket that is lost the others hear that it has left, once', async () => {
    const space = own('space');
    const [lost, polite, witness] = await three(space);
    const leaves = 'app.event.presence.party.leaves';
    lost.vanish();
    await eventually(() => expect(witness.of('PRESENCE_EVENT_RESPONSE')).toHaveLength(1));
    expect(witness.of('PRESENCE_EVENT_RESPONSE')[0]).toMatchObject({
      ...{ category: leaves, topicId: space, sender: { _id: 'user of 1.7.3' } },
      content: { offline: true, sessionId: lost.of('CHANNEL_SUBSCRIBED')[0]?.['sessionId'] },
    });
    // As most clients do: they say it themselves, and unsubscribe before or after.
    polite.emit('SEND_PRESENCE_EVENT', { category: leaves, topicId: space, content: {} });
    polite.emit('UNSUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space } });
    await settled(polite);
    polite.vanish();
    const messenger = await spaces.connect('messenger');
    await messenger.subscribe(space);
    messenger.say(space, 'all is told');
    await eventually(() => expect(witness.texts(space)).toEqual(['all is told']));
    expect(witness.of('PRESENCE_EVENT_RESPONSE').map(({ sender }) => (sender as Body)['_id'])).toEqual([
      'user of 1.7.3',
      'user of 2.0.4',
    ]);
  });
});

describe('back-ends', () => {
  test('6.16 publish what clients get as MESSAGE_SENT, and have users sent away with 41', async () => {
    const space = own('space');
    const [one, two] = await three(space);
    expect(await spaces.publish(space, { content: { bodyText: 'from behind' }, category: 'topic.updated' })).toBe(202);
    expect(await spaces.publish(space, 'only text')).toBe(202);
    expect(await spaces.publish(own('elsewhere'), 'not for them')).toBe(202);
    for (const client of [one, two]) {
      await eventually(() => expect(client.texts(space)).toEqual(['from behind', 'only text']));
      expect(client.of('MESSAGE_SENT')[0]).toMatchObject({
        ...{ _id: expect.any(String), category: 'topic.updated', topicId: space, created: expect.any(String) },
        sender: { type: 'spaceserver' },
      });
    }
    const started = { category: 'app.event.meeting.started', content: { mediaMode: 'video' } };
    await spaces.publish(space, started, { 'Spaces-Event': 'MEDIA_SESSION_RESPONSE' });
    await eventually(() => expect(one.of('MEDIA_SESSION_RESPONSE')).toMatchObject([started]));
    await spaces.publish(space, { app: { _id: 'a' } }, { 'Spaces-Event': 'APP_PAIRING_AUTHORIZED' });
    await eventually(() =>
      expect(one.of('APP_PAIRING_AUTHORIZED')).toEqual([{ app: { _id: 'a' }, channel: { type: 'topic', _id: space } }]),
    );

    const raw = await frames(`token=${spaces.backend.user('raw')}&EIO=3`);
    raw.send('40/chat');
    await raw.until('40/chat');
    raw.send(subscribeTo(space));
    await raw.until(/CHANNEL_SUBSCRIBED/);
    for (const userId of ['raw', 'user of 1.7.3']) {
      await spaces.publish(space, { userId }, { 'Spaces-Event': 'MEMBER_KICK' });
    }
    await raw.until('41/chat');
    await eventually(() => expect(one.of('disconnect')).toEqual(['io server disconnect']));
    expect(two.socket.connected).toBe(true);
  });
});

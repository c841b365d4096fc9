import { describe, expect, test } from 'vitest';
import type { Admission } from '../../src/application/ports/admission.ts';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { rawExchange } from '../support/raw-connection.ts';
import {
  admitted,
  connectError,
  connectedClient,
  rawClient,
  recordingAdmission,
  startEndpoint,
  stockClient,
  toRooms,
} from '../support/socketio-fixture.ts';

const upgrade = (target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('clients that are let in', () => {
  test('hiiretail 8.1: the stock client on /socket.io/ and namespace /, by websocket with a token', async () => {
    const { seen, admit } = recordingAdmission(['auth.token']);
    const { url, endpoint, observer } = await startEndpoint({}, admit);
    const { socket } = await connectedClient(url, [], { auth: { token: 'the token' } });
    expect(seen).toEqual([{ 'auth.token': ['the token'] }]);
    expect(endpoint.connectionCount).toBe(1);
    expect(observer.of('connection-admitted')).toEqual([
      { kind: 'connection-admitted', endpoint: 'socketio', connection: socket.id, rooms: 0 },
    ]);
  });

  test('are never offered an upgrade', async () => {
    const { url } = await startEndpoint();
    const client = await rawClient(url);
    const open = JSON.parse((await client.receives(/^0/)).slice(1)) as Record<string, unknown>;
    expect(open).toMatchObject({ upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 100_000 });
  });

  test('are known by their Socket.IO id', async () => {
    const ids: string[] = [];
    const { url } = await startEndpoint({}, async (connection) => {
      ids.push(connection);
      return admitted([]);
    });
    const { socket } = await connectedClient(url, []);
    expect(ids).toEqual([socket.id]);
  });

  test('hiiretail 8.10: present lists in the query in every encoding, and what they put elsewhere', async () => {
    const places = ['query.topics', 'query.topics[]', 'query.userToken', 'auth.number', 'auth.list', 'header.x-own'];
    const { seen, admit } = recordingAdmission(places);
    const { url } = await startEndpoint({}, admit);
    await connectedClient(url, [], {
      query: { topics: ['a.v1', 'b.v1'], userToken: undefined },
      auth: { number: 7, list: ['a'] },
      extraHeaders: { 'X-Own': 'o' },
    });
    const raw = await rawClient(url, 'EIO=4&transport=websocket&topics=a&topics=b,c&topics[]=d&userToken=u');
    raw.send('40');
    await raw.receives(/^40/);
    expect(seen).toEqual([
      {
        'query.topics': ['a.v1,b.v1'],
        'query.topics[]': ['a.v1,b.v1'],
        'query.userToken': ['undefined'],
        'auth.number': ['7'],
        'auth.list': [],
        'header.x-own': ['o'],
      },
      {
        'query.topics': ['a', 'b,c'],
        'query.topics[]': ['a', 'b,c', 'd'],
        'query.userToken': ['u'],
        'auth.number': [],
        'auth.list': [],
        'header.x-own': [],
      },
    ]);
  });

  test('may ask for as much as a 16 kB header takes', async () => {
    const { seen, admit } = recordingAdmission(['query.topics']);
    const { url } = await startEndpoint({}, admit);
    const client = await rawClient(url, `EIO=4&transport=websocket${'&topics=a'.repeat(1700)}`);
    client.send('40');
    await client.receives(/^40/);
    expect(seen[0]?.['query.topics']).toHaveLength(1700);
  });

  test('hiiretail 8.20: may send what they like, and nothing comes of it', async () => {
    const { url, endpoint, observer } = await startEndpoint();
    const { socket, received } = await connectedClient(url, ['a']);
    const other = await connectedClient(url, ['a']);
    socket.emit('a', 1);
    socket.emit('connection', Buffer.from('x'), { deep: [Buffer.from('y')] });
    let answered = false;
    socket.emit('with-ack', () => {
      answered = true;
    });
    for (let count = 0; count < 2000; count += 1) socket.emit('flood', 'x'.repeat(1000), () => undefined);
    await new Promise<void>((resolve) => socket.io.engine.once('drain', resolve));
    endpoint.deliver(eventOf({}), toRooms('a'));
    await eventually(() => expect([received.length, other.received.length]).toEqual([1, 1]));
    expect(answered).toBe(false);
    expect(endpoint.connectionCount).toBe(2);
    expect(observer.of('connection-closed')).toEqual([]);
  });
});

describe('clients that are not let in', () => {
  test('hiiretail 8.3: learn the code by connect_error, stay unconnected and do not come back', async () => {
    const denied: Admission = { kind: 'denied', denial: { code: 'token_missing', reason: 'SECRET' } };
    let asked = 0;
    const { url, endpoint, observer } = await startEndpoint({}, async () => {
      asked += 1;
      return denied;
    });
    const client = stockClient(url, { reconnectionDelay: 1, reconnectionDelayMax: 2 });
    const error = await connectError(client);
    expect([error.message, error.data]).toEqual(['A token is missing', { code: 'token_missing' }]);
    expect(JSON.stringify([error.message, error.data])).not.toContain('SECRET');
    // A second client that is let in and gone again shows that time has passed.
    expect(await connectError(stockClient(url))).toMatchObject({ data: { code: 'token_missing' } });
    expect([asked, client.socket.connected, client.socket.active]).toEqual([2, false, false]);
    expect(endpoint.connectionCount).toBe(0);
    expect(observer.of('connection-closed')).toEqual([]);
  });

  test('learn when to try again, when there is no telling now', async () => {
    const { url } = await startEndpoint({}, async () => ({ kind: 'try-later', retryAfterMs: 1234 }));
    expect(await connectError(stockClient(url))).toMatchObject({ data: { code: 'try_later', retryAfterMs: 1234 } });
  });

  test('learn the same when the admission fails in spite of its promise, and nobody else is disturbed', async () => {
    const failure = new Error('SECRET');
    const { url, observer } = await startEndpoint({}, async (_, presented) => {
      if (presented.read('auth.rooms').length === 0) throw failure;
      return admitted(['a']);
    });
    expect(await connectError(stockClient(url))).toMatchObject({ data: { code: 'try_later', retryAfterMs: 1000 } });
    expect(observer.of('access-unknown')).toMatchObject([{ endpoint: 'socketio', error: failure }]);
    await connectedClient(url, ['a']);
  });

  test('may try another token on the same connection, but not go on and on', async () => {
    let asked = 0;
    const { url } = await startEndpoint({}, async () => {
      asked += 1;
      return { kind: 'denied', denial: { code: 'token_expired', reason: 'r' } };
    });
    const client = await rawClient(url);
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      client.send('40{"token":"x"}');
      await eventually(() =>
        expect(client.messages.filter((message) => message.startsWith('44'))).toHaveLength(attempt),
      );
    }
    client.send('40{"token":"x"}');
    await client.closed;
    expect(asked).toBe(10);
  });

  test('that ask for namespaces without end are cut', async () => {
    const { url } = await startEndpoint();
    const client = await rawClient(url);
    client.send('40/foo,');
    expect(await client.receives(/^44/)).toBe('44/foo,{"message":"Invalid namespace"}');
    for (let attempt = 2; attempt <= 11; attempt += 1) client.send('40/foo,');
    await client.closed;
    expect(client.messages.filter((message) => message.startsWith('44')).length).toBeLessThanOrEqual(11);
  });

  test('are those beyond connectionsMax, until somebody leaves', async () => {
    const { url, endpoint, observer } = await startEndpoint({ connectionsMax: 2 });
    const first = await connectedClient(url, []);
    await connectedClient(url, []);
    expect(await connectError(stockClient(url))).toMatchObject({ data: { code: 'connections_too_many' } });
    expect(observer.of('access-denied')).toMatchObject([{ endpoint: 'socketio', code: 'connections_too_many' }]);
    first.socket.disconnect();
    await eventually(() => expect(endpoint.connectionCount).toBe(1));
    await connectedClient(url, []);
  });

  test('are counted while their admission lasts', async () => {
    const waiting = Promise.withResolvers<Admission>();
    const { url } = await startEndpoint({ connectionsMax: 1 }, () => waiting.promise);
    const first = await rawClient(url);
    first.send('40');
    expect(await connectError(stockClient(url))).toMatchObject({ data: { code: 'connections_too_many' } });
    waiting.resolve(admitted([]));
    await first.receives(/^40/);
  });

  test('get 503 when twice as many connections are open as are let in', async () => {
    const { url, port } = await startEndpoint({ connectionsMax: 1 });
    await rawClient(url);
    await rawClient(url);
    const answer = await rawExchange(port, upgrade('/socket.io/?EIO=4&transport=websocket'));
    expect(answer).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    expect(answer).toContain('Retry-After: 1\r\n');
  });
});

describe('connections without an admission', () => {
  test('end when no CONNECT comes', async () => {
    const { url } = await startEndpoint({ connectTimeoutMs: 100, admissionMsMax: 0 });
    const client = await rawClient(url);
    await client.closed;
    expect(client.messages).toHaveLength(1);
  });

  test('that go while they are being admitted end the admission and join nothing', async () => {
    const asked = Promise.withResolvers<AbortSignal>();
    const answer = Promise.withResolvers<Admission>();
    const { url, endpoint, observer } = await startEndpoint({}, (_, __, signal) => {
      asked.resolve(signal);
      return answer.promise;
    });
    const client = await rawClient(url);
    client.send('40');
    const signal = await asked.promise;
    expect(signal.aborted).toBe(false);
    client.websocket.terminate();
    await eventually(() => expect(signal.aborted).toBe(true));
    answer.resolve(admitted(['a']));
    await eventually(() => expect(endpoint.connectionCount).toBe(0));
    expect(endpoint.deliver(eventOf({}), toRooms('a'))).toEqual({ queued: 0, dropped: 0 });
    expect(observer.observations).toEqual([]);
  });

  test('that say CONNECT twice before they are answered are cut', async () => {
    const answer = Promise.withResolvers<Admission>();
    let asked = 0;
    const { url, endpoint } = await startEndpoint({}, () => {
      asked += 1;
      return answer.promise;
    });
    const client = await rawClient(url);
    client.send('40');
    client.send('40');
    await client.closed;
    answer.resolve(admitted(['a']));
    expect([asked, endpoint.connectionCount]).toEqual([1, 0]);
  });

  test.each([
    ['text that is no packet', 'hello'],
    ['an event before CONNECT', '42["a"]'],
    ['a packet type that does not exist', '49'],
    ['a CONNECT whose payload is no object', '40"token"'],
  ])('end on %s', async (_, message) => {
    const { url } = await startEndpoint();
    const client = await rawClient(url);
    client.send(message);
    await client.closed;
  });

  test('end on a frame of 2 MB, and on a CONNECT of 2 MB', async () => {
    const { url, endpoint } = await startEndpoint();
    const bystander = await connectedClient(url, ['a']);
    const before = await rawClient(url);
    before.send(`40{"token":"${'x'.repeat(2_000_000)}"}`);
    expect(await before.closed).toBe(1009);
    const after = await rawClient(url);
    after.send('40');
    await after.receives(/^40/);
    after.websocket.send(Buffer.alloc(2_000_000));
    expect(await after.closed).toBe(1009);
    endpoint.deliver(eventOf({}), toRooms('a'));
    await eventually(() => expect(bystander.received).toHaveLength(1));
    await eventually(() => expect(endpoint.connectionCount).toBe(1));
  });
});

describe('what is no Socket.IO by WebSocket', () => {
  test('hiiretail 8.2: polling is answered 400 "Transport unknown"', async () => {
    const { url } = await startEndpoint();
    const answer = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    expect([answer.status, await answer.text()]).toEqual([400, '{"code":0,"message":"Transport unknown"}']);
    const client = stockClient(url, { transports: ['polling'], reconnection: false });
    expect((await connectError(client)).message).toBe('xhr poll error');
  });

  test.each([
    ['hiiretail 8.23: a plain WebSocket', '', '{"code":0,"message":"Transport unknown"}'],
    ['hiiretail 2: Engine.IO 3', '?EIO=3&transport=websocket', '{"code":5,"message":"Unsupported protocol version"}'],
    ['no Engine.IO version', '?transport=websocket', '{"code":5,"message":"Unsupported protocol version"}'],
    ['another transport', '?EIO=4&transport=polling', '{"code":0,"message":"Transport unknown"}'],
  ])('%s is refused before the upgrade', async (_, query, body) => {
    const { port } = await startEndpoint();
    const answer = await rawExchange(port, upgrade(`/socket.io/${query}`));
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/\r\nContent-Type: application\/json\r\n/);
    expect(answer.split('\r\n\r\n')[1]).toBe(body);
  });

  test('a session that does not exist is refused', async () => {
    const { port } = await startEndpoint();
    const answer = await rawExchange(port, upgrade('/socket.io/?EIO=4&transport=websocket&sid=__proto__'));
    expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  });
});

describe('another namespace than /', () => {
  test('is the only one that lets clients in', async () => {
    const { url, endpoint } = await startEndpoint({ namespace: '/chat' });
    const client = await connectedClient(`${url}/chat`, ['a']);
    endpoint.deliver(eventOf({}), toRooms('a'));
    await eventually(() => expect(client.received).toHaveLength(1));
    expect(await connectError(stockClient(url))).toMatchObject({ message: 'Invalid namespace' });
    expect(await connectError(stockClient(`${url}/other`))).toMatchObject({ message: 'Invalid namespace' });
    expect(endpoint.connectionCount).toBe(1);
  });
});

describe('a client that leaves', () => {
  test('is out of its rooms at once, and its connection is closed', async () => {
    const { url, endpoint, observer } = await startEndpoint();
    const client = await rawClient(url);
    client.send('40{"rooms":"a"}');
    await client.receives(/^40/);
    expect(endpoint.deliver(eventOf({}), toRooms('a'))).toEqual({ queued: 1, dropped: 0 });
    client.send('41');
    await client.closed;
    expect(endpoint.deliver(eventOf({}), toRooms('a'))).toEqual({ queued: 0, dropped: 0 });
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'client_left' }]);
  });

  test('does not abort the admission that it had', async () => {
    const signals: AbortSignal[] = [];
    const { url, endpoint } = await startEndpoint({}, async (_, __, signal) => {
      signals.push(signal);
      return admitted(['a']);
    });
    const { socket } = await connectedClient(url, ['a']);
    socket.disconnect();
    await eventually(() => expect(endpoint.connectionCount).toBe(0));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  test('is noticed when it does not answer pings', async () => {
    const { url, endpoint, observer } = await startEndpoint({ pingIntervalMs: 100, pingTimeoutMs: 100 });
    const client = await rawClient(url);
    client.send('40');
    await eventually(() => expect(observer.of('connection-closed')).toMatchObject([{ cause: 'ping_timeout' }]));
    expect(endpoint.connectionCount).toBe(0);
  });
});

describe('two endpoints in one process', () => {
  test('do not know each other', async () => {
    const { url, endpoint, start } = await startEndpoint();
    const other = await start('other', { path: '/other/' });
    const here = await connectedClient(url, ['a']);
    const there = await connectedClient(url, ['a'], { path: '/other/' });
    expect([endpoint.connectionCount, other.connectionCount]).toEqual([1, 1]);
    other.deliver(eventOf({}, { id: '1' }), toRooms('a'));
    endpoint.deliver(eventOf({}, { id: '2' }), toRooms('a'));
    await eventually(() => {
      expect(there.received.map(([, , meta]) => meta['messageId'])).toEqual(['1']);
      expect(here.received.map(([, , meta]) => meta['messageId'])).toEqual(['2']);
    });
    await endpoint.close(new AbortController().signal);
    expect(there.socket.connected).toBe(true);
  });

  test('cannot have one path', async () => {
    const { start } = await startEndpoint();
    await expect(start('other', { path: '/socket.io' })).rejects.toMatchObject({ disposition: 'stop' });
  });
});

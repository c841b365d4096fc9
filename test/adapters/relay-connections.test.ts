import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Admission, BindAnswer } from '../../src/application/ports/admission.ts';
import type { PatternId } from '../../src/domain/stream-index.ts';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { openRawConnection, rawExchange } from '../support/raw-connection.ts';
import { settled } from '../support/relay-client.ts';
import { letIn, startRelay } from '../support/relay-fixture.ts';
import { clientFrame } from '../support/socketio-fixture.ts';

const denied: Admission = { kind: 'denied', denial: { code: 'token_expired', reason: 'it has ended' } };
const event = eventOf({}, { stream: 's', key: 'a' });

/** Admits when it is told to. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<(connection: string) => Admission>();
  const seen: { token: readonly string[]; signal: AbortSignal }[] = [];
  return {
    seen,
    decide: resolve,
    admit: async (connection: string, presented: { read(place: string): readonly string[] }, signal: AbortSignal) => {
      seen.push({ token: presented.read('query.jwt'), signal });
      return (await promise)(connection);
    },
  };
}

describe('brainlife 10.1: the upgrade', () => {
  test.each(['/subscribe', '/subscribe/', '/api/event/subscribe?jwt=x', '/api/event/subscribe/?jwt=x'])(
    'is accepted on %s before anybody is asked',
    async (path) => {
      const { admit, seen } = gate();
      const { open } = await startRelay({ paths: ['/subscribe', '/api/event/subscribe'] }, { admit });
      const client = await open(path);
      expect(client.socket.extensions).toBe('');
      expect(seen.map(({ token }) => token)).toEqual([path.includes('jwt') ? ['x'] : []]);
    },
  );

  test.each(['/', '/subscribe/x', '/other', '/Subscribe'])('is 404 on %s', async (path) => {
    const { port } = await startRelay();
    const answer = await rawExchange(
      port,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('brainlife 2: GET without an upgrade is 404', async () => {
    const { httpUrl } = await startRelay();
    expect((await fetch(`${httpUrl}/subscribe?jwt=x`)).status).toBe(404);
  });

  test('is 503 when there are as many connections as may be', async () => {
    const { url, open } = await startRelay({ connectionsMax: 1 });
    const client = await open();
    const other = new WebSocket(`${url}/subscribe`);
    const status = await new Promise((resolve) => {
      other.on('unexpected-response', (_, response) => resolve(response.statusCode));
      other.on('error', () => undefined);
    });
    expect(status).toBe(503);
    client.socket.terminate();
    await client.closed;
    await eventually(() => open());
  });
});

describe('brainlife 10.2: a client that is not let in', () => {
  test('is cut without a frame where the config says so', async () => {
    const { open, endpoint, observer } = await startRelay({ refusals: 'cut' }, { admit: async () => denied });
    const client = await open();
    expect(await client.closed).toEqual({ code: 1006, reason: '' });
    expect([client.messages.length, endpoint.connectionCount]).toEqual([0, 0]);
    expect(observer.of('connection-closed')).toEqual([]);
  });

  test('else it is told the code, and stays away', async () => {
    const { open } = await startRelay({}, { admit: async () => denied });
    expect(await (await open()).closed).toEqual({ code: 1008, reason: 'token_expired' });
  });

  test.each([
    async (): Promise<Admission> => ({ kind: 'try-later', retryAfterMs: 1000 }),
    () => Promise.reject(Error()),
  ])('where there is no telling, comes back', async (admit) => {
    const { open } = await startRelay({ refusals: 'cut' }, { admit });
    expect(await (await open()).closed).toEqual({ code: 1013, reason: 'try_later' });
  });
});

describe('what comes while the token is looked at', () => {
  test('waits, in order', async () => {
    const { admit, decide } = gate();
    const { open, bindings, deliver } = await startRelay({}, { admit });
    const client = await open();
    for (let count = 0; count < 16; count += 1) client.send({ bind: { ex: 's', key: 'a', id: count } });
    await settled(client);
    expect([client.messages.length, bindings.size]).toEqual([0, 0]);
    decide(letIn);
    await eventually(() => expect(client.messages).toHaveLength(16));
    expect(client.messages).toEqual(Array.from({ length: 16 }, (_, id) => ({ bound: { ex: 's', key: 'a', id } })));
    expect(deliver(event)).toEqual({ queued: 16, dropped: 0 });
  });

  test.each([
    ['17 messages', Array.from({ length: 17 }, () => '{}')],
    ['more than 64 kB', [`"${'x'.repeat(40_000)}"`, `"${'x'.repeat(30_000)}"`]],
  ])('is not %s', async (_, texts) => {
    const { admit, decide, seen } = gate();
    const { open } = await startRelay({}, { admit });
    const client = await open();
    for (const text of texts) client.send(text);
    expect(await client.closed).toEqual({ code: 1006, reason: '' });
    await eventually(() => expect(seen[0]?.signal.aborted).toBe(true));
    decide(letIn);
  });

  test('is forgotten with a client that goes', async () => {
    const { admit, decide, seen } = gate();
    const { open, endpoint, bindings } = await startRelay({}, { admit });
    const client = await open();
    client.bind('s', 'a');
    client.socket.terminate();
    await eventually(() => expect(seen[0]?.signal.aborted).toBe(true));
    decide(letIn);
    await turn();
    expect([endpoint.connectionCount, bindings.size]).toEqual([0, 0]);
  });
});

describe('a client that goes', () => {
  test('takes its binds with it', async () => {
    const { open, bindings, endpoint, observer } = await startRelay();
    const [one, other] = [await open(), await open()];
    await one.bound('s', 'a');
    await one.bound('s', 'b');
    await other.bound('s', 'a');
    one.socket.close(4000);
    await one.closed;
    await eventually(() => expect(bindings.size).toBe(1));
    expect(endpoint.connectionCount).toBe(1);
    expect(endpoint.deliver(event, { rooms: [], patterns: bindings.match(event) })).toEqual({ queued: 1, dropped: 0 });
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'closed_4000' }]);
  });

  test('while a bind is under way leaves nothing behind, also when the bind comes all the same', async () => {
    const { promise, resolve } = Promise.withResolvers<BindAnswer>();
    const signals: AbortSignal[] = [];
    const released: number[] = [];
    const { open, endpoint } = await startRelay(
      {},
      {
        bind: (_, __, signal) => {
          signals.push(signal);
          return promise;
        },
      },
    );
    const client = await open();
    client.bind('s', 'a');
    await eventually(() => expect(signals).toHaveLength(1));
    client.socket.terminate();
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
    resolve({ kind: 'bound', pattern: 1 as PatternId, release: () => released.push(1) });
    await turn();
    expect(released).toEqual([1]);
    expect(endpoint.deliver(event, { rooms: [], patterns: [1 as PatternId] })).toEqual({ queued: 0, dropped: 0 });
  });
});

describe('the endpoint ends a connection', () => {
  test('whose token has ended, where the config says so: come back', async () => {
    const { open, clock } = await startRelay(
      {},
      { admit: async (connection) => letIn(connection, [], clock.now() + 5000) },
    );
    const client = await open();
    await client.bound('s', 'a');
    clock.advance(5000);
    expect(await client.closed).toEqual({ code: 1013, reason: 'token_expired' });
  });

  test('that has bound nothing for too long: stay away', async () => {
    const { open, clock } = await startRelay({ idleMsMax: 1000 });
    const [idle, busy, roomed] = [await open(), await open(), await open('/subscribe?rooms=r')];
    await busy.bound('s', 'a');
    await Promise.all([settled(idle), settled(roomed)]);
    clock.advance(999);
    await settled(idle);
    clock.advance(1);
    expect(await idle.closed).toEqual({ code: 1000, reason: 'idle' });
    clock.advance(1000);
    await Promise.all([settled(busy), settled(roomed)]);
  });

  test('that has bound nothing any more for too long, counted from its last bind on', async () => {
    const { open, clock } = await startRelay({ idleMsMax: 1000 });
    const client = await open();
    for (let round = 0; round < 3; round += 1) {
      clock.advance(900);
      await client.bound('s', 'a');
      clock.advance(5000);
      client.send({ unbind: { ex: 's', key: 'a' } });
      await settled(client);
    }
    clock.advance(999);
    await settled(client);
    clock.advance(1);
    expect(await client.closed).toEqual({ code: 1000, reason: 'idle' });
  });

  test('that answers no ping', async () => {
    const { port, open, clock, endpoint } = await startRelay({ pingIntervalMs: 1000 });
    const client = await open();
    await using silent = await openRawConnection(port);
    silent.send(
      'GET /subscribe HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await eventually(() => expect(endpoint.connectionCount).toBe(2));
    clock.advance(1000);
    await settled(client);
    // A ping without a payload (RFC 6455 section 5.5.2).
    await eventually(() => expect(silent.received().slice(-2)).toBe(String.fromCharCode(0x89, 0)));
    // Whatever it says is as good as an answer.
    silent.send(clientFrame('{}'));
    await settled(client);
    clock.advance(1000);
    await settled(client);
    expect(endpoint.connectionCount).toBe(2);
    clock.advance(1000);
    await silent.closed;
    await settled(client);
    expect(endpoint.connectionCount).toBe(1);
  });

  test('that does not read, at the limit; the others get everything', async () => {
    const { open, deliver, observer, budget } = await startRelay({ sendQueueBytesMax: 200_000 });
    const [slow, other] = [await open(), await open()];
    await slow.bound('s', '#');
    await other.bound('s', '#');
    slow.socket.pause();
    let sent = 0;
    while (observer.of('connection-cut').length === 0) {
      deliver(eventOf({}, { stream: 's', payload: Buffer.from(JSON.stringify('x'.repeat(50_000))) }));
      sent += 1;
      await eventually(() => expect(other.frames.length).toBeGreaterThan(sent - 3));
    }
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'slow_reader' }]);
    await eventually(() => expect(other.frames).toHaveLength(sent));
    await eventually(() => expect(budget.bytes).toBe(0));
    slow.socket.resume();
    expect(await slow.closed).toMatchObject({ code: 1006 });
  });

  test('when the gateway closes: what is owed goes out first, then 1012', async () => {
    const { admit, decide } = gate();
    const { open, deliver, endpoint, bindings, url } = await startRelay(
      {},
      {
        admit: async (id, presented, signal) =>
          presented.read('query.wait').length > 0 ? admit(id, presented, signal) : letIn(id),
      },
    );
    const [client, waiting] = [await open(), await open('/subscribe?wait=1')];
    await client.bound('s', '#');
    for (let count = 0; count < 50; count += 1) deliver(event);
    expect(await endpoint.close(AbortSignal.timeout(5000))).toEqual({ flushed: 1, cut: 0 });
    expect(await client.closed).toEqual({ code: 1012, reason: 'gateway_closing' });
    expect(await waiting.closed).toEqual({ code: 1012, reason: 'gateway_closing' });
    expect(client.frames).toHaveLength(50);
    expect([endpoint.state.kind, bindings.size]).toEqual(['closed', 0]);
    decide(letIn);
    const late = new WebSocket(`${url}/subscribe`);
    onTestFinished(() => late.terminate());
    await expect(new Promise((_, reject) => late.on('error', reject))).rejects.toThrow('404');
  });

  test('a client that does not read when the gateway closes is cut at the deadline', async () => {
    const { open, deliver, endpoint, observer } = await startRelay({ sendQueueBytesMax: 50_000_000 });
    const client = await open();
    await client.bound('s', '#');
    client.socket.pause();
    const large = eventOf({}, { stream: 's', payload: Buffer.from(JSON.stringify('x'.repeat(1_000_000))) });
    for (let count = 0; count < 20; count += 1) deliver(large);
    expect(await endpoint.close(AbortSignal.timeout(300))).toEqual({ flushed: 0, cut: 1 });
    expect(observer.of('connection-cut')).toHaveLength(1);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 1006 });
  });
});

describe('brainlife 10.14: health', () => {
  const health = {
    paths: ['/health', '/api/event/health'],
    connectedField: 'amqp_connected',
    disconnectedMessage: 'amqp disconnected',
    corsOrigins: ['*'],
  };

  test.each(['/health', '/health/', '/api/event/health'])(
    'GET %s says how the broker is, always with 200',
    async (path) => {
      let isConnected = true;
      const { httpUrl } = await startRelay({ health }, { isConnected: () => isConnected });
      const answer = await fetch(`${httpUrl}${path}`, { headers: { origin: 'https://brainlife.io' } });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
      expect(await answer.text()).toBe('{"status":"ok","amqp_connected":true,"message":"all good"}');
      isConnected = false;
      expect(await (await fetch(`${httpUrl}${path}`)).text()).toBe(
        '{"status":"failed","amqp_connected":false,"message":"amqp disconnected"}',
      );
    },
  );

  test('a preflight, other methods and what is below', async () => {
    const { httpUrl } = await startRelay({ health: { ...health, corsOrigins: ['https://a.example'] } });
    const ask = (method: string, path = '/health', origin = 'https://a.example') =>
      fetch(`${httpUrl}${path}`, { method, headers: { origin } });
    const preflight = await ask('OPTIONS');
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET,HEAD,PUT,PATCH,POST,DELETE',
    ]);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://a.example');
    expect((await ask('GET', '/health', 'https://b.example')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('HEAD')).status).toBe(200);
    expect((await ask('POST')).status).toBe(405);
    expect((await ask('GET', '/health/more')).status).toBe(404);
  });

  test('is not there where the config has none', async () => {
    const { httpUrl } = await startRelay();
    expect((await fetch(`${httpUrl}/health`)).status).toBe(404);
  });
});

import { describe, expect, test } from 'vitest';
import type { Admission } from '../../src/application/ports/admission.ts';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { rawExchange } from '../support/raw-connection.ts';
import {
  admitted,
  clientFrame,
  connectedClient,
  rawClient,
  startEndpoint,
  tcpClient,
  toRooms,
} from '../support/socketio-fixture.ts';

const eventNumber = (id: number, size: number) =>
  eventOf({}, { id: String(id), payload: new TextEncoder().encode(JSON.stringify('x'.repeat(size))) });
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const never = () => new AbortController().signal;

test.each([
  ['what Engine.IO cannot read', clientFrame('9')],
  ['a frame of no kind', Buffer.of(0x85, 0x80, 0, 0, 0, 0)],
  ['a close frame', Buffer.of(0x88, 0x80, 0, 0, 0, 0)],
])('a client that sends %s and keeps its side open is soon gone', async (_, frame) => {
  const { port, endpoint, sockets } = await startEndpoint();
  const client = await tcpClient(port, ['a']);
  client.send(frame);
  await eventually(() => expect([endpoint.connectionCount, sockets[0]?.destroyed]).toEqual([0, true]));
});

describe('a gateway that closes', () => {
  test('writes what is queued, then lets the stock client come back by itself', async () => {
    const { url, endpoint, start, observer } = await startEndpoint();
    const clients = await Promise.all(upTo(3).map(() => connectedClient(url, ['a'])));
    const reasons = clients.map(({ socket }) => new Promise((resolve) => socket.once('disconnect', resolve)));
    for (const id of upTo(200)) endpoint.deliver(eventNumber(id, 4000), toRooms('a'));
    expect(await endpoint.close(never())).toEqual({ flushed: 3, cut: 0 });
    expect([endpoint.state.kind, endpoint.connectionCount]).toEqual(['closed', 0]);
    expect(await Promise.all(reasons)).toEqual(upTo(3).map(() => 'transport close'));
    for (const { received } of clients) {
      expect(received.map(([, , meta]) => meta['messageId'])).toEqual(upTo(200).map(String));
    }
    expect(observer.of('connection-closed').map(({ cause }) => cause)).toEqual(upTo(3).map(() => 'gateway_closing'));
    const next = await start('next', {});
    await eventually(() => expect(next.connectionCount).toBe(3));
  });

  test('cuts those that have not read everything by the deadline, once', async () => {
    const { url, port, endpoint, observer, budget } = await startEndpoint({ sendQueueBytesMax: 100_000_000 });
    const reader = await connectedClient(url, ['a']);
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    let id = 0;
    while (budget.bytes === 0 || id < 300) {
      endpoint.deliver(eventNumber(id, 50_000), toRooms('a'));
      id += 1;
      await eventually(() => expect(reader.received.length).toBeGreaterThan(id - 3));
    }
    await eventually(() => expect(reader.received).toHaveLength(id));
    const deadline = new AbortController();
    const closing = endpoint.close(deadline.signal);
    expect(endpoint.close(never())).toBe(closing);
    expect(endpoint.state.kind).toBe('closing');
    deadline.abort();
    expect(await closing).toEqual({ flushed: 1, cut: 1 });
    expect(observer.of('connection-cut')).toHaveLength(1);
    expect(observer.of('connection-closed')).toHaveLength(2);
    expect(budget.bytes).toBe(0);
  });

  test('lets nobody in any more', async () => {
    const answer = Promise.withResolvers<Admission>();
    const settings = { sendQueueBytesMax: 100_000_000, connectTimeoutMs: 3_600_000 };
    const { url, port, endpoint } = await startEndpoint(settings, (_, presented) =>
      presented.read('auth.rooms').length > 0 ? Promise.resolve(admitted(['a'])) : answer.promise,
    );
    const slow = await tcpClient(port, ['a']);
    const opened = await rawClient(url);
    const asking = await rawClient(url);
    asking.send('40');
    slow.socket.pause();
    for (const id of upTo(400)) endpoint.deliver(eventNumber(id, 50_000), toRooms('a'));
    const deadline = new AbortController();
    const closing = endpoint.close(deadline.signal);
    const refused = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    const upgrade =
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n' +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    expect(await rawExchange(port, upgrade)).toMatch(/^HTTP\/1.1 503 /);
    await Promise.all([opened.closed, asking.closed]);
    answer.resolve(admitted(['a']));
    expect(endpoint.connectionCount).toBe(1);
    deadline.abort();
    expect(await closing).toEqual({ flushed: 0, cut: 1 });
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(404);
  });

  test('does not let in whose admission comes right after it', async () => {
    const answer = Promise.withResolvers<Admission>();
    const asked = Promise.withResolvers<void>();
    const { url, endpoint, observer } = await startEndpoint({}, () => {
      asked.resolve();
      return answer.promise;
    });
    const client = await rawClient(url);
    client.send('40');
    await asked.promise;
    answer.resolve(admitted(['a']));
    expect(await endpoint.close(never())).toEqual({ flushed: 0, cut: 0 });
    await client.closed;
    expect(observer.observations).toEqual([]);
    expect(endpoint.deliver(eventNumber(1, 0), toRooms('a'))).toEqual({ queued: 0, dropped: 0 });
  });

  test('does not keep a connection that is opening just then', async () => {
    const settings = { sendQueueBytesMax: 100_000_000, connectTimeoutMs: 3_600_000 };
    const { url, port, endpoint, hooks } = await startEndpoint(settings);
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    for (const id of upTo(400)) endpoint.deliver(eventNumber(id, 50_000), toRooms('a'));
    const deadline = new AbortController();
    const closing = new Promise((resolve) => {
      hooks.upgraded = () => resolve(endpoint.close(deadline.signal));
    });
    const client = await rawClient(url);
    await client.closed;
    expect(endpoint.state.kind).toBe('closing');
    deadline.abort();
    expect(await closing).toEqual({ flushed: 0, cut: 1 });
  });

  test('waits for no answer of its clients', async () => {
    const { port, endpoint, sockets } = await startEndpoint();
    await tcpClient(port, ['a']);
    expect(await endpoint.close(never())).toEqual({ flushed: 1, cut: 0 });
    await eventually(() => expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]));
  });

  test('is closed at once when nobody is there', async () => {
    const { endpoint } = await startEndpoint();
    expect(await endpoint.close(never())).toEqual({ flushed: 0, cut: 0 });
  });
});

describe('a token that ends', () => {
  test('ends the connection, and the stock client comes back with another one', async () => {
    let lasts = 60_000;
    const { url, endpoint, clock, observer } = await startEndpoint({}, async () => {
      const admission = admitted(['a'], clock.now() + lasts);
      lasts = 10 ** 12;
      return admission;
    });
    const { socket } = await connectedClient(url, ['a']);
    const { id } = socket;
    const gone = new Promise((resolve) => socket.once('disconnect', resolve));
    clock.advance(59_999);
    expect(endpoint.connectionCount).toBe(1);
    clock.advance(1);
    expect(endpoint.connectionCount).toBe(0);
    expect(await gone).toBe('transport close');
    await eventually(() => expect(socket.connected).toBe(true));
    expect(socket.id).not.toBe(id);
    expect(observer.of('connection-closed')).toMatchObject([{ connection: id, cause: 'token_expired' }]);
  });

  test('is not waited for when the client has gone', async () => {
    const { url, endpoint, clock } = await startEndpoint({}, async () => admitted([], clock.now() + 1000));
    const { socket } = await connectedClient(url, []);
    expect(clock.pending).toBe(1);
    socket.disconnect();
    await eventually(() => expect([clock.pending, endpoint.connectionCount]).toEqual([0, 0]));
  });
});

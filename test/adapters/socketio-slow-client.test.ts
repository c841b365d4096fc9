import type { Socket as TcpSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import {
  clientFrame,
  connectedClient,
  rawClient,
  type StockClient,
  startEndpoint,
  tcpClient,
  toRooms,
} from '../support/socketio-fixture.ts';

const eventNumber = (id: number, size: number) =>
  eventOf({}, { id: String(id), payload: new TextEncoder().encode(JSON.stringify('x'.repeat(size))) });
const idsOf = ({ received }: StockClient) => received.map(([, , meta]) => Number(meta['messageId']));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a client that does not read', () => {
  test('is cut at the limit under a firehose; the others get everything in order', async () => {
    const { url, port, endpoint, observer, budget } = await startEndpoint({ sendQueueBytesMax: 200_000 });
    const first = await connectedClient(url, ['a']);
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    const last = await connectedClient(url, ['a']);

    let sent = 0;
    while (observer.of('connection-cut').length === 0) {
      endpoint.deliver(eventNumber(sent, 50_000), toRooms('a'));
      sent += 1;
      await eventually(() => expect(Math.min(first.received.length, last.received.length)).toBeGreaterThan(sent - 3));
    }
    const [cut] = observer.of('connection-cut');
    expect(cut?.queuedBytes).toBeGreaterThan(200_000);
    expect(cut?.queuedBytes).toBeLessThan(260_000);
    expect(observer.of('connection-closed')).toMatchObject([{ connection: cut?.connection, cause: 'slow_reader' }]);
    expect(endpoint.connectionCount).toBe(2);

    for (const _ of upTo(20)) {
      expect(endpoint.deliver(eventNumber(sent, 1000), toRooms('a'))).toEqual({ queued: 2, dropped: 0 });
      sent += 1;
    }
    await eventually(() => expect([idsOf(first), idsOf(last)]).toEqual([upTo(sent), upTo(sent)]));
    await eventually(() => expect(budget.bytes).toBe(0));
    slow.socket.resume();
    await slow.closed;
    expect([observer.of('connection-cut').length, observer.of('connection-closed').length]).toEqual([1, 1]);
  });

  test('counts as dropped in the delivery that it is cut for', async () => {
    const { port, endpoint, observer } = await startEndpoint({ sendQueueBytesMax: 20_000 });
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    const counts: { readonly queued: number; readonly dropped: number }[] = [];
    while (observer.of('connection-cut').length === 0) {
      counts.push(endpoint.deliver(eventNumber(0, 10_000), toRooms('a')));
      await turn();
    }
    expect(counts.pop()).toEqual({ queued: 0, dropped: 1 });
    expect(counts.every(({ queued, dropped }) => queued === 1 && dropped === 0)).toBe(true);
    expect(endpoint.deliver(eventNumber(0, 0), toRooms('a'))).toEqual({ queued: 0, dropped: 0 });
  });

  test('puts the process under pressure, which is gone as soon as it reads', async () => {
    const settings = { sendQueueBytesMax: 100_000_000 };
    const { port, endpoint, budget, pressure } = await startEndpoint(settings, undefined, 1_000_000);
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    while (pressure.length === 0) {
      endpoint.deliver(eventNumber(0, 50_000), toRooms('a'));
      await turn();
    }
    expect(pressure).toEqual([true]);
    expect(budget.bytes).toBeGreaterThan(1_000_000);
    slow.socket.resume();
    await eventually(() => expect([pressure, budget.bytes]).toEqual([[true, false], 0]));
  });

  test('or that goes, takes its share of the pressure with it', async () => {
    const settings = { sendQueueBytesMax: 100_000_000 };
    const { port, endpoint, budget, pressure } = await startEndpoint(settings, undefined, 1_000_000);
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    while (pressure.length === 0) {
      endpoint.deliver(eventNumber(0, 50_000), toRooms('a'));
      await turn();
    }
    slow.socket.destroy();
    await eventually(() => expect([pressure, budget.bytes]).toEqual([[true, false], 0]));
  });

  test('or answer pings is cut with what it was owed', async () => {
    const settings = { sendQueueBytesMax: 100_000_000, pingIntervalMs: 100, pingTimeoutMs: 100 };
    const { port, endpoint, observer, budget, sockets } = await startEndpoint(settings);
    const slow = await tcpClient(port, ['a']);
    slow.socket.pause();
    for (const id of upTo(400)) endpoint.deliver(eventNumber(id, 50_000), toRooms('a'));
    await eventually(() => expect(observer.of('connection-closed')).toMatchObject([{ cause: 'ping_timeout' }]));
    expect(budget.bytes).toBe(0);
    await eventually(() => expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]));
  });

  test('is cut in the end when it sends pings and reads no answers', async () => {
    const { url, endpoint } = await startEndpoint();
    const flooding = await rawClient(url);
    flooding.send('40{"rooms":"a"}');
    await flooding.receives(/^40/);
    flooding.websocket.pause();
    const ping = Buffer.alloc(125);
    while (flooding.websocket.readyState === flooding.websocket.OPEN && endpoint.connectionCount === 1) {
      for (const _ of upTo(1000)) flooding.websocket.ping(ping, true, () => undefined);
      await turn();
    }
    await eventually(() => expect(endpoint.connectionCount).toBe(0));
  });
});

describe('clients that read nothing and answer every ping', () => {
  test('are cut under pressure, each below its own limit, and clients of other tenants go on', async () => {
    const settings = { sendQueueBytesMax: 100_000_000, pingIntervalMs: 200, pingTimeoutMs: 1000 };
    const fixture = await startEndpoint(settings, undefined, 2_000_000);
    const { url, port, endpoint, observer, budget, clock, pressure } = fixture;
    const healthy = await connectedClient(url, ['b']);
    for (const _ of upTo(4)) await deafClient(port, 'a');
    let sent = 0;
    while (endpoint.connectionCount > 1) {
      while (!pressure.at(-1)) {
        endpoint.deliver(eventNumber(0, 50_000), toRooms('a'));
        await turn();
      }
      await eventually(() => {
        clock.advance(1000);
        expect(pressure.at(-1)).toBe(false);
      });
      expect(endpoint.deliver(eventNumber(sent, 1000), toRooms('b'))).toEqual({ queued: 1, dropped: 0 });
      sent += 1;
      await eventually(() => expect(idsOf(healthy)).toEqual(upTo(sent)));
    }
    expect(observer.of('connection-cut')).toHaveLength(4);
    expect(observer.of('connection-closed').map(({ cause }) => cause)).toEqual(upTo(4).map(() => 'slow_reader'));
    await eventually(() => expect([budget.bytes, clock.pending]).toEqual([0, 0]));
    expect(healthy.socket.connected).toBe(true);
  });
});

/** Is never cut for its pings: it sends a pong before it is asked. */
async function deafClient(port: number, room: string): Promise<void> {
  const { socket } = await tcpClient(port, [room]);
  socket.pause();
  const pongs = setInterval(() => socket.write(clientFrame('3')), 50);
  onTestFinished(() => clearInterval(pongs));
  socket.once('close', () => clearInterval(pongs));
}

type WithTcpSocket = { readonly transport: { readonly ws: { readonly _socket: TcpSocket } } };

describe('the stock client', () => {
  test('comes back by itself when it was cut', async () => {
    const { url, endpoint, observer } = await startEndpoint({ sendQueueBytesMax: 1024 });
    const client = await connectedClient(url, ['a']);
    const { id } = client.socket;
    const gone = new Promise<string>((resolve) => client.socket.once('disconnect', resolve));
    const { _socket: tcp } = (client.socket.io.engine as unknown as WithTcpSocket).transport.ws;
    tcp.pause();
    await eventually(() => {
      for (const each of upTo(3)) endpoint.deliver(eventNumber(each, 100_000), toRooms('a'));
      expect(observer.of('connection-cut')).toHaveLength(1);
    });
    tcp.resume();
    expect(await gone).toBe('transport close');
    await eventually(() => expect([client.socket.connected, endpoint.connectionCount]).toEqual([true, 1]));
    expect(client.socket.id).not.toBe(id);
    endpoint.deliver(eventNumber(7, 0), toRooms('a'));
    await eventually(() => expect(idsOf(client)).toContain(7));
  });
});

import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { followConnections } from '../../src/adapters/outbound/socketio/follow-connections.ts';
import { createSocketioServer } from '../../src/adapters/outbound/socketio/socketio-server.ts';
import { socketioSettings } from '../../src/adapters/outbound/socketio/socketio-settings.ts';
import { eventually } from '../support/eventually.ts';
import { memoryUsedBytes } from '../support/heap-used.ts';
import { startListener } from '../support/listener-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startRelay } from '../support/relay-fixture.ts';
import { startHub } from '../support/signalr-fixture.ts';
import { rawClient, startEndpoint, stockClient } from '../support/socketio-fixture.ts';
import { startSpacesEndpoint } from '../support/spaces-endpoint-fixture.ts';

/** A message of a client, masked with zeros. */
const frame = (text: string) => Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

const engine = '/socket.io/?EIO=4&transport=websocket';
const count = 300;

type Case = {
  readonly name: string;
  readonly start: () => Promise<{ readonly port: number; readonly endpoint: { readonly connectionCount: number } }>;
  readonly path: string;
  /** What is said when the server has said `upgrades`, which Engine.IO does first, or else right behind the upgrade. */
  readonly first?: string;
  readonly bytesMax: number;
};

/** What such a pair takes, and a fifth or so more. */
const cases: readonly Case[] = [
  { name: 'Socket.IO', start: () => startEndpoint(), path: engine, first: '40{"rooms":"a"}', bytesMax: 10_500 },
  {
    name: 'spaces',
    start: () => startSpacesEndpoint(),
    path: engine,
    first: '40/chat,{"token":"ann"}',
    bytesMax: 11_500,
  },
  { name: 'the relay', start: () => startRelay(), path: '/subscribe?rooms=a', bytesMax: 6500 },
  {
    name: 'a hub',
    start: () => startHub(),
    path: '/hub',
    first: '{"protocol":"json","version":1}\x1e',
    bytesMax: 7500,
  },
];

describe('an idle connection', () => {
  test.each(cases)('of $name takes few bytes, its client included', async ({ start, path, first, bytesMax }) => {
    const { port, endpoint } = await start();
    const sockets = new Set<{ destroy(): unknown }>();
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const open = () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('data', hear).on('error', ignore);
      sockets.add(socket);
      const key = 'dGhlIHNhbXBsZSBub25jZQ==';
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`);
      socket.write(`Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
      if (first !== undefined && path !== engine) socket.write(frame(first));
    };
    function hear(this: Socket, data: Buffer): void {
      if (first !== undefined && data.includes('"upgrades"')) this.write(frame(first));
    }
    const openMany = async (total: number) => {
      while (sockets.size < total) open();
      await eventually(() => expect(endpoint.connectionCount).toBe(total));
    };
    // What is made once is made by the first.
    await openMany(count);
    const before = await settledBytes();
    await openMany(2 * count);
    await eventually(() => expect((memoryUsedBytes() - before) / count).toBeLessThan(bytesMax));
  });
});

function ignore(): void {}

/** What is in use when what earlier tests have left is gone, some of which goes only with a turn of the event loop. */
async function settledBytes(): Promise<number> {
  let bytes = memoryUsedBytes();
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    bytes = memoryUsedBytes();
  }
  return bytes;
}

/** An engine behind a listener, with everybody who is connected. */
async function startEngine(own: Readonly<Record<string, unknown>> = {}) {
  const { listener, address, [Symbol.asyncDispose]: stop } = await startListener();
  onTestFinished(stop);
  const settings = socketioSettings.parse(own);
  const { io, engine } = createSocketioServer(settings);
  const connections = followConnections(engine, settings, new ManualClock(), () => true);
  listener.onUpgrade('/socket.io/', (request, socket, head) => engine.handleUpgrade(request, socket, head));
  listener.onRequest('/socket.io/', (request, response) => engine.handleRequest(request, response));
  return { io, engine, connections, url: address.url };
}

describe('Engine.IO, as it is used here', () => {
  test.each([{ transports: ['websocket'] }, { transports: ['polling', 'websocket'] }])(
    'has no listener at a WebSocket, its transport or its end: $transports',
    async ({ transports }) => {
      const { io, engine, connections, url } = await startEngine({ allowPolling: true });
      const { socket } = stockClient(url, { transports });
      const conn = await new Promise<Insides>((resolve) =>
        io.on('connection', (each) => resolve(each.conn as unknown as Insides)),
      );
      await eventually(() => {
        expect(conn.transport.name).toBe('websocket');
        expect(conn.transport.eventNames()).toEqual([]);
      });
      expect(conn.transport.socket.eventNames()).toEqual([]);
      expect(conn.cleanupFn).toEqual([]);
      // Socket.IO's, and the one of all connections.
      expect(conn.listenerCount('close')).toBe(2);
      expect([engine.clientsCount, connections.size]).toEqual([1, 1]);
      socket.disconnect();
      await eventually(() => expect([engine.clientsCount, connections.size]).toEqual([0, 0]));
      expect(Reflect.get(engine, 'clients')).toEqual({});
    },
  );

  test('keeps no listener of a middleware’s at the socket of an upgrade', async () => {
    const { url, sockets } = await startEndpoint();
    await rawClient(url);
    // The listener's own, and that of ws.
    await eventually(() => expect(sockets.map((socket) => socket.listenerCount('close'))).toEqual([2]));
  });
});

type Emitter = { eventNames(): readonly unknown[]; listenerCount(name: string): number };
type Insides = Emitter & {
  readonly cleanupFn: readonly unknown[];
  readonly transport: Emitter & { readonly name: string; readonly socket: Emitter };
};

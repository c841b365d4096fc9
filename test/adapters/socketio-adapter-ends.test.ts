import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { heapUsedBytes } from '../support/heap-used.ts';
import { type AdapterClient, clientEndOf, startAdapter, upTo } from '../support/socketio-adapter-fixture.ts';

/** Resolves with the reason that the client has. */
const goneOf = ({ socket }: AdapterClient): Promise<string> =>
  new Promise((resolve) => void socket.once('disconnect', resolve));

type Io = Awaited<ReturnType<typeof startAdapter>>['io'];

describe.each(['websocket', 'polling'])('on %s, what is broadcast right before the end arrives', (transport) => {
  test.each<[string, string, (io: Io, client: AdapterClient) => unknown]>([
    ['the socket is disconnected', 'io server disconnect', (_, { server }) => server.disconnect()],
    ['its connection is closed', 'io server disconnect', (_, { server }) => server.disconnect(true)],
    ['all sockets are disconnected', 'io server disconnect', (io) => io.disconnectSockets(true)],
    [
      'those of a room are disconnected',
      'io server disconnect',
      (io, { server }) => io.in(server.id).disconnectSockets(),
    ],
    ['Engine.IO closes the connection', 'transport close', (_, { server }) => server.conn.close()],
  ])('when %s', async (_, reason, end) => {
    const { io, client } = await startAdapter();
    const one = await client({ transports: [transport] });
    const gone = goneOf(one);
    io.emit('a', 1);
    io.emit('a', 2, Buffer.from('b'));
    end(io, one);
    io.emit('late');
    expect(await gone).toBe(reason);
    expect(one.received).toEqual([
      ['a', 1],
      ['a', 2, Buffer.from('b')],
    ]);
    await eventually(() => expect(io.engine.clientsCount).toBe(one.socket.io.engine.readyState === 'open' ? 1 : 0));
  });
});

describe('the end of a connection', () => {
  test('brings what was broadcast, when the server closes', async () => {
    const { io, client } = await startAdapter();
    const one = await client();
    const gone = goneOf(one);
    io.emit('a', 1);
    await Promise.all([io.close(), gone]);
    expect(one.received).toEqual([['a', 1]]);
  });

  test('brings what waits behind a write, when the client reads late', async () => {
    const { io, client } = await startAdapter({ sendQueueBytesMax: 100_000_000 });
    const one = await client();
    clientEndOf(one).pause();
    for (const n of upTo(40)) {
      io.emit('a', n, 'x'.repeat(400_000));
      if (n % 3 === 0) await turn();
    }
    one.server.conn.close();
    const gone = goneOf(one);
    clientEndOf(one).resume();
    await gone;
    expect(one.received.map(([, n]) => n)).toEqual(upTo(40));
  });

  test('brings what waits behind what was sent to one client alone, when the client reads late', async () => {
    const { io, client } = await startAdapter();
    const one = await client();
    clientEndOf(one).pause();
    one.server.emit('a', 0, 'x'.repeat(8_000_000));
    one.server.emit('a', 1);
    io.emit('a', 2);
    one.server.conn.close();
    const gone = goneOf(one);
    await turn();
    clientEndOf(one).resume();
    await gone;
    expect(one.received.map(([, n]) => n)).toEqual(upTo(3));
  });

  test('leaves nothing behind', async () => {
    const { io, client } = await startAdapter();
    const connections: WeakRef<object>[] = [];
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      for (const _ of upTo(5)) {
        const one = await client({ transports });
        connections.push(new WeakRef(one.server.conn), new WeakRef(one.server));
        io.emit('a');
        await eventually(() => expect(one.received.length).toBeGreaterThan(0));
        io.emit('b');
        one.socket.disconnect();
      }
    }
    await eventually(() => expect(io.engine.clientsCount).toBe(0));
    await eventually(() => {
      heapUsedBytes();
      expect(connections.filter((connection) => connection.deref()).length).toBe(0);
    });
  });
});

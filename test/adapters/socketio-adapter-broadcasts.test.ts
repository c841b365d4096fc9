import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import { Server } from 'socket.io';
import { Adapter } from 'socket.io-adapter';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createAdapter } from '../../src/adapters/outbound/socketio/create-adapter.ts';
import { eventually } from '../support/eventually.ts';
import { type AdapterClient, startAdapter, upTo } from '../support/socketio-adapter-fixture.ts';

/** After something that comes to everybody, whatever was to come has come. */
async function settled(clients: readonly AdapterClient[]): Promise<void> {
  for (const { server } of clients) server.emit('done');
  await eventually(() => {
    for (const { received } of clients) expect(received.at(-1)).toEqual(['done']);
  });
  for (const { received } of clients) received.pop();
}

const received = (clients: readonly AdapterClient[]) => clients.map((client) => client.received);

// The cases of Socket.IO's own tests: messaging-many.ts, utility-methods.ts, socket.ts, namespaces.ts (4.8).
describe.each(['websocket', 'polling'])('on %s', (transport) => {
  const start = async (count = 3) => {
    const { io, client, clientIn } = await startAdapter();
    const clients: AdapterClient[] = [];
    for (const _ of upTo(count)) clients.push(await client({ transports: [transport] }));
    const [one, two, three] = clients as [AdapterClient, AdapterClient, AdapterClient];
    return { io, client, clientIn, clients, one, two, three };
  };

  test('everybody of a namespace is sent it, and nobody of another', async () => {
    const { io, client, clients } = await start(2);
    io.of('/test').on('connection', () => {});
    const other = await client({ nsp: '/test', transports: [transport] });
    io.emit('a', 'b');
    io.emit('bin', Buffer.alloc(10));
    io.of('/test').emit('c', 'd');
    await settled([...clients, other]);
    const both = [
      ['a', 'b'],
      ['bin', Buffer.alloc(10)],
    ];
    expect(received([...clients, other])).toEqual([both, both, [['c', 'd']]]);
  });

  test('a socket sends to the rest', async () => {
    const { clients, two } = await start();
    two.server.broadcast.emit('a', 'b');
    await settled(clients);
    expect(received(clients)).toEqual([[['a', 'b']], [], [['a', 'b']]]);
  });

  test('rooms are sent to once, whoever is in several of them', async () => {
    const { io, clients, one, two } = await start();
    await one.server.join(['woot', 'test']);
    await two.server.join('third');
    io.in('woot').in('test').emit('a');
    io.in('third').emit('b');
    io.to('nobody').emit('c');
    await settled(clients);
    expect(received(clients)).toEqual([[['a']], [['b']], []]);
  });

  test('a socket sends to rooms that it may be in itself, text and bytes', async () => {
    const { clients, one, two, three } = await start();
    await one.server.join('woot');
    await two.server.join('test');
    await three.server.join('test');
    three.server.broadcast.to('test').emit('a');
    three.server.emit('b');
    three.server.to('test').emit('bin', Buffer.alloc(5));
    three.server.emit('bin2', Buffer.alloc(5));
    await settled(clients);
    expect(received(clients)).toEqual([[], [['a'], ['bin', Buffer.alloc(5)]], [['b'], ['bin2', Buffer.alloc(5)]]]);
  });

  test('sockets and rooms are left out', async () => {
    const { io, clients, one, two, three } = await start();
    await one.server.join('room1');
    io.except('room1').emit('a');
    io.except(two.server.id).emit('b');
    three.server.broadcast.except('room1').emit('c');
    io.to('room1').except(one.server.id).emit('d');
    io.local.except(['room1', three.server.id]).emit('e', Buffer.from('e'));
    await settled(clients);
    expect(received(clients)).toEqual([[['b']], [['a'], ['c'], ['e', Buffer.from('e')]], [['a'], ['b']]]);
  });

  test('everybody is asked, and everybody has answered', async () => {
    const { io, clients } = await start();
    for (const [index, { socket }] of clients.entries()) socket.on('some event', (...args) => args.at(-1)(index));
    await new Promise<void>((resolve) => {
      io.timeout(20_000).emit('some event', (error: unknown, answers: number[]) => {
        expect([error, new Set(answers)]).toEqual([null, new Set([0, 1, 2])]);
        resolve();
      });
    });
    expect(new Set(await io.timeout(20_000).emitWithAck('some event', Buffer.from('b')))).toEqual(new Set([0, 1, 2]));
    expect(await io.to('nobody').timeout(20_000).emitWithAck('some event')).toEqual([]);
    for (const { server } of clients) expect((server as unknown as { acks: Map<number, unknown> }).acks.size).toBe(0);
  });

  test('who does not answer in time is told of', async () => {
    const { io, one, two, three } = await start();
    one.socket.on('some event', (answer) => answer(1));
    two.socket.on('some event', (answer) => answer(2));
    three.socket.on('some event', () => {});
    const failure = await io
      .timeout(200)
      .emitWithAck('some event')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(new Set((failure as { responses: number[] }).responses)).toEqual(new Set([1, 2]));
    for (const [, socket] of io.sockets.sockets) {
      expect((socket as unknown as { acks: Map<number, unknown> }).acks.size).toBe(0);
    }
  });

  test('a socket is asked, and times out', async () => {
    const { one } = await start(1);
    one.socket.on('echo', (value, answer) => answer(value));
    expect(await one.server.timeout(20_000).emitWithAck('echo', 42)).toBe(42);
    await expect(one.server.timeout(50).emitWithAck('unknown')).rejects.toThrow('timed out');
  });

  test('sockets are found, join, leave and are disconnected', async () => {
    const { io, clients, one, two, three } = await start();
    await one.server.join(['room1', 'room2']);
    await two.server.join('room1');
    await three.server.join('room2');
    expect((await io.fetchSockets()).length).toBe(3);
    expect(new Set((await io.in('room1').fetchSockets()).map(({ id }) => id))).toEqual(
      new Set([one.server.id, two.server.id]),
    );
    io.in('room1').socketsJoin('room3');
    expect(clients.map(({ server }) => server.rooms.has('room3'))).toEqual([true, true, false]);
    io.in('room2').socketsLeave('room1');
    expect(clients.map(({ server }) => server.rooms.has('room1'))).toEqual([false, true, false]);
    const [remote] = await io.in(one.server.id).fetchSockets();
    remote?.emit('alone', 1);
    io.in('room2').disconnectSockets(true);
    await eventually(() => expect(clients.map(({ socket }) => socket.connected)).toEqual([false, true, false]));
    expect(one.received).toEqual([['alone', 1]]);
  });

  test('listeners to what goes out hear it once for each socket', async () => {
    const { io, one, two } = await start(2);
    const heard: unknown[] = [];
    one.server.onAnyOutgoing((...args) => heard.push(['one', ...args]));
    two.server.prependAnyOutgoing((...args) => heard.push(['two', ...args]));
    io.emit('my-event', '123');
    one.server.emit('own', Uint8Array.of(1, 2, 3));
    expect(heard).toEqual([
      ['one', 'my-event', '123'],
      ['two', 'my-event', '123'],
      ['one', 'own', Uint8Array.of(1, 2, 3)],
    ]);
    await settled([one, two]);
  });

  test('a listener to what goes out may broadcast itself', async () => {
    const { io, clients, one } = await start(2);
    one.server.onAnyOutgoing((name) => void (name === 'a' && io.emit('b', Buffer.from('nested'))));
    io.emit('a', Buffer.from('outer'));
    await settled(clients);
    // As with the stock adapter: who comes first in the outer broadcast gets the inner one before.
    expect(one.received).toEqual([
      ['b', Buffer.from('nested')],
      ['a', Buffer.from('outer')],
    ]);
    expect(clients[1]?.received.map(([name]) => name)).toEqual(['b', 'a']);
  });

  test.each([
    ['a regular event', false, 'text'],
    ['a volatile event', true, 'text'],
    ['a volatile event of bytes', true, Buffer.from([1, 2, 3])],
  ])('a volatile event right after %s is dropped, broadcast or not', async (_, first, payload) => {
    const { io, clients, one } = await start(2);
    await settled(clients);
    await eventually(() => {
      for (const { server } of clients) expect(server.conn.transport.writable).toBe(true);
    });
    (first ? io.volatile : io).emit('ev', payload);
    io.volatile.emit('ev', payload);
    one.server.volatile.emit('ev', payload);
    await settled(clients);
    expect(received(clients)).toEqual([[['ev', payload]], [['ev', payload]]]);
    await eventually(() => {
      for (const { server } of clients) expect(server.conn.transport.writable).toBe(true);
    });
    one.server.volatile.emit('ev', 2);
    await settled(clients);
    expect(one.received.length).toBe(2);
  });

  test('texts of many bytes and large bytes arrive whole', async () => {
    const { io, clients } = await start(2);
    const text = 'utf8 — 💥 string '.repeat(20_000);
    const bytes = Buffer.alloc(400_000, 7);
    const some = new Uint8Array(bytes.buffer, bytes.byteOffset + 5, 70_000);
    io.emit('a', text, { nested: [bytes, Buffer.alloc(0)] });
    io.emit('b', some, new Uint8Array(3).buffer);
    await settled(clients);
    for (const [first, second] of received(clients)) {
      // Compared like this since a difference would be printed byte by byte.
      const [name, sameText, { nested }] = first as [string, string, { nested: [Buffer, Buffer] }];
      expect([name, sameText === text, nested[0].equals(bytes), nested[1].length]).toEqual(['a', true, true, 0]);
      const [otherName, sameBytes, zeros] = second as [string, Buffer, Buffer];
      expect([otherName, sameBytes.equals(some), zeros]).toEqual(['b', true, Buffer.alloc(3)]);
    }
  });
});

test('namespaces that are made by a rule have it as well', async () => {
  const { io, client } = await startAdapter();
  const dynamic = io.of(/^\/dynamic-\d+$/);
  const one = await client({ nsp: '/dynamic-1' });
  const two = await client({ nsp: '/dynamic-2' });
  await one.server.join('some-room');
  dynamic.emit('hello', 1, '2', { 3: '4' });
  dynamic.to('some-room').emit('hello', 4);
  await settled([one, two]);
  expect(received([one, two])).toEqual([
    [
      ['hello', 1, '2', { 3: '4' }],
      ['hello', 4],
    ],
    [['hello', 1, '2', { 3: '4' }]],
  ]);
});

test('a server that is told of it by an option has it from the first namespace on', () => {
  const io = new Server(0, { adapter: createAdapter() });
  onTestFinished(() => io.close());
  expect(io.sockets.adapter).toBeInstanceOf(Adapter);
  expect(Object.hasOwn(io.sockets.adapter, 'addAll')).toBe(true);
});

test('other servers cannot be asked', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const { io } = await startAdapter();
  io.serverSideEmit('hello');
  expect(warn).toHaveBeenCalledExactlyOnceWith('this adapter does not support the serverSideEmit() functionality');
  expect(await io.sockets.adapter.serverCount()).toBe(1);
});

describe('old clients', () => {
  test.each(['socket.io-client-2.4', 'socket.io-client-1'])('of %s get text and bytes in order', async (name) => {
    const { io, url } = await startAdapter({}, { allowEIO3: true });
    const connect = createRequire(import.meta.url)(name) as (
      url: string,
      options: object,
    ) => { on(name: string, listener: (...args: unknown[]) => void): void; close(): void };
    const socket = connect(url, { transports: ['websocket'], forceNew: true });
    onTestFinished(() => socket.close());
    const seen: unknown[] = [];
    socket.on('e', (n, bytes) => seen.push([n, bytes]));
    await eventually(() => expect(io.sockets.sockets.size).toBe(1));
    const [server] = io.sockets.sockets.values();
    const bytes = Buffer.from([1, 2, 3]);
    for (const n of upTo(20)) {
      if (n % 4 === 0) io.emit('e', n, null);
      else if (n % 4 === 1) io.emit('e', n, bytes);
      else server?.emit('e', n, n % 4 === 2 ? null : bytes);
      if (n % 7 === 0) await turn();
    }
    await eventually(() => expect(seen).toEqual(upTo(20).map((n) => [n, n % 2 === 0 ? null : bytes])));
  });
});

test('a client that has agreed on compression is sent what is compressed', async () => {
  const { io, client } = await startAdapter({}, { perMessageDeflate: { threshold: 0 } });
  const one = await client();
  const tcp = (one.server.conn as unknown as { request: { socket: { bytesWritten: number } } }).request.socket;
  const before = tcp.bytesWritten;
  io.emit('a', 'x'.repeat(100_000));
  await eventually(() => expect(one.received.length).toBe(1));
  expect(tcp.bytesWritten - before).toBeLessThan(5000);
});

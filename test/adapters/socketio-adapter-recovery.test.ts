import type { Socket } from 'socket.io';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { clientEndOf, startAdapter, upTo } from '../support/socketio-adapter-fixture.ts';

const recovery = { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } };

// The cases of Socket.IO's own connection-state-recovery.ts (4.8), by the stock client.
describe.each([[['websocket']], [['polling']], [['polling', 'websocket']]])('on %j', (transports) => {
  const start = async (serverOptions: object = recovery) => {
    const { io, client } = await startAdapter({}, serverOptions);
    const connections: Socket[] = [];
    io.on('connection', (socket) => void connections.push(socket));
    const one = await client({ transports: [...transports], reconnection: true, reconnectionDelay: 100 });
    const comeBack = async (meanwhile: () => void) => {
      const { id } = one.socket;
      if (one.socket.io.engine.transport.name === 'websocket') clientEndOf(one).destroy();
      else one.socket.io.engine.close();
      if (!one.socket.active) one.socket.connect();
      await eventually(() => expect(one.server.connected).toBe(false));
      meanwhile();
      await eventually(() => expect(one.socket.connected && connections.length > 1).toBe(true));
      return { id, again: connections.at(-1) };
    };
    return { io, one, comeBack };
  };

  test('a client gets what it missed, by broadcast, in its rooms, and alone, with rooms and data', async () => {
    const { io, one, comeBack } = await start();
    await one.server.join('room1');
    one.server.data = { foo: 'bar' };
    io.emit('hello');
    one.server.emit('hi', Buffer.from('b'));
    await eventually(() => expect(one.received.length).toBe(2));
    // The offset is behind the arguments.
    expect(one.received.map((args) => args.length)).toEqual([2, 3]);
    const { id, again } = await comeBack(() => {
      io.emit('hello1');
      io.to('room1').emit('hello2');
      io.to(one.server.id).emit('hello3', Buffer.from('3'));
      io.except('room1').emit('not');
      io.volatile.emit('not');
      io.to('room2').emit('not');
    });
    expect([one.socket.recovered, one.socket.id, again?.recovered]).toEqual([true, id, true]);
    expect([again?.rooms, again?.data]).toEqual([new Set([id, 'room1']), { foo: 'bar' }]);
    for (const n of upTo(5)) {
      io.emit('after', n);
      again?.emit('after', n + 0.5);
    }
    await eventually(() => expect(one.received.length).toBe(15));
    expect(one.received.map(([name]) => name).slice(0, 5)).toEqual(['hello', 'hi', 'hello1', 'hello2', 'hello3']);
    expect(one.received.slice(5).map(([, n]) => n)).toEqual(upTo(10).map((n) => n / 2));
  });

  test('middlewares run only when they are told to', async () => {
    const { io, one, comeBack } = await start({ connectionStateRecovery: { skipMiddlewares: false } });
    io.emit('hello');
    await eventually(() => expect(one.received.length).toBe(1));
    io.use((socket, next) => {
      socket.data = { wasAsked: true };
      next();
    });
    const { again } = await comeBack(() => {});
    expect([again?.recovered, again?.data]).toEqual([true, { wasAsked: true }]);
  });

  test('it is off unless the server says so', async () => {
    const { io, one, comeBack } = await start({});
    io.emit('hello');
    await eventually(() => expect(one.received).toEqual([['hello']]));
    const { id, again } = await comeBack(() => io.emit('missed'));
    expect([one.socket.recovered || undefined, again?.recovered, one.socket.id === id]).toEqual([
      undefined,
      false,
      false,
    ]);
    io.emit('after');
    await eventually(() => expect(one.received).toEqual([['hello'], ['after']]));
  });
});

import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Socket as EngineSocket } from 'engine.io';
import { Server } from 'socket.io';
import { describe, expect, test } from 'vitest';
import type { Cut } from '../../src/adapters/outbound/frame-writer.ts';
import { createAdapter } from '../../src/adapters/outbound/socketio/create-adapter.ts';
import { eventually } from '../support/eventually.ts';
import { clientEndOf, startAdapter, tcpSocketOf, upTo } from '../support/socketio-adapter-fixture.ts';

const large = 'x'.repeat(50_000);

describe('a client that does not read', () => {
  test('is cut at the limit and may come back; the others get everything', async () => {
    const cuts: [EngineSocket, Cut][] = [];
    const onCut = (engineSocket: EngineSocket, cut: Cut) => void cuts.push([engineSocket, cut]);
    const { io, client } = await startAdapter({ sendQueueBytesMax: 200_000, onCut });
    const slow = await client();
    const other = await client();
    clientEndOf(slow).pause();
    const gone = once(slow.server, 'disconnect');
    let sent = 0;
    while (cuts.length === 0) {
      io.emit('a', sent, large);
      sent += 1;
      await eventually(() => expect(other.received.length).toBeGreaterThan(sent - 3));
    }
    expect(cuts.length).toBe(1);
    expect(cuts[0]?.[0]).toBe(slow.server.conn);
    expect(cuts[0]?.[1].cause).toBe('slow');
    expect(cuts[0]?.[1].queuedBytes).toBeGreaterThan(200_000);
    expect(cuts[0]?.[1].queuedBytes).toBeLessThan(260_000);
    expect((await gone)[0]).toBe('transport close');
    for (const _ of upTo(10)) {
      io.emit('a', sent);
      sent += 1;
    }
    await eventually(() => expect(other.received.map(([, n]) => n)).toEqual(upTo(sent)));
  });

  test('is counted also for what goes behind that which is sent to it alone', async () => {
    const { io, client } = await startAdapter({ sendQueueBytesMax: 200_000 });
    const slow = await client();
    clientEndOf(slow).pause();
    const gone = once(slow.server, 'disconnect');
    let connected = true;
    slow.server.once('disconnect', () => {
      connected = false;
    });
    let sentDirectly = 0;
    while (connected) {
      io.emit('a', large);
      slow.server.emit('b');
      sentDirectly += 1;
      io.emit('a', large);
      await turn();
      expect(sentDirectly).toBeLessThan(1000);
    }
    expect((await gone)[0]).toBe('transport close');
  });

  test('is cut when all together are owed too much', async () => {
    const cuts: Cut[] = [];
    const pressure: boolean[] = [];
    const { io, client } = await startAdapter({
      sendQueueBytesMax: 100_000_000,
      sendQueuesBytesMax: 1_000_000,
      onCut: (_, cut) => void cuts.push(cut),
      onPressure: (underPressure) => void pressure.push(underPressure),
    });
    const slow = await client();
    clientEndOf(slow).pause();
    while (pressure.length === 0) {
      io.emit('a', large);
      await turn();
    }
    await eventually(() => expect([pressure, cuts.length]).toEqual([[true, false], 1]));
  });

  test('takes an event of any size when it is owed nothing, bytes with their text', async () => {
    const { io, client } = await startAdapter({ sendQueueBytesMax: 1024 });
    const one = await client();
    const bytes = Buffer.alloc(300_000, 1);
    io.emit('a', 'x'.repeat(100_000));
    await eventually(() => expect(one.received.length).toBe(1));
    io.emit('b', bytes);
    await eventually(() => expect(one.received.length).toBe(2));
    expect(one.received[1]).toEqual(['b', bytes]);
  });

  test('is sent no volatile packet, neither by a broadcast nor alone; and is sent them again later', async () => {
    const { io, client } = await startAdapter({ sendQueueBytesMax: 100_000_000 });
    const slow = await client();
    clientEndOf(slow).pause();
    let sent = 0;
    while (tcpSocketOf(slow).writableLength === 0) {
      io.emit('a', sent, large);
      sent += 1;
      await turn();
    }
    const before = tcpSocketOf(slow).writableLength;
    for (const _ of upTo(20)) {
      io.volatile.emit('v', large);
      slow.server.volatile.emit('v', large);
      await turn();
    }
    expect(tcpSocketOf(slow).writableLength).toBe(before);
    clientEndOf(slow).resume();
    await eventually(() => expect(slow.received.length).toBe(sent));
    await eventually(() => expect(tcpSocketOf(slow).writableLength).toBe(0));
    io.volatile.emit('v', 1);
    await eventually(() => expect(slow.received.at(-1)).toEqual(['v', 1]));
    await eventually(() => expect(slow.server.conn.transport.writable).toBe(true));
    slow.server.volatile.emit('v', 2);
    await eventually(() => expect(slow.received.at(-1)).toEqual(['v', 2]));
    expect(slow.received.length).toBe(sent + 2);
  });
});

test.each([
  [{ sendQueueBytesMax: 1 }, /^createAdapter: sendQueueBytesMax: .*1024$/],
  [{ sendQueuesBytesMax: 1.5 }, /^createAdapter: sendQueuesBytesMax: /],
  [{ sendQueueByteMax: 4096 }, /^createAdapter: Unrecognized key: "sendQueueByteMax"$/],
  [{ onCut: 'log' }, /^createAdapter: onCut: must be a function$/],
  [{ onCut: 'log', onPressure: 1 }, /^createAdapter: onCut: must be a function; onPressure: must be a function$/],
  [5, /^createAdapter: the options must be an object$/],
  [null, /^createAdapter: the options must be an object$/],
  [[], /^createAdapter: the options must be an object$/],
])('options %o are refused', (options, message) => {
  expect(() => createAdapter(options as never)).toThrow(message);
  expect(() => createAdapter(options as never)).toThrow(TypeError);
});

test('an adapter is for one server', async () => {
  const adapter = createAdapter();
  const [one, other] = [new Server(), new Server()];
  one.adapter(adapter);
  one.of('/another');
  expect(() => other.adapter(adapter)).toThrow(/^createAdapter: an adapter is for one server/);
});

describe('a client that reads', () => {
  test('is not cut for what a turn brings, however much it is', async () => {
    const { io, client } = await startAdapter({ sendQueueBytesMax: 100_000, onCut: () => expect.unreachable() });
    const one = await client();
    for (const number of upTo(2000)) io.emit('a', number, 'x'.repeat(1000));
    await eventually(() => expect(one.received.map(([, number]) => number)).toEqual(upTo(2000)));
    for (const number of upTo(40)) io.to(one.server.id).emit('b', number, large);
    await eventually(() => expect(one.received.slice(2000).map(([, number]) => number)).toEqual(upTo(40)));
  });
});

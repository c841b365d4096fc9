import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  type AdapterClient,
  clientEndOf,
  startAdapter,
  tcpSocketOf,
  upTo,
} from '../support/socketio-adapter-fixture.ts';

type Io = Awaited<ReturnType<typeof startAdapter>>['io'];

/** Each sends its number to the client in a way of its own. */
const ways = {
  broadcast: (io: Io, _: AdapterClient, n: number) => io.emit('e', n),
  toRoom: (io: Io, { server }: AdapterClient, n: number) => io.to(server.id).emit('e', n),
  bytes: (io: Io, _: AdapterClient, n: number) => io.emit('e', n, Buffer.alloc(n % 300, n)),
  direct: (_: Io, { server }: AdapterClient, n: number) => server.emit('e', n),
  directBytes: (_: Io, { server }: AdapterClient, n: number) => server.emit('e', n, Buffer.from([n]), Buffer.from([1])),
  asked: (io: Io, _: AdapterClient, n: number) =>
    io.timeout(60_000).emit('e', n, () => {
      // Answers are of no interest here.
    }),
  directAsked: (_: Io, { server }: AdapterClient, n: number) => server.emit('e', n, () => {}),
  plain: (io: Io, _: AdapterClient, n: number) => io.compress(false).emit('e', n),
} as const;
const wayNames = Object.keys(ways) as (keyof typeof ways)[];
const stepsOf = fc.array(fc.constantFrom(...wayNames, 'turn' as const), { minLength: 2, maxLength: 60 });

async function sendAll(io: Io, client: AdapterClient, steps: readonly (keyof typeof ways | 'turn')[], from = 0) {
  let n = from;
  for (const step of steps) {
    if (step === 'turn') await turn();
    else {
      ways[step](io, client, n);
      n += 1;
    }
  }
  return n;
}

const numbersOf = ({ received }: AdapterClient) => received.filter(([name]) => name === 'e').map(([, n]) => n);

describe.each([
  ['websocket', ['websocket'], {}],
  ['polling', ['polling'], {}],
  ['websocket with compression', ['websocket'], { perMessageDeflate: { threshold: 0 } }],
] as const)('on %s', (_, transports, serverOptions) => {
  test('broadcasts and what is sent to one client come in the order in which they were sent', async () => {
    const { io, client } = await startAdapter({}, serverOptions);
    const one = await client({ transports: [...transports] });
    await fc.assert(
      fc.asyncProperty(stepsOf, async (steps) => {
        one.received.length = 0;
        const count = await sendAll(io, one, steps);
        await eventually(() => expect(one.received.length).toBeGreaterThanOrEqual(count));
        expect(numbersOf(one)).toEqual(upTo(count));
      }),
      { numRuns: transports[0] === 'polling' ? 20 : 60 },
    );
  });
});

describe('order', () => {
  test('holds while a client goes from polling to WebSocket', async () => {
    const { io, client } = await startAdapter();
    const one = await client({ transports: ['polling', 'websocket'] });
    let upgraded = false;
    one.server.conn.once('upgrade', () => {
      upgraded = true;
      io.emit('e', n);
      n += 1;
    });
    let n = 0;
    for (let more = 20; more > 0; more -= upgraded ? 1 : 0) {
      n = await sendAll(io, one, wayNames, n);
      await turn();
    }
    await eventually(() => expect(one.received.length).toBe(n));
    expect(numbersOf(one)).toEqual(upTo(n));
    expect(one.server.conn.transport.name).toBe('websocket');
  });

  test('holds for a client that reads late, whatever is sent directly meanwhile', async () => {
    const { io, client } = await startAdapter({ sendQueueBytesMax: 100_000_000 });
    const one = await client();
    clientEndOf(one).pause();
    const large = 'x'.repeat(400_000);
    let n = 0;
    while (tcpSocketOf(one).writableLength === 0) {
      io.emit('e', n, large);
      n += 1;
      await turn();
    }
    for (const steps of upTo(10)) {
      n = await sendAll(io, one, [...wayNames, 'turn', ...wayNames.toReversed().slice(steps % 8), 'turn'], n);
    }
    clientEndOf(one).resume();
    await eventually(() => expect(one.received.length).toBe(n));
    expect(numbersOf(one)).toEqual(upTo(n));
  });

  test('holds over several namespaces of one connection', async () => {
    const { io, client, clientIn } = await startAdapter();
    io.of('/a').on('connection', (socket) => void socket.join('room'));
    const root = await client();
    const child = await clientIn(root.socket.io.socket('/a'), '/a');
    const seen: unknown[] = [];
    root.socket.on('e', (n) => seen.push(n));
    child.socket.on('e', (n) => seen.push(n));
    for (const n of upTo(30)) {
      if (n % 5 === 0) await turn();
      if (n % 3 === 0) io.emit('e', n);
      else if (n % 3 === 1) io.of('/a').to('room').emit('e', n);
      else (n % 2 === 0 ? root : child).server.emit('e', n);
    }
    await eventually(() => expect(seen.length).toBe(30));
    expect(seen).toEqual(upTo(30));
  });

  test('holds for one that connects to a namespace while others are sent to', async () => {
    const { io, client, clientIn } = await startAdapter();
    const root = await client();
    io.of('/a').on('connection', (socket) => {
      io.of('/a').emit('e', 0);
      socket.emit('e', 1);
      io.of('/a').emit('e', 2);
    });
    const child = await clientIn(root.socket.io.socket('/a'), '/a');
    await eventually(() => expect(numbersOf(child)).toEqual([0, 1, 2]));
  });
});

describe('what a turn brings', () => {
  test('leaves in one write, and clients that are owed the same share its bytes', async () => {
    const { io, client } = await startAdapter();
    const clients = [await client(), await client(), await client()];
    const writes = clients.map((one) => vi.spyOn(tcpSocketOf(one), 'write'));
    for (const n of upTo(10)) io.emit('e', n, n === 5 ? Buffer.from('attached') : 'text');
    await eventually(() => expect(clients.map(numbersOf)).toEqual([upTo(10), upTo(10), upTo(10)]));
    expect(writes.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
    const [first, ...others] = writes.map(({ mock }) => mock.calls[0]?.[0]);
    for (const other of others) expect(other).toBe(first);
  });

  test('leaves before what is sent directly, which then does not wait for the end of the turn', async () => {
    const { io, client } = await startAdapter();
    const one = await client();
    const write = vi.spyOn(tcpSocketOf(one), 'write');
    io.emit('e', 0);
    io.emit('e', 1);
    expect(write).not.toHaveBeenCalled();
    one.server.emit('e', 2);
    expect(String(write.mock.calls.map(([chunk]) => chunk))).toMatch(/"e",0.*"e",1.*"e",2/s);
    await eventually(() => expect(numbersOf(one)).toEqual([0, 1, 2]));
  });
});

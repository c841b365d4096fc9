import { describe, expect, test, vi } from 'vitest';
import { createAdapter } from '../../../src/adapters/outbound/socketio/create-adapter.ts';

/** As much of a namespace as adapters look at. */
function adapterOf(sockets: ReadonlyMap<string, unknown> = new Map(), encode: (packet: unknown) => unknown = (p) => p) {
  const opts = { connectionStateRecovery: undefined };
  const nsp = { name: '/', server: { encoder: { encode }, opts, _opts: opts }, sockets };
  return new (createAdapter() as unknown as new (nsp: unknown) => ReturnType<ReturnType<typeof createAdapter>>)(nsp);
}

function recoveringAdapter() {
  const opts = { connectionStateRecovery: { maxDisconnectionDuration: 5000 } };
  const nsp = { name: '/', server: { encoder: { encode: (packet: unknown) => packet }, opts, _opts: opts } };
  const adapter = new (
    createAdapter() as unknown as new (
      nsp: unknown,
    ) => ReturnType<ReturnType<typeof createAdapter>>
  )(nsp);
  adapter.persistSession({ sid: 'abc', pid: 'def', data: 'ghi', rooms: ['r1', 'r2'] });
  return adapter;
}

const roomsOf = (...rooms: readonly string[]) => new Set(rooms);
const idsOnly = (...ids: readonly string[]) => new Map(ids.map((id) => [id, { id }]));

/** Sockets whose clients have no connection that could be written to: they are sent to as ever. */
function fakeSockets(ids: readonly string[]) {
  const sent: { readonly id: string; readonly packet: readonly unknown[]; readonly options: object }[] = [];
  const writer = (id: string) => ({
    writeToEngine: (packet: readonly unknown[], options: object) => void sent.push({ id, packet, options }),
  });
  return { sent, sockets: new Map(ids.map((id) => [id, { id, client: writer(id) }])) };
}

// The cases of socket.io-adapter's own suite (2.5), test/index.ts.
describe('rooms', () => {
  test('have sockets, and lose them', () => {
    const adapter = adapterOf();
    void adapter.addAll('s1', roomsOf('r1', 'r2'));
    void adapter.addAll('s2', roomsOf('r2', 'r3'));
    expect([...adapter.rooms.keys()]).toEqual(['r1', 'r2', 'r3']);
    expect([...adapter.sids.keys()]).toEqual(['s1', 's2']);
    void adapter.del('s1', 'r1');
    expect(adapter.rooms.has('r1')).toBe(false);
    adapter.delAll('s2');
    expect([adapter.rooms.has('r2'), adapter.rooms.has('r3'), adapter.sids.has('s2')]).toEqual([true, false, false]);
  });

  test('are asked for their sockets', async () => {
    const adapter = adapterOf(idsOnly('s1', 's2', 's3'));
    void adapter.addAll('s1', roomsOf('r1', 'r2'));
    void adapter.addAll('s2', roomsOf('r2', 'r3'));
    void adapter.addAll('s3', roomsOf('r3'));
    expect(await adapter.sockets(roomsOf())).toEqual(roomsOf('s1', 's2', 's3'));
    expect(await adapter.sockets(roomsOf('r2'))).toEqual(roomsOf('s1', 's2'));
    expect((await adapter.sockets(roomsOf('r4'))).size).toBe(0);
    expect(adapter.socketRooms('s2')).toEqual(roomsOf('r2', 'r3'));
    expect(adapter.socketRooms('s4')).toBeUndefined();
  });

  test('are asked for the sockets that are in no other', async () => {
    const adapter = adapterOf(idsOnly('s1', 's2', 's3'));
    void adapter.addAll('s1', roomsOf('r1', 'r2'));
    void adapter.addAll('s2', roomsOf('r1'));
    void adapter.addAll('s3', roomsOf('r2'));
    expect(await adapter.fetchSockets({ rooms: roomsOf() })).toHaveLength(3);
    expect(await adapter.fetchSockets({ rooms: roomsOf('r1'), except: roomsOf('r2') })).toEqual([{ id: 's2' }]);
  });

  test('tell when they come, are joined, are left and go', () => {
    const adapter = adapterOf();
    const heard: unknown[] = [];
    for (const name of ['create-room', 'join-room', 'leave-room', 'delete-room']) {
      adapter.on(name, (...args) => heard.push([name, ...args]));
    }
    void adapter.addAll('s1', roomsOf('r1'));
    void adapter.addAll('s1', roomsOf('r1'));
    void adapter.addAll('s2', roomsOf('r1'));
    void adapter.del('s1', 'r1');
    void adapter.del('s1', 'r1');
    adapter.delAll('s2');
    adapter.delAll('s3');
    expect(heard).toEqual([
      ['create-room', 'r1'],
      ['join-room', 'r1', 's1'],
      ['join-room', 'r1', 's2'],
      ['leave-room', 'r1', 's1'],
      ['leave-room', 'r1', 's2'],
      ['delete-room', 'r1'],
    ]);
  });
});

describe('a broadcast', () => {
  test('leaves out the sockets of rooms', () => {
    const { sent, sockets } = fakeSockets(['s1', 's2', 's3']);
    const adapter = adapterOf(sockets, () => ['123']);
    void adapter.addAll('s1', roomsOf('r1'));
    void adapter.addAll('s2', roomsOf());
    void adapter.addAll('s3', roomsOf('r1'));
    adapter.broadcast([], { rooms: roomsOf(), except: roomsOf('r1') });
    expect(sent).toMatchObject([{ id: 's2', packet: ['123'], options: { preEncoded: true } }]);
  });

  test('leaves them out of other rooms', () => {
    const { sent, sockets } = fakeSockets(['s1', 's2', 's3']);
    const adapter = adapterOf(sockets, () => [Buffer.from([1, 2, 3])]);
    void adapter.addAll('s1', roomsOf('r1', 'r2'));
    void adapter.addAll('s2', roomsOf('r2'));
    void adapter.addAll('s3', roomsOf('r1'));
    adapter.broadcast([], { rooms: roomsOf('r1'), except: roomsOf('r2') });
    expect(sent.map(({ id }) => id)).toEqual(['s3']);
    expect(sent[0]?.options).not.toHaveProperty('wsPreEncodedFrame');
  });

  test('is encoded once, with its frame', () => {
    const { sent, sockets } = fakeSockets(['s1', 's2', 's3']);
    const encode = vi.fn(() => ['123']);
    const adapter = adapterOf(sockets, encode);
    for (const id of sockets.keys()) void adapter.addAll(id, roomsOf());
    adapter.broadcast([], { rooms: roomsOf(), except: roomsOf() });
    expect(encode).toHaveBeenCalledOnce();
    expect(sent).toHaveLength(3);
    expect(sent[0]?.options).toMatchObject({ wsPreEncodedFrame: [Buffer.from([129, 4]), Buffer.from('4123')] });
  });
});

describe('connection state recovery', () => {
  const all = { rooms: roomsOf(), except: roomsOf() };
  const restored = async (adapter: ReturnType<typeof recoveringAdapter>, offset: string) =>
    (await adapter.restoreSession('def', offset)) as unknown;

  test('gives a session back, with the packets that were missed', async () => {
    const adapter = recoveringAdapter();
    const first: string[] = ['hello'];
    adapter.broadcast({ nsp: '/', type: 2, data: first }, all);
    const missed = (rooms: Set<string>, except: Set<string>, packet: object, flags = {}) =>
      adapter.broadcast({ nsp: '/', type: 2, ...packet }, { rooms, except, flags });
    expect(await restored(adapter, first[1] ?? '')).toMatchObject({ sid: 'abc', pid: 'def', missedPackets: [] });
    missed(roomsOf(), roomsOf(), { data: ['all'] });
    missed(roomsOf('r1'), roomsOf(), { data: ['room'] });
    missed(roomsOf(), roomsOf('r2'), { data: ['except'] });
    missed(roomsOf(), roomsOf('r3'), { data: ['no except'] });
    missed(roomsOf(), roomsOf(), { data: ['with ack'], id: 0 });
    missed(roomsOf(), roomsOf(), { data: ['ack type'], type: 3 });
    missed(roomsOf(), roomsOf(), { data: ['volatile'] }, { volatile: true });
    expect(await restored(adapter, first[1] ?? '')).toMatchObject({
      missedPackets: [
        ['all', expect.any(String)],
        ['room', expect.any(String)],
        ['no except', expect.any(String)],
      ],
    });
  });

  test('gives nothing for a session or an offset that it does not know', async () => {
    const adapter = recoveringAdapter();
    expect(await adapter.restoreSession('abc', 'def')).toBeNull();
    expect(await adapter.restoreSession('def', 'def')).toBeNull();
  });
});

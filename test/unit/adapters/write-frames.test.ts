import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { inflateRawSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { FrameRun } from '../../../src/adapters/outbound/frame-run.ts';
import { textFrame } from '../../../src/adapters/outbound/text-frame.ts';
import { writeFrames } from '../../../src/adapters/outbound/write-frames.ts';

/** As much of a WebSocket as frames are written to. */
const websocketOn = (_socket: Writable, extensions = {}, readyState = 1): WebSocket =>
  ({ OPEN: 1, readyState, _socket, _extensions: extensions }) as unknown as WebSocket;

/** A transport that takes nothing until it is told to, or at once. */
function transport(takes: 'at-once' | 'later') {
  const chunks: string[] = [];
  const take = { done: (_error?: Error) => {} };
  let isReady = takes === 'at-once';
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length > 0) chunks.push(chunk.toString('latin1'));
      if (isReady) done();
      else take.done = done;
    },
  });
  // What becomes of an error is the connection's business.
  socket.on('error', () => undefined);
  const told = { count: 0 };
  const takeAll = (error?: Error) => {
    isReady = true;
    take.done(error);
  };
  return {
    websocket: websocketOn(socket),
    writable: socket,
    chunks,
    takeAll,
    told,
    pending: {
      written() {
        told.count += 1;
      },
    },
  };
}

const runOf = (...frames: readonly Buffer[]): FrameRun =>
  frames.reduce<FrameRun | undefined>((before, frame) => new FrameRun(before, frame), undefined) as FrameRun;
const small = runOf(Buffer.from('ab'), Buffer.from('c'));

test('what a transport takes at once is written, and nobody is told', async () => {
  const { websocket, chunks, told, pending } = transport('at-once');
  expect([writeFrames(websocket, small, pending), writeFrames(websocket, small, pending)]).toEqual([true, true]);
  await turn();
  expect([chunks, told.count]).toEqual([['abc', 'abc'], 0]);
});

test('what it takes later is told once, when all of it is written', async () => {
  const { websocket, chunks, takeAll, told, pending } = transport('later');
  const large = Buffer.alloc(20_000, 'x');
  expect(writeFrames(websocket, runOf(Buffer.from('a'), large, Buffer.from('b')), pending)).toBe(false);
  await turn();
  expect(told.count).toBe(0);
  takeAll();
  await turn();
  expect([chunks.join(''), told.count]).toEqual([`a${large.toString()}b`, 1]);
});

test('over TLS, where nothing has left when a write returns, the last write tells of it, and there is no further one', async () => {
  const { writable, takeAll, told, pending } = transport('later');
  const websocket = websocketOn(Object.assign(writable, { encrypted: true }));
  const writes = vi.spyOn(writable, 'write');
  const large = Buffer.alloc(20_000, 'x');
  expect(writeFrames(websocket, runOf(Buffer.from('a'), large, large), pending)).toBe(false);
  await turn();
  expect([writes.mock.calls.length, told.count]).toEqual([3, 0]);
  takeAll();
  await turn();
  expect(told.count).toBe(1);
  expect(writeFrames(websocket, small, pending)).toBe(false);
  await turn();
  expect([writes.mock.calls.length, told.count]).toEqual([4, 2]);
});

test('behind what somebody else has written, it waits for that too', async () => {
  const { websocket, writable, chunks, takeAll, told, pending } = transport('later');
  writable.write('ping');
  expect(writeFrames(websocket, small, pending)).toBe(false);
  takeAll();
  await turn();
  expect([chunks, told.count]).toEqual([['ping', 'abc'], 1]);
});

test('what a transport fails to write is never said to be written', async () => {
  const failing = transport('later');
  expect(writeFrames(failing.websocket, small, failing.pending)).toBe(false);
  failing.takeAll(new Error('reset'));
  await turn();
  const gone = transport('at-once');
  gone.writable.destroy();
  expect(writeFrames(gone.websocket, small, gone.pending)).toBe(false);
  await turn();
  const atOnce = new Writable({ write: (_chunk, _encoding, done) => done(new Error('broken pipe')) });
  atOnce.on('error', () => undefined);
  expect(writeFrames(websocketOn(atOnce), small, failing.pending)).toBe(false);
  await turn();
  expect([failing.told.count, gone.told.count]).toEqual([0, 0]);
});

test('nothing is written once the WebSocket is closing', () => {
  const { writable, chunks, pending } = transport('at-once');
  expect(writeFrames(websocketOn(writable, {}, 2), small, pending)).toBe(false);
  expect(chunks).toEqual([]);
});

test('messages are compressed for those who take it, unless they want a small window', () => {
  const text = '42["orders.created",{"a":1}]'.repeat(50);
  const run = runOf(textFrame('short'), textFrame(text));
  const written = (params: object) => {
    const { writable, chunks, pending } = transport('at-once');
    expect(writeFrames(websocketOn(writable, { 'permessage-deflate': { params } }), run, pending)).toBe(true);
    return Buffer.from(chunks.join(''), 'latin1');
  };
  const plain = Buffer.concat(run.buffers);
  expect(written({ server_max_window_bits: 10 }).equals(plain)).toBe(true);
  const deflated = written({});
  expect(deflated.length).toBeLessThan(plain.length / 5);
  expect(deflated.subarray(0, 7).toString()).toBe(textFrame('short').toString());
  // Final, compressed, text (RFC 7692 section 6), and shorter than what has a length of 16 bits.
  expect(deflated[7]).toBe(0xc1);
  const payload = Buffer.concat([deflated.subarray(9), Buffer.from([0, 0, 0xff, 0xff])]);
  expect(inflateRawSync(payload, { finishFlush: 2 }).toString()).toBe(text);
});

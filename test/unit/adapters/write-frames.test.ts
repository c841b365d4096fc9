import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FrameRun } from '../../../src/adapters/outbound/frame-run.ts';
import { writeFrames } from '../../../src/adapters/outbound/write-frames.ts';

/** A transport that takes nothing until it is told to, or at once. */
function transport(takes: 'at-once' | 'later') {
  const chunks: string[] = [];
  const take = { done: (_error?: Error) => {} };
  let isReady = takes === 'at-once';
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length > 0) chunks.push(chunk.toString());
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
    socket: socket as never,
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
  const { socket, chunks, told, pending } = transport('at-once');
  expect([writeFrames(socket, small, pending), writeFrames(socket, small, pending)]).toEqual([true, true]);
  await turn();
  expect([chunks, told.count]).toEqual([['abc', 'abc'], 0]);
});

test('what it takes later is told once, when all of it is written', async () => {
  const { socket, chunks, takeAll, told, pending } = transport('later');
  const large = Buffer.alloc(20_000, 'x');
  expect(writeFrames(socket, runOf(Buffer.from('a'), large, Buffer.from('b')), pending)).toBe(false);
  await turn();
  expect(told.count).toBe(0);
  takeAll();
  await turn();
  expect([chunks.join(''), told.count]).toEqual([`a${large}b`, 1]);
});

test('behind what somebody else has written, it waits for that too', async () => {
  const { socket, writable, chunks, takeAll, told, pending } = transport('later');
  writable.write('ping');
  expect(writeFrames(socket, small, pending)).toBe(false);
  takeAll();
  await turn();
  expect([chunks, told.count]).toEqual([['ping', 'abc'], 1]);
});

test('what a transport fails to write is never said to be written', async () => {
  const failing = transport('later');
  expect(writeFrames(failing.socket, small, failing.pending)).toBe(false);
  failing.takeAll(new Error('reset'));
  await turn();
  const gone = transport('at-once');
  gone.writable.destroy();
  expect(writeFrames(gone.socket, small, gone.pending)).toBe(false);
  await turn();
  const atOnce = new Writable({ write: (_chunk, _encoding, done) => done(new Error('broken pipe')) });
  atOnce.on('error', () => undefined);
  expect(writeFrames(atOnce as never, small, failing.pending)).toBe(false);
  await turn();
  expect([failing.told.count, gone.told.count]).toEqual([0, 0]);
});

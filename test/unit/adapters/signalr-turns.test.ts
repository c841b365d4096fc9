import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fakeHub } from '../../support/fake-hub.ts';

const greeting = Buffer.from('{"protocol":"json","version":1}\x1e');
const calls = (count: number) =>
  Buffer.from('{"type":1,"invocationId":"1","target":"X","arguments":[]}\x1e'.repeat(count));
const answersIn = (frames: readonly Buffer[]) =>
  Buffer.concat([...frames])
    .toString('latin1')
    .split('"type":3').length - 1;

function connected() {
  const hub = fakeHub(async () => ({ kind: 'joined', rooms: [] }), { recordsPerSecondMax: 100_000 });
  const { connection, socket } = hub.connect('r');
  connection.receive(greeting);
  return { connection, socket };
}

test('what one client says at once is heard by and by, and no more is read meanwhile', async () => {
  const { connection, socket } = connected();
  connection.receive(calls(250));
  connection.receive(calls(100));
  await turn();
  expect([answersIn(socket.frames), socket.isPaused]).toEqual([100, true]);
  while (socket.isPaused) await turn();
  await turn();
  expect(answersIn(socket.frames)).toBe(350);
});

test('long records are fewer in a turn', async () => {
  const { connection, socket } = connected();
  const long = `{"type":1,"invocationId":"1","target":"X","arguments":["${'x'.repeat(30_000)}"]}\x1e`;
  connection.receive(Buffer.from(long.repeat(20)));
  await turn();
  expect([answersIn(socket.frames), socket.isPaused]).toEqual([5, true]);
});

test('the rest of what a client has said is not heard once it has gone', async () => {
  const { connection, socket } = connected();
  connection.receive(calls(1000));
  connection.end('gone');
  await turn();
  await turn();
  expect([answersIn(socket.frames), socket.isPaused]).toEqual([0, false]);
});

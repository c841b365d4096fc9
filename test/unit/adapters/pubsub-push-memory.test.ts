import { expect, test } from 'vitest';
import { PushMemory } from '../../../src/adapters/inbound/pubsub/pubsub-push-memory.ts';

test('a message that is given back is counted, until it is forgotten', () => {
  const memory = new PushMemory(10);
  expect(memory.attempts('a')).toBe(0);
  memory.givenBack('a', 1);
  memory.givenBack('a', 2);
  expect(memory.attempts('a')).toBe(2);
  expect(memory.isDone('a')).toBe(false);
  expect(memory.hasDone).toBe(false);
  memory.forget('a');
  expect(memory.attempts('a')).toBe(0);
});

test('what is done stays so, until it is forgotten', () => {
  const memory = new PushMemory(10);
  memory.done('a', 1);
  memory.done('a', 1);
  memory.done('b', 3);
  expect([memory.isDone('a'), memory.isDone('b'), memory.hasDone]).toEqual([true, true, true]);
  memory.forget('a');
  memory.forget('a');
  expect([memory.isDone('a'), memory.isDone('b'), memory.hasDone]).toEqual([false, true, true]);
  memory.forget('b');
  expect(memory.hasDone).toBe(false);
});

test('what was given back and is done in the end, and the other way round', () => {
  const memory = new PushMemory(10);
  memory.givenBack('a', 1);
  memory.done('a', 2);
  expect([memory.isDone('a'), memory.hasDone]).toEqual([true, true]);
  memory.givenBack('a', 3);
  expect([memory.isDone('a'), memory.hasDone, memory.attempts('a')]).toEqual([false, false, 3]);
});

test('it has a limit, and forgets the oldest first', () => {
  const memory = new PushMemory(2);
  memory.done('a', 1);
  memory.givenBack('b', 1);
  // Told again, it is the youngest.
  memory.done('a', 1);
  memory.givenBack('c', 1);
  expect([memory.isDone('a'), memory.attempts('b'), memory.attempts('c')]).toEqual([true, 0, 1]);
  memory.givenBack('d', 1);
  expect([memory.isDone('a'), memory.hasDone]).toEqual([false, false]);
  for (let index = 0; index < 1000; index += 1) memory.done(`m${index}`, 1);
  expect([memory.isDone('m997'), memory.isDone('m998'), memory.isDone('m999')]).toEqual([false, true, true]);
});

import { describe, expect, test } from 'vitest';
import { GivenBackKeys } from '../../../src/adapters/inbound/pubsub/given-back-keys.ts';
import { RedeliveryMemory } from '../../../src/adapters/inbound/pubsub/redelivery-memory.ts';

describe('keys that were given back', () => {
  test('admit what is expected, in its order, and everything else behind it', () => {
    const keys = new GivenBackKeys();
    keys.expect('a', ['1', '2'], 0);
    expect(['3', '2', '1', '3', '2', '3', '4'].map((id) => keys.admits('a', id, 0))).toEqual([
      false,
      false,
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  test('concern no other key', () => {
    const keys = new GivenBackKeys();
    keys.expect('a', ['1'], 0);
    expect(keys.admits('b', '9', 0)).toBe(true);
  });

  test('stand before what was given back earlier', () => {
    const keys = new GivenBackKeys();
    keys.expect('a', ['2', '3'], 0);
    keys.expect('a', ['1', '2'], 0);
    expect(['3', '1', '2', '3'].map((id) => keys.admits('a', id, 0))).toEqual([false, true, true, true]);
  });

  test('are waited for as long as one after the other comes', () => {
    const keys = new GivenBackKeys();
    keys.expect('a', ['1', '2'], 0);
    expect(keys.admits('a', '1', 9000)).toBe(true);
    expect(keys.admits('a', '3', 18_999)).toBe(false);
    expect(keys.admits('a', '3', 19_000)).toBe(true);
    expect(keys.admits('a', '9', 19_000)).toBe(true);
  });

  test('are remembered up to a limit, the newest', () => {
    const keys = new GivenBackKeys();
    for (let index = 0; index <= 1000; index += 1) keys.expect(`k${index}`, ['1'], 0);
    expect(keys.admits('k0', '9', 0)).toBe(true);
    expect(keys.admits('k1', '9', 0)).toBe(false);
  });
});

describe('the memory of what was given back', () => {
  test('counts the attempts of this process where the broker does not', () => {
    const memory = new RedeliveryMemory();
    expect(memory.attempt('1', 0)).toBe(1);
    memory.givenBack('1', 1);
    expect(memory.attempt('1', 0)).toBe(2);
    expect(memory.attempt('1', 7)).toBe(7);
    memory.settled('1');
    expect(memory.attempt('1', 0)).toBe(1);
  });

  test('forgets the oldest first', () => {
    const memory = new RedeliveryMemory();
    memory.givenBack('1', 1);
    memory.givenBack('2', 1);
    memory.givenBack('1', 2);
    memory.condemn('old');
    for (let index = 0; index < 9999; index += 1) {
      memory.givenBack(`m${index}`, 1);
      memory.condemn(`m${index}`);
    }
    expect([memory.attempt('1', 0), memory.attempt('2', 0)]).toEqual([3, 1]);
    expect(memory.isCondemned('old')).toBe(true);
    memory.condemn('one more');
    expect(memory.isCondemned('old')).toBe(false);
  });
});

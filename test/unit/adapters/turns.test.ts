import { expect, test } from 'vitest';
import { Turns } from '../../../src/adapters/turns.ts';

const immediate = () => new Promise((resolve) => setImmediate(resolve));

test('who asks for more while a message is handed over gets it in the same loop, within the bounds of the turn', async () => {
  let taken = 0;
  let depth = 0;
  let depthMax = 0;
  const turns = new Turns(() => {
    if (taken === 1000) return undefined;
    depth += 1;
    depthMax = Math.max(depth, depthMax);
    taken += 1;
    turns.takeMore();
    depth -= 1;
    return 1;
  });
  turns.wake();
  await immediate();
  expect([taken, depthMax]).toEqual([256, 1]);
  await immediate();
  expect(taken).toBe(512);
  while (taken < 1000) await immediate();
  turns.stop();
});

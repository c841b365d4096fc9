import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createFlushSchedule } from '../../../src/adapters/outbound/flush-schedule.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function scheduleWith(delayMs: number) {
  const clock = new ManualClock();
  const schedule = createFlushSchedule(delayMs, clock);
  const flushes: number[] = [];
  return { clock, flushes, ask: () => schedule(() => void flushes.push(clock.now())) };
}

test('without a delay, what is queued is written at the end of every turn', async () => {
  const { clock, flushes, ask } = scheduleWith(0);
  const begin = clock.now();
  for (let round = 0; round < 3; round += 1) {
    ask();
    expect(flushes).toHaveLength(round);
    await turn();
  }
  expect(flushes).toEqual([begin, begin, begin]);
});

test('with a delay, what comes alone is still written at the end of its turn', async () => {
  const { clock, flushes, ask } = scheduleWith(10);
  ask();
  await turn();
  clock.advance(10);
  ask();
  await turn();
  expect(flushes).toHaveLength(2);
});

test('with a delay, writes follow each other no faster', async () => {
  const { clock, flushes, ask } = scheduleWith(10);
  const begin = clock.now();
  ask();
  await turn();
  clock.advance(4);
  ask();
  await turn();
  expect(flushes).toEqual([begin]);
  clock.advance(5);
  expect(flushes).toEqual([begin]);
  clock.advance(1);
  expect(flushes).toEqual([begin, begin + 10]);
});

test('a clock that is set back holds nothing back for longer than the delay', async () => {
  const { clock, flushes, ask } = scheduleWith(10);
  ask();
  await turn();
  const now = clock.now.bind(clock);
  clock.now = () => now() - 3_600_000;
  ask();
  clock.advance(10);
  expect(flushes).toHaveLength(2);
});

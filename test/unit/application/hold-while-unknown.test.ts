import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/application/fault.ts';
import { holdWhileUnknown } from '../../../src/application/hold-while-unknown.ts';
import { awayFault } from '../../support/fake-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** An answer that cannot be had until `back` is called. */
function holding(holdMsMax: number, random = 1) {
  const clock = new ManualClock();
  const gone = new AbortController();
  const signals: AbortSignal[] = [];
  let isAway = true;
  const held = holdWhileUnknown(
    async (signal) => {
      signals.push(signal);
      if (isAway) throw awayFault();
      return 'answer';
    },
    { clock, random: () => random, holdMsMax },
    gone.signal,
  );
  const advance = async (byMs: number) => {
    await nextTurn();
    clock.advance(byMs);
    await nextTurn();
  };
  const back = () => {
    isAway = false;
  };
  return { clock, gone, signals, held, advance, back };
}

describe('holdWhileUnknown', () => {
  test('an answer that is there is given at once, and nothing is left behind', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const hold = { clock, random: () => 0, holdMsMax: 3000 };
    expect(await holdWhileUnknown(async () => 'there', hold, signal)).toEqual({ kind: 'answered', answer: 'there' });
    expect(clock.pending).toBe(0);
  });

  test('tries again with growing delays, and answers when the key server is back within the hold', async () => {
    const { clock, held, signals, advance, back } = holding(3000);
    await advance(99);
    expect(signals).toHaveLength(1);
    await advance(1);
    expect(signals).toHaveLength(2);
    await advance(199);
    expect(signals).toHaveLength(2);
    await advance(1);
    expect(signals).toHaveLength(3);
    back();
    await advance(400);
    expect(await held).toEqual({ kind: 'answered', answer: 'answer' });
    expect(signals).toHaveLength(4);
    expect(signals.every((signal) => signal === signals[0] && !signal.aborted)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('delays grow to a second and no further', async () => {
    const { signals, advance } = holding(60_000);
    for (const delayMs of [100, 200, 400, 800, 1000, 1000, 1000]) {
      const before = signals.length;
      await advance(delayMs - 1);
      expect(signals).toHaveLength(before);
      await advance(1);
      expect(signals).toHaveLength(before + 1);
    }
  });

  test.each([
    [0, 1000],
    [0.5, 3000],
    [0.99999, 5000],
  ])('after the hold the client is told to come back, with jitter (%d: %i ms)', async (random, retryAfterMs) => {
    const { clock, held, signals, advance } = holding(250, random);
    await advance(249);
    expect(signals[0]?.aborted).toBe(false);
    await advance(1);
    expect(await held).toMatchObject({ kind: 'try-later', retryAfterMs, error: { code: 'test_away' } });
    expect(signals[0]?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('a try that the end of the hold interrupts is the last', async () => {
    const clock = new ManualClock();
    let tries = 0;
    const held = holdWhileUnknown(
      (signal) => {
        tries += 1;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      { clock, random: () => 0, holdMsMax: 3000 },
      new AbortController().signal,
    );
    clock.advance(3000);
    expect(await held).toMatchObject({ kind: 'try-later', retryAfterMs: 1000 });
    expect(tries).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('nobody is held for what is known to be of no use for a while', async () => {
    const clock = new ManualClock();
    const error = new Fault('issuer_keys_unavailable', 'retry', 'asked again too soon', undefined, 7000);
    const held = await holdWhileUnknown(
      () => Promise.reject(error),
      { clock, random: () => 0.5, holdMsMax: 3000 },
      new AbortController().signal,
    );
    expect(held).toEqual({ kind: 'try-later', retryAfterMs: 9000, error });
    expect(clock.pending).toBe(0);
  });

  test('somebody who never answers and does not listen to the signal holds the client no longer', async () => {
    const clock = new ManualClock();
    const held = holdWhileUnknown(
      () => new Promise<never>(() => undefined),
      { clock, random: () => 0, holdMsMax: 3000 },
      new AbortController().signal,
    );
    await nextTurn();
    clock.advance(3000);
    expect(await held).toMatchObject({ kind: 'try-later', error: new Error('there was no answer in time') });
    expect(clock.pending).toBe(0);
  });

  test('what somebody who listens makes of the end is no answer', async () => {
    const clock = new ManualClock();
    const held = holdWhileUnknown(
      (signal) => new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('no'))),
      { clock, random: () => 0, holdMsMax: 3000 },
      new AbortController().signal,
    );
    await nextTurn();
    clock.advance(3000);
    expect(await held).toMatchObject({ kind: 'try-later', error: new Error('there was no answer in time') });
  });

  test('a client that goes ends it at once', async () => {
    const { clock, gone, held, signals } = holding(3000);
    await nextTurn();
    gone.abort();
    expect(await held).toMatchObject({ kind: 'try-later' });
    expect(signals).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('an answer at the last moment counts', async () => {
    const clock = new ManualClock();
    const gone = new AbortController();
    const held = holdWhileUnknown(
      async () => {
        clock.advance(5000);
        return 'late';
      },
      { clock, random: () => 0, holdMsMax: 3000 },
      gone.signal,
    );
    expect(await held).toEqual({ kind: 'answered', answer: 'late' });
  });
});

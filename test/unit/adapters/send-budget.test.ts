import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SendBudget } from '../../../src/adapters/outbound/send-budget.ts';
import { SendQueues } from '../../../src/adapters/outbound/send-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestWriter } from '../../support/test-writer.ts';

const frame = (bytes: number) => Buffer.alloc(bytes);

describe('the send budget', () => {
  test('tells of pressure above its limit, and of relief below three quarters of it, once each', () => {
    const told: (readonly [boolean, number])[] = [];
    const budget = new SendBudget(100, new ManualClock(), (...pressure) => told.push(pressure));
    budget.count(100);
    expect(told).toEqual([]);
    budget.count(1);
    budget.count(50);
    expect(told).toEqual([[true, 101]]);
    budget.count(-76);
    expect(budget.bytes).toBe(75);
    expect(told).toEqual([[true, 101]]);
    budget.count(-1);
    budget.count(20);
    expect(told).toEqual([
      [true, 101],
      [false, 74],
    ]);
    budget.count(7);
    expect(told).toHaveLength(3);
  });

  test('is shared by endpoints, and relieved when a connection goes', async () => {
    const told: boolean[] = [];
    const budget = new SendBudget(10, new ManualClock(), (paused) => told.push(paused));
    const [one, other] = [new SendQueues(1000, budget), new SendQueues(1000, budget)];
    const [first, second] = [one.open(new TestWriter()), other.open(new TestWriter())];
    first.push(frame(6));
    second.push(frame(6));
    await turn();
    expect(told).toEqual([true]);
    first.close();
    expect(told).toEqual([true, false]);
    expect([budget.bytes, one.bytes, other.bytes]).toEqual([6, 0, 6]);
  });
});

/** Queues that count into a budget of 100 bytes, and never reach their own limit. */
function crowd() {
  const clock = new ManualClock();
  const told: boolean[] = [];
  const budget = new SendBudget(100, clock, (paused) => told.push(paused));
  const queues = new SendQueues(1000, budget);
  const connect = (of = queues) => {
    const writer = new TestWriter();
    const queue = of.open(writer);
    writer.terminate = (cut) => {
      writer.cuts.push(cut);
      queue.close();
    };
    return { writer, queue, push: (bytes: number) => queue.push(frame(bytes)) };
  };
  /** Time passes, and after it the I/O of a turn. */
  const pass = async (ms: number) => {
    clock.advance(ms);
    await turn();
  };
  return { clock, told, budget, queues, connect, pass };
}

describe('under pressure', () => {
  test('those whose write is not done for a second are cut, the most owed first, until intake goes on', async () => {
    const { told, budget, connect, pass } = crowd();
    const [less, most, more] = [connect(), connect(), connect()];
    less.push(30);
    most.push(35);
    more.push(35);
    await turn();
    most.push(5);
    expect(told).toEqual([true]);
    await pass(999);
    expect(budget.bytes).toBe(105);
    await pass(1);
    expect(most.writer.cuts).toEqual([{ cause: 'slow', queuedBytes: 40 }]);
    expect([less.writer.cuts, more.writer.cuts]).toEqual([[], []]);
    expect([told, budget.bytes]).toEqual([[true, false], 65]);
  });

  test('as many as it takes are cut, of all endpoints, with what waits behind their write', async () => {
    const { told, budget, connect, pass } = crowd();
    const other = new SendQueues(1000, budget);
    const [first, second, last] = [connect(), connect(other), connect()];
    first.push(50);
    second.push(50);
    last.push(10);
    await pass(1000);
    second.push(50);
    first.push(20);
    await pass(1000);
    expect([first.writer.cuts, second.writer.cuts, last.writer.cuts]).toEqual([
      [{ cause: 'slow', queuedBytes: 70 }],
      [{ cause: 'slow', queuedBytes: 100 }],
      [],
    ]);
    expect([told, budget.bytes, other.bytes]).toEqual([[true, false], 10, 0]);
  });

  test('whoever takes what it is owed stays, and intake stays paused meanwhile', async () => {
    const { clock, told, budget, connect, pass } = crowd();
    const reader = connect();
    for (let second = 0; second < 5; second += 1) {
      reader.push(200);
      await turn();
      await pass(500);
      reader.push(200);
      reader.writer.drain();
      await turn();
      await pass(500);
      reader.push(200);
      reader.writer.drain();
      await turn();
    }
    expect([reader.writer.cuts, told, clock.pending]).toEqual([[], [true], 1]);
    expect(budget.bytes).toBeGreaterThan(100);
  });

  test('a write that was begun under pressure has a whole second as well', async () => {
    const { budget, connect, pass } = crowd();
    const [reader, late] = [connect(), connect()];
    reader.push(101);
    await turn();
    await pass(999);
    late.push(150);
    await turn();
    reader.writer.drain();
    await pass(1);
    expect(late.writer.cuts).toEqual([]);
    await pass(999);
    expect(late.writer.cuts).toEqual([]);
    await pass(1);
    expect([late.writer.cuts.length, budget.bytes]).toEqual([1, 0]);
  });

  test('a write that is done in the turn in which the second ends counts as done', async () => {
    const { clock, connect } = crowd();
    const { push, writer } = connect();
    push(101);
    push(101);
    await turn();
    clock.advance(1000);
    writer.drain();
    await turn();
    expect(writer.cuts).toEqual([]);
  });

  test('whoever got its first event just now is not cut, however large it is', async () => {
    const { clock, connect } = crowd();
    const [stalled, fresh] = [connect(), connect()];
    stalled.push(100);
    await turn();
    stalled.push(1);
    clock.advance(1000);
    fresh.push(500);
    await turn();
    expect([stalled.writer.cuts.length, fresh.writer.cuts.length]).toEqual([1, 0]);
  });

  test('nothing is kept of connections that have gone', async () => {
    const { budget, queues, connect } = crowd();
    const connections = [connect(), connect()] as const;
    for (const { push } of connections) push(10);
    await turn();
    expect(queues.stalledSince(budget.round + 1)).toHaveLength(2);
    connections[0].queue.close();
    connections[1].queue.cutStalled();
    expect(queues.stalledSince(budget.round + 1)).toEqual([]);
  });

  test('relief in the turn in which the second ends saves those that would be cut', async () => {
    const { clock, told, connect } = crowd();
    const [gone, slow] = [connect(), connect()];
    gone.push(60);
    slow.push(60);
    await turn();
    clock.advance(1000);
    gone.queue.close();
    gone.push(60);
    slow.push(60);
    await turn();
    expect(slow.writer.cuts).toEqual([]);
    expect(told).toEqual([true, false, true]);
  });

  test('somebody who is cut may bring new pressure, and nobody is cut twice', async () => {
    const clock = new ManualClock();
    const told: boolean[] = [];
    const budget: SendBudget = new SendBudget(100, clock, (paused) => {
      told.push(paused);
      if (!paused && told.length === 2) second.push(frame(90));
    });
    const queues = new SendQueues(1000, budget);
    const [firstWriter, secondWriter, thirdWriter] = [new TestWriter(), new TestWriter(), new TestWriter()];
    const [first, second] = [queues.open(firstWriter), queues.open(secondWriter)];
    const third = queues.open(thirdWriter);
    // The end of one is the end of the other, as with clients behind one proxy.
    firstWriter.terminate = (cut) => {
      firstWriter.cuts.push(cut);
      third.close();
    };
    first.push(frame(50));
    second.push(frame(20));
    third.push(frame(30));
    await turn();
    second.push(frame(1));
    clock.advance(1000);
    await turn();
    expect([firstWriter, secondWriter, thirdWriter].map(({ cuts }) => cuts.length)).toEqual([1, 1, 0]);
    expect([told, budget.bytes, clock.pending]).toEqual([[true, false, true, false], 0, 0]);
  });

  test('there is one timer, and without pressure none', async () => {
    const { clock, connect, pass } = crowd();
    const connections = Array.from({ length: 50 }, () => connect());
    for (const { push } of connections) push(2);
    await turn();
    expect(clock.pending).toBe(0);
    for (const { push } of connections) push(2);
    expect(clock.pending).toBe(1);
    for (const { queue } of connections) queue.close();
    expect(clock.pending).toBe(0);
    connect().push(101);
    await pass(1000);
    expect(clock.pending).toBe(1);
    await pass(1000);
    expect(clock.pending).toBe(0);
    await pass(10_000);
    expect(clock.pending).toBe(0);
  });

  test('nobody is cut who is owed much while there is none', async () => {
    const { budget, connect, pass } = crowd();
    const { push, writer } = connect();
    push(100);
    await turn();
    for (let second = 0; second < 3; second += 1) await pass(1000);
    expect([writer.cuts, budget.bytes]).toEqual([[], 100]);
  });

  test('it ends within three seconds of the last event, whatever clients do', async () => {
    const client = fc.record({
      frames: fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 4, maxLength: 4 }),
      reads: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: 8 }), async (clients) => {
        const { clock, told, budget, connect, pass } = crowd();
        const connections = clients.map((each) => ({ ...each, ...connect() }));
        for (const index of [0, 1, 2, 3]) {
          for (const { frames, push } of connections) push(frames[index] ?? 1);
          await turn();
        }
        for (const second of [0, 1, 2]) {
          const readers = connections.filter(({ reads }) => reads[second]);
          for (const { writer } of readers) writer.drain();
          await turn();
          await pass(1000);
        }
        expect(told.at(-1) ?? false).toBe(false);
        expect(clock.pending).toBe(0);
        expect(budget.bytes).toBe(connections.reduce((sum, { queue }) => sum + queue.bytes, 0));
        expect(Math.max(...connections.map(({ writer }) => writer.cuts.length))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });
});

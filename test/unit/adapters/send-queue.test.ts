import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FrameRun } from '../../../src/adapters/outbound/frame-run.ts';
import { SendBudget } from '../../../src/adapters/outbound/send-budget.ts';
import { SendQueues } from '../../../src/adapters/outbound/send-queue.ts';
import type { PendingWrite } from '../../../src/adapters/outbound/write-frames.ts';
import { heapUsedBytes } from '../../support/heap-used.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { TestWriter } from '../../support/test-writer.ts';

const unlimited = () => new SendBudget(Number.MAX_SAFE_INTEGER, new ManualClock(), () => expect.unreachable());
const frame = (text: string) => Buffer.from(text);
/** What is queued is written, and then I/O has its turn. */
async function ioTurn() {
  for (let turns = 0; turns < 3; turns += 1) await turn();
}

describe('a send queue', () => {
  test('writes everything that a turn of the event loop brought in one write, in order', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(1000, unlimited()).open(writer);
    expect([queue.push(frame('a')), queue.push(frame('b')), queue.push(frame('c'))]).toEqual([true, true, true]);
    expect(writer.writes).toEqual([]);
    await turn();
    expect(writer.writes).toEqual([['a', 'b', 'c']]);
  });

  test('joins what comes while a write is under way, and writes it after that', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(1000, unlimited()).open(writer);
    queue.push(frame('a'));
    await turn();
    queue.push(frame('b'));
    await turn();
    queue.push(frame('c'));
    await turn();
    expect(writer.writes).toEqual([['a']]);
    writer.drain();
    await turn();
    expect(writer.writes).toEqual([['a'], ['b', 'c']]);
  });

  test('is written before its time where that is asked for, and nobody is passed over', async () => {
    const queues = new SendQueues(1000, unlimited());
    const written: string[] = [];
    const openNamed = (name: string) =>
      queues.open({
        write: ({ buffers }) => written.push(name + buffers.join('')) > 0,
        terminate: () => expect.unreachable(),
      });
    const [first, early, last, other] = [openNamed('1'), openNamed('2'), openNamed('3'), openNamed('4')];
    for (const queue of [first, early, last]) queue.push(frame('a'));
    early.flushNow();
    early.push(frame('b'));
    last.flushNow();
    last.push(frame('c'));
    other.push(frame('d'));
    await turn();
    expect(written).toEqual(['2a', '3a', '1a', '2b', '3c', '4d']);
    expect(queues.bytes).toBe(0);
  });

  test('is not passed over when a write has something pushed behind one that was written before its time', () => {
    const scheduled: (() => void)[] = [];
    const queues = new SendQueues(1000, unlimited(), (flush) => void scheduled.push(flush));
    const runNext = () => scheduled.shift()?.();
    const written: string[] = [];
    const openNamed = (name: string, onWrite = () => {}) =>
      queues.open({
        write({ buffers }) {
          written.push(name + buffers.join(''));
          onWrite();
          return true;
        },
        terminate: () => expect.unreachable(),
      });
    const first = openNamed('1', () => {
      early.push(frame('b'));
      other.push(frame('c'));
    });
    const [early, other, last] = [openNamed('2'), openNamed('3'), openNamed('4')];
    first.push(frame('a'));
    early.push(frame('a'));
    early.flushNow();
    runNext();
    last.push(frame('d'));
    runNext();
    expect([written.toSorted(), queues.bytes]).toEqual([['1a', '2a', '2b', '3c', '4d'], 0]);
  });

  test('takes a transport that has written at once', async () => {
    const writer = new TestWriter();
    const write = writer.write.bind(writer);
    writer.write = (run, pending) => {
      write(run, pending);
      writer.drain();
      return false;
    };
    const queue = new SendQueues(1000, unlimited()).open(writer);
    queue.push(frame('a'));
    await turn();
    queue.push(frame('b'));
    await turn();
    expect(writer.writes).toEqual([['a'], ['b']]);
    expect([queue.bytes, writer.emptiedCount]).toEqual([0, 2]);
  });

  test('asks a transport that says that it has written for nothing more', async () => {
    const writes: string[] = [];
    const writer = {
      write: ({ last }: FrameRun) => writes.push(String(last)) > 0,
      terminate: () => expect.unreachable(),
    };
    const queues = new SendQueues(1000, unlimited());
    const queue = queues.open(writer);
    for (const text of ['a', 'b']) {
      queue.push(frame(text));
      await turn();
    }
    expect([writes, queue.bytes, queues.bytes]).toEqual([['a', 'b'], 0, 0]);
  });

  test('writes behind a write under way when it is told to, and counts each until it is written', async () => {
    const writes: string[] = [];
    const pending: PendingWrite[] = [];
    let emptied = 0;
    const writer = {
      write(run: FrameRun, write: PendingWrite) {
        writes.push(run.frames.join('+'));
        pending.push(write);
        return false;
      },
      terminate: () => expect.unreachable(),
      emptied: () => {
        emptied += 1;
      },
    };
    const queues = new SendQueues(1000, unlimited());
    const queue = queues.open(writer);
    queue.flushNow();
    queue.push(frame('aaaa'));
    queue.flushNow();
    queue.push(frame('bb'));
    queue.push(frame('c'));
    queue.flushNow();
    queue.push(frame('d'));
    await turn();
    expect([writes, queue.bytes]).toEqual([['aaaa', 'bb+c'], 8]);
    pending.shift()?.written();
    await turn();
    expect([writes, queue.bytes, queues.bytes]).toEqual([['aaaa', 'bb+c'], 4, 4]);
    queue.flushNow();
    pending.shift()?.written();
    expect([writes, queue.bytes, emptied]).toEqual([['aaaa', 'bb+c', 'd'], 1, 0]);
    queue.push(frame('ee'));
    pending.shift()?.written();
    expect([queue.bytes, emptied]).toEqual([2, 0]);
    await turn();
    pending.shift()?.written();
    expect([writes, queue.bytes, queues.bytes, emptied]).toEqual([['aaaa', 'bb+c', 'd', 'ee'], 0, 0, 1]);
  });

  test('counts what its transport has not written', async () => {
    const writer = new TestWriter();
    const queues = new SendQueues(1000, unlimited());
    const queue = queues.open(writer);
    queue.push(frame('aaa'));
    await turn();
    queue.push(frame('bb'));
    expect([queue.bytes, queues.bytes]).toEqual([5, 5]);
    writer.drain();
    expect([queue.bytes, queues.bytes]).toEqual([2, 2]);
    await turn();
    writer.drain();
    expect([queue.bytes, queues.bytes]).toEqual([0, 0]);
  });

  test('takes one frame of any size as often as it is owed, and no more than the limit beside it', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(10, unlimited()).open(writer);
    const large = frame('0123456789ab');
    expect([queue.push(large), queue.push(large), queue.push(large)]).toEqual([true, true, true]);
    await ioTurn();
    expect([queue.push(frame('0123456789')), queue.push(frame('x'))]).toEqual([true, false]);
    expect(writer.cuts).toEqual([{ cause: 'slow', queuedBytes: 47 }]);
    const reading = new SendQueues(10, unlimited()).open(writer);
    reading.push(frame('1234567'));
    await ioTurn();
    // The first time it is one that does not fit.
    expect([reading.push(large), reading.push(large)]).toEqual([false, false]);
  });

  test('cuts the connection once when it is owed more than the limit', async () => {
    const writer = new TestWriter();
    const queues = new SendQueues(10, unlimited());
    const queue = queues.open(writer);
    expect(queue.push(frame('12345'))).toBe(true);
    await ioTurn();
    expect(queue.push(frame('67890'))).toBe(true);
    expect(writer.cuts).toEqual([]);
    expect(queue.push(frame('x'))).toBe(false);
    expect(queue.push(frame('y'))).toBe(false);
    expect(writer.cuts).toEqual([{ cause: 'slow', queuedBytes: 11 }]);
    expect([queue.bytes, queues.bytes]).toEqual([0, 0]);
    writer.drain();
    await turn();
    expect(writer.frames).toEqual(['12345']);
    expect(queues.bytes).toBe(0);
  });

  test('takes whatever a turn brings to a client that reads', async () => {
    const writes: string[] = [];
    const queue = new SendQueues(10, unlimited()).open({
      write: ({ buffers }) => writes.push(buffers.join('')) > 0,
      terminate: () => expect.unreachable(),
    });
    for (const text of ['1234', '5678', '90ab', 'cdef']) expect(queue.push(frame(text))).toBe(true);
    expect(writes).toEqual(['12345678']);
    await turn();
    expect(writes).toEqual(['12345678', '90abcdef']);
  });

  test('writes before its time what would be too much, however late it would be written', () => {
    const writes: string[] = [];
    const queues = new SendQueues(10, unlimited(), () => {});
    const queue = queues.open({
      write: ({ buffers }) => writes.push(buffers.join('')) > 0,
      terminate: () => expect.unreachable(),
    });
    for (const text of ['1234', '5678', '90ab', 'cdef', 'ghij']) expect(queue.push(frame(text))).toBe(true);
    expect([writes, queue.bytes, queues.bytes]).toEqual([['12345678', '90abcdef'], 4, 4]);
  });

  test('cuts nobody for what comes before it can be known whether the client reads', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(10, unlimited()).open(writer);
    for (const text of ['1234', '5678', '90ab', 'cdef', 'ghij']) expect(queue.push(frame(text))).toBe(true);
    await turn();
    // I/O has not had its turn since the write was begun.
    expect([queue.push(frame('k')), queue.bytes]).toEqual([true, 21]);
    await turn();
    // That is no reason to take less from now on: the limit is on what comes beside it.
    expect([queue.push(frame('0123456789')), queue.bytes]).toEqual([true, 31]);
    expect(queue.push(frame('l'))).toBe(false);
    expect(writer.cuts).toEqual([{ cause: 'slow', queuedBytes: 32 }]);
    expect(writer.frames).toEqual(['1234', '5678']);
  });

  test('nor for what comes right behind something little that is under way', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(10, unlimited()).open(writer);
    queue.push(frame('a'));
    await turn();
    for (const text of ['123456', '789012']) expect(queue.push(frame(text))).toBe(true);
    await ioTurn();
    writer.drain();
    // What was excused is for what was owed then, and is less with all that is written.
    await turn();
    expect(queue.bytes).toBe(12);
    expect(queue.push(frame('0123456'))).toBe(true);
    await ioTurn();
    expect([queue.push(frame('xxx')), queue.push(frame('x'))]).toEqual([true, false]);
    expect(writer.cuts).toEqual([{ cause: 'slow', queuedBytes: 23 }]);
  });

  test('excuses a second go where the first one has been written', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(10, unlimited()).open(writer);
    for (let go = 0; go < 3; go += 1) {
      for (const text of ['123456', '789012', '345678']) expect(queue.push(frame(text))).toBe(true);
      for (let writes = 0; writes < 2; writes += 1) {
        await ioTurn();
        writer.drain();
      }
      expect(queue.bytes).toBe(0);
    }
    expect(writer.cuts).toEqual([]);
  });

  test('whose transport throws when it would make room is cut for that, once', () => {
    const writer = new TestWriter();
    writer.write = () => {
      throw new Error('broken');
    };
    const queue = new SendQueues(10, unlimited()).open(writer);
    expect([queue.push(frame('123456')), queue.push(frame('789012')), queue.push(frame('3'))]).toEqual([
      true,
      false,
      false,
    ]);
    expect(writer.cuts).toEqual([{ cause: 'failed', queuedBytes: 6 }]);
  });

  test('takes one frame of any size when there is nothing else in it', async () => {
    const writer = new TestWriter();
    const queue = new SendQueues(10, unlimited()).open(writer);
    expect(queue.push(frame('x'.repeat(50)))).toBe(true);
    await turn();
    writer.drain();
    expect(queue.push(frame('y'))).toBe(true);
    expect(writer.cuts).toEqual([]);
  });

  test('takes nothing and gives its bytes back once its connection has gone', async () => {
    const writer = new TestWriter();
    const queues = new SendQueues(1000, unlimited());
    const queue = queues.open(writer);
    queue.push(frame('a'));
    await turn();
    queue.push(frame('b'));
    queue.close();
    queue.close();
    expect(queue.push(frame('c'))).toBe(false);
    writer.drain();
    await turn();
    expect(writer.frames).toEqual(['a']);
    expect([queue.bytes, queues.bytes, writer.cuts.length]).toEqual([0, 0, 0]);
  });

  test('leaves nothing behind of what a connection that has gone was owed, though nothing comes any more', async () => {
    const queues = new SendQueues(1000, unlimited());
    const queue = queues.open(new TestWriter());
    queue.push(frame('under way'));
    await turn();
    const owed = [frame('first'), frame('second')].map((each) => {
      queue.push(each);
      return new WeakRef(each);
    });
    queue.close();
    await turn();
    heapUsedBytes();
    expect(owed.map((each) => each.deref())).toEqual([undefined, undefined]);
    expect(queues.bytes).toBe(0);
  });

  test('whose transport throws is cut, and no other is disturbed', async () => {
    const [broken, whole] = [new TestWriter(), new TestWriter()];
    broken.write = () => {
      throw new Error('broken');
    };
    const queues = new SendQueues(1000, unlimited());
    const [first, second] = [queues.open(broken), queues.open(whole)];
    first.push(frame('a'));
    second.push(frame('a'));
    await turn();
    expect(broken.cuts).toEqual([{ cause: 'failed', queuedBytes: 1 }]);
    expect(whole.frames).toEqual(['a']);
    expect([first.push(frame('b')), second.push(frame('b'))]).toEqual([false, true]);
  });

  test('gives every connection its frames once and in order, and counts them, whatever the transports do', async () => {
    const action = fc.oneof(
      { weight: 12, arbitrary: fc.constant('push' as const) },
      { weight: 2, arbitrary: fc.constant('drain' as const) },
      { weight: 12, arbitrary: fc.constant('turn' as const) },
      { weight: 1, arbitrary: fc.constant('close' as const) },
    );
    const cuts = { count: 0 };
    const step = fc.record({ chosen: fc.constantFrom(0, 1, 2), action, size: fc.integer({ min: 1, max: 60 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80 }), async (steps) => {
        const budget = new SendBudget(Number.MAX_SAFE_INTEGER, new ManualClock(), () => undefined);
        const queues = new SendQueues(40, budget);
        const connections = [0, 1, 2].map(() => modelConnection(queues, cuts));
        for (const { chosen, action: what, size } of steps) {
          await connections[chosen]?.[what](size);
          expect(budget.bytes).toBe(connections.reduce((sum, { queue }) => sum + queue.bytes, 0));
        }
        for (const connection of connections) await connection.finish();
        expect([queues.bytes, budget.bytes]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
    expect(cuts.count).toBeGreaterThan(0);
  });
});

/** A connection that remembers what its queue took, and compares it with what its transport was given. */
function modelConnection(queues: SendQueues, cuts: { count: number }) {
  const writer = new TestWriter();
  const queue = queues.open(writer);
  const taken: string[] = [];
  const connection = {
    queue,
    push(size: number) {
      const text = String(taken.length).padEnd(size, '.');
      const cutsBefore = writer.cuts.length;
      if (queue.push(frame(text))) taken.push(text);
      expect(writer.cuts.length).toBeLessThanOrEqual(1);
      if (writer.cuts.length === cutsBefore) return;
      // Only who has not taken what was written.
      expect(writer.isWriting).toBe(true);
      expect(writer.cuts[0]?.queuedBytes).toBeGreaterThan(queues.bytesMax);
      cuts.count += 1;
    },
    drain: () => writer.drain(),
    turn: () => turn(),
    close: () => queue.close(),
    async finish() {
      for (let round = 0; round < 2; round += 1) {
        await turn();
        writer.drain();
      }
      const isOpen = queue.push(frame('last'));
      expect(writer.frames).toEqual(isOpen ? taken : taken.slice(0, writer.frames.length));
      queue.close();
    },
  };
  return connection;
}

describe('the send queues of an endpoint', () => {
  test('are flushed when the last of them is empty', async () => {
    const [first, second] = [new TestWriter(), new TestWriter()];
    const queues = new SendQueues(1000, unlimited());
    queues.open(first).push(frame('a'));
    queues.open(second).push(frame('b'));
    let flushed = false;
    const waiting = queues.flushed(new AbortController().signal).then(() => {
      flushed = true;
    });
    await turn();
    first.drain();
    await turn();
    expect(flushed).toBe(false);
    second.drain();
    await waiting;
    expect(flushed).toBe(true);
  });

  test('are flushed of what they owed when it was asked for, whatever comes meanwhile', async () => {
    const [busy, gone] = [new TestWriter(), new TestWriter()];
    const queues = new SendQueues(1000, unlimited());
    const [queue, lost] = [queues.open(busy), queues.open(gone)];
    for (const each of [queue, lost]) each.push(frame('a'));
    const waiting = queues.flushed(new AbortController().signal);
    await turn();
    queue.push(frame('b'));
    expect(queue.isBehind).toBe(true);
    busy.drain();
    lost.close();
    await waiting;
    expect([queue.isBehind, lost.isBehind, queue.bytes]).toEqual([false, false, 1]);
  });

  test('are not waited for when there is nothing in them, nor past the deadline', async () => {
    const queues = new SendQueues(1000, unlimited());
    await queues.flushed(new AbortController().signal);
    queues.open(new TestWriter()).push(frame('a'));
    await queues.flushed(AbortSignal.abort());
    const deadline = new AbortController();
    const waiting = queues.flushed(deadline.signal);
    deadline.abort();
    await waiting;
    expect(queues.bytes).toBe(1);
  });
});

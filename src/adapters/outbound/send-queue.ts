import type { FlushSchedule } from './flush-schedule.ts';
import type { FrameRun } from './frame-run.ts';
import { FrameRuns } from './frame-runs.ts';
import type { Cut, FrameWriter } from './frame-writer.ts';
import { IoTurns } from './io-turns.ts';
import type { BudgetedQueues, SendBudget, StalledQueue } from './send-budget.ts';
import type { PendingWrite } from './write-frames.ts';

/**
 * Frames that one connection is owed. All writing of events goes through here: frames leave in the order in which they
 * came, all those of a turn of the event loop in one write, and never more than one write is under way, so that what a
 * slow client is owed is counted here and not hidden in its transport.
 */
export class SendQueue implements StalledQueue, PendingWrite {
  /** For `SendQueues` only: the one behind it among those that wait to be flushed. The last one has itself. */
  nextWaiting: SendQueue | undefined;
  readonly #writer: FrameWriter;
  readonly #queues: SendQueues;
  /** What is not handed to the transport yet. */
  #run: FrameRun | undefined;
  #bytes = 0;
  #bytesInWrite = 0;
  /** What each write under way has, in order, where one was begun behind another. */
  #writes: number[] | undefined;
  /** Of what was owed when it was marked. */
  #bytesMarked = 0;
  /** Of `IoTurns`, when the write under way was begun, or became the first of several. */
  #writeTurn = 0;
  /** What is owed beside the limit, since it came before it could be known whether the client reads. */
  #excused = 0;
  /** Of the budget, when the write under way was begun. */
  #writeRound = 0;
  #open = true;

  /** Made by `SendQueues.open`. */
  constructor(writer: FrameWriter, queues: SendQueues) {
    this.#writer = writer;
    this.#queues = queues;
  }

  /** What the connection is owed, that part included which its transport has and has not written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether something is not written yet that was owed when it was marked. */
  get isBehind(): boolean {
    return this.#open && this.#bytesMarked > 0;
  }

  /** Remembers what is owed now. */
  mark(): void {
    this.#bytesMarked = this.#bytes;
  }

  /**
   * Queues a frame; false when the connection is closing, or is cut for this frame. A queue with nothing in it takes a
   * frame of any size, also several times: the limit is on what a client has not read, not on what it is sent.
   */
  push(frame: Buffer): boolean {
    if (!this.#open || !(this.#hasRoomFor(frame) || this.#makeRoomFor(frame))) return false;
    const before = this.#run;
    this.#bytes += frame.length;
    this.#run = this.#queues.extend(before, frame);
    if (before === undefined && this.#bytesInWrite === 0) this.#queues.flushSoon(this);
    return true;
  }

  #hasRoomFor(frame: Buffer): boolean {
    const bytes = this.#bytes + frame.length;
    return bytes <= this.#queues.bytesMax + this.#excused || frame === this.#run?.last;
  }

  /** What nobody has tried to write yet tells nothing of a client, and what comes until it does is taken. Else it is cut. */
  #makeRoomFor(frame: Buffer): boolean {
    this.flush();
    if (!this.#open) return false;
    if (this.#hasRoomFor(frame)) return true;
    const queuedBytes = this.#bytes + frame.length;
    const isSlow = this.#bytes > 0 && this.#queues.ioTurns.isOver(this.#writeTurn);
    if (isSlow) this.#cut({ cause: 'slow', queuedBytes });
    else this.#excuse();
    return !isSlow;
  }

  #excuse(): void {
    this.#excused = Number.POSITIVE_INFINITY;
    this.#queues.ioTurns.onceOver(() => {
      this.#excused = this.#bytes;
    });
  }

  /** Writes what is owed, unless a write is under way. */
  flush(): void {
    if (this.#bytesInWrite === 0) this.flushNow();
  }

  /**
   * Writes what is owed, behind a write that is under way as well: for writers whose transport is about to send something
   * that must not overtake it. Such a writer tells of each write that it is written, in their order.
   */
  flushNow(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const isBehind = this.#bytesInWrite > 0;
    if (isBehind) {
      this.#writes ??= [this.#bytesInWrite];
      this.#writes.push(this.#bytes - this.#bytesInWrite);
    } else {
      this.#writeRound = this.#queues.round;
    }
    this.#bytesInWrite = this.#bytes;
    let isWritten: boolean;
    try {
      isWritten = this.#writer.write(run, this);
    } catch {
      this.#cut({ cause: 'failed', queuedBytes: this.#bytes });
      return;
    }
    if (isWritten) this.written();
    else if (!isBehind) this.#writeTurn = this.#queues.ioTurns.begin();
  }

  /** For the writer. */
  written(): void {
    if (!this.#open) return;
    const bytes = this.#writes?.shift() ?? this.#bytesInWrite;
    this.#bytes -= bytes;
    this.#bytesInWrite -= bytes;
    this.#excused = Math.max(0, this.#excused - bytes);
    if (this.#bytesInWrite === 0) {
      this.#writes = undefined;
    } else {
      this.#writeRound = this.#queues.round;
      this.#writeTurn = this.#queues.ioTurns.begin();
    }
    this.#queues.count(-bytes);
    if (this.#bytesMarked > 0) {
      this.#bytesMarked = Math.max(0, this.#bytesMarked - bytes);
      this.#queues.wrote(this);
    }
    if (this.#bytesInWrite > 0) return;
    if (this.#run) this.#queues.flushSoon(this);
    else this.#writer.emptied?.();
  }

  /** Whether the write under way was begun before the round of the budget. */
  isStalledSince(round: number): boolean {
    return this.#bytesInWrite > 0 && this.#writeRound < round;
  }

  cutStalled(): void {
    if (this.#open) this.#cut({ cause: 'slow', queuedBytes: this.#bytes });
  }

  /** The connection has gone: forgets what it was owed. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#queues.forget(this);
    this.#queues.count(-this.#bytes);
    this.#run = undefined;
    this.#bytes = 0;
    this.#queues.wrote(this);
  }

  #cut(cut: Cut): void {
    this.close();
    this.#writer.terminate(cut);
  }
}

type Flush = { readonly behind: Set<SendQueue>; readonly done: () => void };

/** The send queues of one endpoint: what they hold together, and when they are written. */
export class SendQueues implements BudgetedQueues {
  /** For one connection. */
  readonly bytesMax: number;
  readonly #budget: SendBudget;
  readonly #open = new Set<SendQueue>();
  readonly #flushes = new Set<Flush>();
  readonly #schedule: FlushSchedule;
  readonly #runs = new FrameRuns();
  readonly ioTurns = new IoTurns();
  /** Those that are to be flushed, each with the one behind it. */
  #firstWaiting: SendQueue | undefined;
  #lastWaiting: SendQueue | undefined;
  #bytes = 0;

  /** @param bytesMax `sendQueueBytesMax` of the endpoint. @param schedule by default at the end of the turn. */
  constructor(bytesMax: number, budget: SendBudget, schedule: FlushSchedule = setImmediate) {
    this.bytesMax = bytesMax;
    this.#budget = budget;
    this.#schedule = schedule;
    budget.join(this);
  }

  /** What all connections of the endpoint are owed. */
  get bytes(): number {
    return this.#bytes;
  }

  open(writer: FrameWriter): SendQueue {
    const queue = new SendQueue(writer, this);
    this.#open.add(queue);
    return queue;
  }

  /**
   * Resolves when everything is written that is owed now, whatever comes meanwhile, or at once when the signal aborts;
   * never rejects. Queues with something left are behind then.
   */
  async flushed(deadline: AbortSignal): Promise<void> {
    for (const queue of this.#open) queue.mark();
    const behind = new Set([...this.#open].filter(({ isBehind }) => isBehind));
    if (behind.size === 0 || deadline.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const flush = { behind, done: () => resolve() };
    this.#flushes.add(flush);
    deadline.addEventListener('abort', flush.done);
    await promise;
    this.#flushes.delete(flush);
    deadline.removeEventListener('abort', flush.done);
  }

  stalledSince(round: number): readonly SendQueue[] {
    return [...this.#open].filter((queue) => queue.isStalledSince(round));
  }

  /** For the queues themselves: the round that the budget is in. */
  get round(): number {
    return this.#budget.round;
  }

  /** For the queues themselves, when their connection has gone. */
  forget(queue: SendQueue): void {
    this.#open.delete(queue);
    // They hold what it was owed, and nothing may come for long.
    this.#runs.forget();
  }

  /** For the queues themselves. */
  count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.count(bytes);
  }

  /** For the queues themselves, when something is written or will never be. */
  wrote(queue: SendQueue): void {
    if (queue.isBehind) return;
    for (const { behind, done } of this.#flushes) if (behind.delete(queue) && behind.size === 0) done();
  }

  /** For the queues themselves: counts the frame, and has it behind what the connection is owed already. */
  extend(before: FrameRun | undefined, frame: Buffer): FrameRun {
    this.count(frame.length);
    return this.#runs.extend(before, frame);
  }

  /** For the queues themselves: they are flushed when everything that this turn has brought is queued. */
  flushSoon(queue: SendQueue): void {
    // It is among them already where it was flushed before its time, or waits for its turn in a flush that has begun.
    if (queue.nextWaiting) return;
    queue.nextWaiting = queue;
    const last = this.#lastWaiting;
    this.#lastWaiting = queue;
    if (last) {
      last.nextWaiting = queue;
      return;
    }
    this.#firstWaiting = queue;
    this.#schedule(this.#flush);
  }

  readonly #flush = (): void => {
    let queue = this.#firstWaiting;
    this.#firstWaiting = undefined;
    this.#lastWaiting = undefined;
    this.#runs.forget();
    while (queue) {
      const next: SendQueue | undefined = queue.nextWaiting;
      queue.nextWaiting = undefined;
      queue.flush();
      queue = next === queue ? undefined : next;
    }
  };
}

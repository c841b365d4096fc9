import type { Clock } from '../../application/ports/clock.ts';

/**
 * Told when the bytes that clients have not taken become too many (`paused`), and when they have become few again.
 * Must not throw.
 */
export type PressureListener = (paused: boolean, queuedBytes: number) => void;

/** A connection whose write has been under way for too long. */
export interface StalledQueue {
  /** What it is owed. */
  readonly bytes: number;
  /** Cuts the connection as a slow one, and counts what it was owed out of the budget at once. Must not throw. */
  cutStalled(): void;
}

/** Queues that count into the budget. */
export interface BudgetedQueues {
  /** Those whose write under way was begun before the round. */
  stalledSince(round: number): readonly StalledQueue[];
}

/** Of the limit: intake goes on below it, so that it does not go on and off with every frame. */
const resumeShare = 0.75;

/** How long a write may be under way, at the least, before its connection is cut to relieve the others. */
const roundMs = 1000;

/**
 * All bytes in the send queues of a process. One budget is shared by all endpoints.
 *
 * Readers that each stay below their own limit can together exceed the budget, which holds back everybody's events. So
 * while there is pressure, connections that take nothing are cut: every second those are looked for whose write was
 * under way a second ago and still is, and the most owed go first, only until intake goes on. As nothing new comes in
 * meanwhile and a queue is at most two writes, the pressure ends within seconds, whatever clients do.
 */
export class SendBudget {
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #onPressure: PressureListener;
  readonly #members: BudgetedQueues[] = [];
  #bytes = 0;
  #paused = false;
  #round = 0;
  #endRound = () => {};

  /** @param bytesMax `sendQueuesBytesMax` of the config. */
  constructor(bytesMax: number, clock: Clock, onPressure: PressureListener) {
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    this.#onPressure = onPressure;
  }

  /** What is queued now, over all connections. A frame that is owed to several of them counts for each. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Grows when pressure begins, and with every second that it lasts. A write is as old as the round it began in. */
  get round(): number {
    return this.#round;
  }

  /** For queues that count into the budget, for as long as the process lives. */
  join(queues: BudgetedQueues): void {
    this.#members.push(queues);
  }

  /** Counts what came in, or with a negative number what went out. */
  count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#paused ? this.#bytes >= this.#bytesMax * resumeShare : this.#bytes <= this.#bytesMax) return;
    this.#paused = !this.#paused;
    if (this.#paused) this.#beginRound();
    else this.#endRound();
    this.#onPressure(this.#paused, this.#bytes);
  }

  #beginRound(): void {
    this.#round += 1;
    this.#endRound = this.#clock.schedule(roundMs, () => {
      // After a long turn of the event loop, writes that are done are known to be only when I/O has had its turn.
      const sweep = setImmediate(this.#sweep);
      this.#endRound = () => clearImmediate(sweep);
    });
  }

  readonly #sweep = (): void => {
    const stalled = this.#members.flatMap((queues) => queues.stalledSince(this.#round));
    stalled.sort((one, other) => other.bytes - one.bytes);
    // First, so that relief calls it off.
    this.#beginRound();
    for (const queue of stalled) {
      if (!this.#paused) return;
      queue.cutStalled();
    }
  };
}

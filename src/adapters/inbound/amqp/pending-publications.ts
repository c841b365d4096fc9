import type { Clock } from '../../../application/ports/clock.ts';
import { Fifo } from '../../fifo.ts';
import type { Publication } from './amqp-message.ts';

/** Something to be published, until the broker has confirmed it. */
export type Pending = {
  /** Let go of when it is done: who still has this, such as amqplib, keeps no payload. */
  publication: Publication;
  readonly dueAt: number;
  readonly settled: PromiseWithResolvers<void>;
  isDone: boolean;
  /** The broker has said that it leads nowhere; it confirms it nevertheless, right after that. */
  isReturned: boolean;
};

export type PendingLimits = {
  readonly pendingMax: number;
  readonly pendingBytesMax: number;
  readonly confirmTimeoutMs: number;
};

const nothing: Publication = { exchange: '', key: '', content: Buffer.alloc(0), options: {} };

/** Counts what is pending, and calls `onLate` for what has been for too long. */
export class PendingPublications {
  readonly #limits: PendingLimits;
  readonly #clock: Clock;
  readonly #onLate: (pending: Pending) => void;
  /** In the order of coming due, since all may take equally long. */
  readonly #all = new Fifo<Pending>();
  #count = 0;
  #bytes = 0;
  #stopTimer: (() => void) | undefined;

  constructor(limits: PendingLimits, clock: Clock, onLate: (pending: Pending) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onLate = onLate;
  }

  /** @returns nothing when as many as may be are pending. */
  add(publication: Publication): Pending | undefined {
    const { pendingMax, pendingBytesMax, confirmTimeoutMs } = this.#limits;
    const bytes = publication.content.length;
    if (this.#count > 0 && (this.#count >= pendingMax || this.#bytes + bytes > pendingBytesMax)) return undefined;
    this.#count += 1;
    this.#bytes += bytes;
    const pending: Pending = {
      publication,
      dueAt: this.#clock.now() + confirmTimeoutMs,
      settled: Promise.withResolvers(),
      isDone: false,
      isReturned: false,
    };
    this.#all.push(pending);
    if (!this.#stopTimer) this.#armTimer();
    return pending;
  }

  /** @param error why it has failed; nothing when it has not. */
  finish(pending: Pending, error?: unknown): void {
    if (pending.isDone) return;
    pending.isDone = true;
    this.#count -= 1;
    this.#bytes -= pending.publication.content.length;
    pending.publication = nothing;
    if (error === undefined) pending.settled.resolve();
    else pending.settled.reject(error);
    this.#trim();
  }

  finishAll(error: unknown): void {
    for (let next = this.#all.first; next; next = this.#all.first) {
      this.finish(next, error);
      this.#trim();
    }
  }

  #trim(): void {
    while (this.#all.first?.isDone) this.#all.shift();
    if (this.#all.first) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #armTimer(): void {
    const next = this.#all.first;
    this.#stopTimer = next && this.#clock.schedule(next.dueAt - this.#clock.now(), () => this.#due());
  }

  #due(): void {
    for (let next = this.#all.first; next && next.dueAt <= this.#clock.now(); next = this.#all.first) {
      this.#onLate(next);
      this.#trim();
    }
    this.#armTimer();
  }
}

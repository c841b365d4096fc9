import type { DrainResult, SourceState } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';
import { sourceStartedAlready } from './source-fault.ts';

/** The states that every source goes through, once, observed as they change; and how many messages it has in hand. */
export class SourceLife {
  readonly #source: string;
  readonly #observer: Observer;
  #state: SourceState = { kind: 'stopped' };
  #pauseReason: string | undefined;
  #begun = false;
  #inFlight = 0;
  #settledInDrain = 0;
  #onIdle: (() => void) | undefined;

  constructor(source: string, observer: Observer) {
    this.#source = source;
    this.#observer = observer;
  }

  get state(): SourceState {
    return this.#state;
  }

  /** Messages that were handed over and are not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  take(messages = 1): void {
    this.#inFlight += messages;
  }

  /** One of those that were taken. */
  settle(): void {
    if (this.#state.kind === 'draining') this.#settledInDrain += 1;
    this.release();
  }

  /** One of those that were taken is in hand no more, and is not settled. */
  release(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) this.#onIdle?.();
  }

  /** Throws a `Fault` when the source has been started or drained before. */
  begin(): void {
    if (this.#begun) throw sourceStartedAlready(this.#source);
    this.#begun = true;
    this.#become({ kind: 'starting' });
  }

  /** Consuming, or paused where that has been asked for in the meantime. */
  consume(): void {
    const reason = this.#pauseReason;
    this.#become(reason === undefined ? { kind: 'consuming' } : { kind: 'paused', reason });
  }

  /**
   * Not consuming: what it needs is not there. `consume` says that it is back.
   * @param isConnected whether the broker is there.
   */
  wait(reason: string, isConnected = false): void {
    const state = this.#state;
    if (state.kind === 'waiting' && state.reason === reason && state.isConnected === isConnected) return;
    this.#become({ kind: 'waiting', reason, isConnected });
  }

  /** Whether a broker's messages may be handed over. One queue that is waited for keeps no other from that. */
  get isReady(): boolean {
    const { kind } = this.#state;
    return (kind === 'consuming' || kind === 'waiting') && this.#pauseReason === undefined;
  }

  pause(reason: string): void {
    if (this.#pauseReason === reason) return;
    this.#pauseReason = reason;
    if (this.#state.kind === 'consuming' || this.#state.kind === 'paused') this.consume();
  }

  resume(): void {
    this.#pauseReason = undefined;
    if (this.#state.kind === 'paused') this.consume();
  }

  /** False when the source was never started, and from now on never will be. */
  drain(): boolean {
    if (this.#begun) this.#become({ kind: 'draining' });
    else this.#begun = true;
    return this.#state.kind === 'draining';
  }

  /**
   * Resolves when nothing is in flight any more, or when the signal aborts.
   * @param hasNext whether the source is going to take more; by default it takes nothing while it drains.
   */
  async idle(deadline: AbortSignal, hasNext: () => boolean = () => false): Promise<DrainResult> {
    const isBusy = () => this.#inFlight > 0 || hasNext();
    if (isBusy() && !deadline.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const finish = () => resolve();
      this.#onIdle = () => {
        if (!isBusy()) finish();
      };
      deadline.addEventListener('abort', finish);
      await promise;
      deadline.removeEventListener('abort', finish);
    }
    return { settled: this.#settledInDrain, abandoned: this.#inFlight };
  }

  stop(): void {
    this.#become({ kind: 'stopped' });
  }

  #become(state: SourceState): void {
    this.#state = state;
    this.#observer.observe({ kind: 'source-state', source: this.#source, state });
  }
}

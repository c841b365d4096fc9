import type { SourceState } from '../application/ports/event-source.ts';
import type { Observer } from '../application/ports/observer.ts';
import { sourceStartedAlready } from './source-fault.ts';

/** The states that every source goes through, once, observed as they change. */
export class SourceLife {
  readonly #source: string;
  readonly #observer: Observer;
  #state: SourceState = { kind: 'stopped' };
  #pauseReason: string | undefined;
  #begun = false;

  constructor(source: string, observer: Observer) {
    this.#source = source;
    this.#observer = observer;
  }

  get state(): SourceState {
    return this.#state;
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

  stop(): void {
    this.#become({ kind: 'stopped' });
  }

  #become(state: SourceState): void {
    this.#state = state;
    this.#observer.observe({ kind: 'source-state', source: this.#source, state });
  }
}

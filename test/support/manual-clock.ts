import type { Clock } from '../../src/application/ports/clock.ts';

type Timer = { readonly at: number; readonly callback: () => void };

/** Time stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** How many waits and schedules have not come due. */
  get pending(): number {
    return this.#timers.size;
  }

  wait(delayMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.schedule(delayMs, finish);
      const abort = () => {
        stop();
        finish();
      };
      signal.addEventListener('abort', abort, { once: true });
      function finish() {
        signal.removeEventListener('abort', abort);
        resolve();
      }
    });
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Moves time and calls back everything that came due on the way, in order. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}

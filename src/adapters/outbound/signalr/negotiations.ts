import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../application/ports/clock.ts';

export type NegotiatedVersion = 0 | 1;

/** `token` is what the client comes back with; `connection` is no secret. */
export type Negotiated = { readonly connection: string; readonly token: string };

type Waiting = { readonly connection: string; readonly until: number };

/** Who has negotiated and is still to connect, for a while; and who has connected since (signalr-protocol 7). */
export class Negotiations {
  readonly #clock: Clock;
  readonly #waitMsMax: number;
  readonly #waitingMax: number;
  /** In the order in which they end. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #taken = new Set<string>();

  constructor(clock: Clock, limits: { readonly waitMsMax: number; readonly waitingMax: number }) {
    this.#clock = clock;
    this.#waitMsMax = limits.waitMsMax;
    this.#waitingMax = limits.waitingMax;
  }

  /** Nothing when as many as may be are still to connect. */
  begin(connection: string, version: NegotiatedVersion): Negotiated | undefined {
    this.forgetLate();
    if (this.#waiting.size >= this.#waitingMax) return undefined;
    const token = version === 0 ? connection : randomUUID();
    this.#waiting.set(token, { connection, until: this.#clock.now() + this.#waitMsMax });
    return { connection, token };
  }

  /** The connection that a token is for, whether or not it is taken already. */
  connectionOf(token: string): string | undefined {
    this.forgetLate();
    return this.#waiting.get(token)?.connection;
  }

  /** Each token is for one connection. To be released when that has ended. */
  take(token: string): 'taken-now' | 'taken-before' | 'unknown' {
    this.forgetLate();
    if (this.#taken.has(token)) return 'taken-before';
    if (!this.#waiting.delete(token)) return 'unknown';
    this.#taken.add(token);
    return 'taken-now';
  }

  release(token: string): void {
    this.#taken.delete(token);
  }

  forgetLate(): void {
    const now = this.#clock.now();
    for (const [token, { until }] of this.#waiting) {
      if (until > now) return;
      this.#waiting.delete(token);
    }
  }
}

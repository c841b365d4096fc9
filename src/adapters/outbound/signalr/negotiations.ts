import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Principal } from '../../../domain/principal.ts';

export type NegotiatedVersion = 0 | 1;

/** `token` is what the client comes back with; `connection` is no secret. */
export type Negotiated = { readonly connection: string; readonly token: string };

/** Issuer and subject; `undefined` for nobody in particular. */
export type Caller = string | undefined;

type Waiting = { readonly connection: string; readonly caller: Caller; readonly until: number };

export type NegotiationLimits = {
  readonly waitMsMax: number;
  readonly waitingMax: number;
  /** Of one caller, who is somebody. */
  readonly waitingOfCallerMax: number;
};

/**
 * Who has negotiated and is still to connect, for a while; and who has connected since (signalr-protocol 7). A token is of
 * use to the caller only who negotiated it.
 */
export class Negotiations {
  readonly #clock: Clock;
  readonly #limits: NegotiationLimits;
  /** In the order in which they end. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #waitingOf = new Map<Caller, number>();
  /** Tokens that are taken, and by whom. */
  readonly #taken = new Map<string, Caller>();

  constructor(clock: Clock, limits: NegotiationLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Nothing when as many as may be are still to connect. */
  begin(connection: string, version: NegotiatedVersion, caller: Caller): Negotiated | undefined {
    this.forgetLate();
    const ofCaller = this.#waitingOf.get(caller) ?? 0;
    const { waitingMax, waitingOfCallerMax, waitMsMax } = this.#limits;
    if (this.#waiting.size >= waitingMax || (caller !== undefined && ofCaller >= waitingOfCallerMax)) return undefined;
    const token = version === 0 ? connection : randomUUID();
    this.#waiting.set(token, { connection, caller, until: this.#clock.now() + waitMsMax });
    this.#waitingOf.set(caller, ofCaller + 1);
    return { connection, token };
  }

  /** The connection that a token is for, until it is taken. */
  connectionOf(token: string): string | undefined {
    this.forgetLate();
    return this.#waiting.get(token)?.connection;
  }

  /** Whether somebody may take a token now. */
  stateOf(token: string, caller: Caller): 'free' | 'taken' | 'unknown' {
    this.forgetLate();
    if (this.#taken.has(token)) return this.#taken.get(token) === caller ? 'taken' : 'unknown';
    const waiting = this.#waiting.get(token);
    return waiting && waiting.caller === caller ? 'free' : 'unknown';
  }

  /** Each token that is free is for one connection. To be released when that has ended. */
  take(token: string, caller: Caller): void {
    this.#forget(token, caller);
    this.#taken.set(token, caller);
  }

  release(token: string): void {
    this.#taken.delete(token);
  }

  forgetLate(): void {
    const now = this.#clock.now();
    for (const [token, { until, caller }] of this.#waiting) {
      if (until > now) return;
      this.#forget(token, caller);
    }
  }

  #forget(token: string, caller: Caller): void {
    this.#waiting.delete(token);
    const left = (this.#waitingOf.get(caller) ?? 1) - 1;
    if (left === 0) this.#waitingOf.delete(caller);
    else this.#waitingOf.set(caller, left);
  }
}

/** Who somebody is, by all the tokens that were presented. */
export function callerOf({ credentials }: Principal): Caller {
  const subjects = credentials.map(({ name, claims }) => [name, claims['iss'], claims['sub']]);
  const isSomebody = subjects.length > 0 && subjects.every(([, , subject]) => subject !== undefined);
  return isSomebody ? JSON.stringify(subjects) : undefined;
}

import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { Fault } from '../../application/fault.ts';
import type { Clock } from '../../application/ports/clock.ts';
import type { Observer } from '../../application/ports/observer.ts';
import { boundedFetch } from '../bounded-fetch.ts';
import { keysUnavailable } from './identity-fault.ts';
import { type KeyDocumentFormat, type ReadKeys, readKeyDocument } from './key-document.ts';
import type { TokenSettings } from './token-settings.ts';

export type KeysState = {
  /** The name of the kind of token. */
  readonly issuer: string;
  /** Whether its tokens can be verified now. */
  readonly ok: boolean;
  /** What is wrong, also while keys from before are still good. */
  readonly reason?: string | undefined;
};

export type RemoteKeysSettings = Pick<TokenSettings, 'cacheMsMax' | 'keysGraceMs' | 'cooldownMs' | 'timeoutMs'> & {
  readonly url: string;
  readonly format: KeyDocumentFormat;
};

type Held = {
  readonly select: JWTVerifyGetKey;
  readonly fetchedAt: number;
  /** The keys as text, whatever their order. */
  readonly text: string;
  readonly generation: symbol;
};

const firstRetryMs = 1000;
const documentBytesMax = 1_048_576;

/**
 * The keys of an issuer, fetched anew every `cacheMsMax` and when a token names an unknown key id, at most once within
 * `cooldownMs`. However many wait, there is one fetch at a time.
 *
 * While the issuer cannot be reached, only a timer tries again (1 s, 2 s, 4 s … up to `cooldownMs`), never a client; the
 * keys from before count for another `keysGraceMs`. Choosing among the keys is left to jose, whose own remote key set
 * forgets its keys the moment that the issuer is away and then asks again for every token.
 */
export class RemoteKeys {
  readonly #kind: string;
  readonly #settings: RemoteKeysSettings;
  readonly #clock: Clock;
  readonly #observer: Observer;
  #held: Held | undefined;
  #pending: Promise<void> | undefined;
  #failure: string | undefined;
  #failures = 0;
  #stopTimer: () => void = () => {};
  #closed = false;

  constructor(
    kind: string,
    settings: RemoteKeysSettings,
    deps: { readonly clock: Clock; readonly observer: Observer },
  ) {
    this.#kind = kind;
    this.#settings = settings;
    this.#clock = deps.clock;
    this.#observer = deps.observer;
  }

  get state(): KeysState {
    const reason = this.#held ? this.#failure : (this.#failure ?? 'its keys have not been fetched yet');
    return { issuer: this.#kind, ok: this.#ageOf(this.#held) <= this.#ageMsMax, reason };
  }

  /** Another one whenever the keys are others; `undefined` while there are none that count without a fetch. */
  get generation(): symbol | undefined {
    return this.#isGood(this.#held) ? this.#held.generation : undefined;
  }

  /** Fetches the keys if that has not been done; resolves, never rejects, once it is known how that went. */
  async warm(): Promise<void> {
    if (!this.#held) await this.#refresh();
  }

  /** The key for a token, or jose's `JWKSNoMatchingKey`. Rejects with a `Fault` when there is no telling. */
  readonly select: JWTVerifyGetKey = async (header, token) => {
    const askedAt = this.#clock.now();
    const held = await this.#current();
    try {
      return await held.select(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (this.#failure !== undefined) throw this.#unavailable();
      const newest = await this.#notOlderThan(askedAt);
      return await newest.select(header, token);
    }
  };

  /** For a key that is not there: it may be a new one, which only the issuer knows. */
  async #notOlderThan(askedAt: number): Promise<Held> {
    const isNew = (held: Held | undefined): held is Held => held !== undefined && held.fetchedAt >= askedAt;
    if (isNew(this.#held)) return this.#held;
    // Whether somebody has asked for it just before cannot be told, and the issuer is not asked again so soon.
    const cooldownLeftMs = this.#settings.cooldownMs - this.#ageOf(this.#held);
    if (cooldownLeftMs > 0) throw keysUnavailable(this.#kind, 'it may have a key that is newer', cooldownLeftMs);
    await this.#refresh();
    if (isNew(this.#held)) return this.#held;
    throw this.#unavailable();
  }

  /** Ends the timer. Keys that are there can still be used. */
  close(): void {
    this.#closed = true;
    this.#stopTimer();
  }

  get #ageMsMax(): number {
    return this.#settings.cacheMsMax + this.#settings.keysGraceMs;
  }

  #ageOf(held: Held | undefined): number {
    return held ? this.#clock.now() - held.fetchedAt : Infinity;
  }

  #isGood(held: Held | undefined): held is Held {
    const age = this.#ageOf(held);
    return held !== undefined && age <= (this.#failure === undefined ? this.#settings.cacheMsMax : this.#ageMsMax);
  }

  async #current(): Promise<Held> {
    const held = this.#held;
    if (this.#isGood(held)) return held;
    if (this.#failure === undefined || this.#pending) await this.#refresh();
    if (this.#held && this.#ageOf(this.#held) <= this.#ageMsMax) return this.#held;
    throw this.#unavailable();
  }

  #unavailable(): Fault {
    return keysUnavailable(this.#kind, this.#failure ?? 'its keys have not been fetched yet');
  }

  #refresh(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    this.#stopTimer();
    try {
      const { keys, ignored } = await this.#fetchDocument();
      this.#hold(keys);
      this.#failure = undefined;
      this.#failures = 0;
      this.#observe('fetched', ignored > 0 ? this.#unusable(`${ignored} of its keys cannot be used`) : undefined);
      this.#schedule(this.#settings.cacheMsMax);
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : 'its keys cannot be had';
      this.#observe(this.#ageOf(this.#held) <= this.#ageMsMax ? 'stale' : 'failed', error);
      this.#schedule(Math.min(firstRetryMs * 2 ** this.#failures, this.#settings.cooldownMs));
      this.#failures += 1;
    }
  }

  #hold(keys: JSONWebKeySet): void {
    const fetchedAt = this.#clock.now();
    const text = keys.keys
      .map((key) => JSON.stringify(key))
      .sort()
      .join();
    if (this.#held?.text === text) this.#held = { ...this.#held, fetchedAt };
    else this.#held = { select: createLocalJWKSet(keys), fetchedAt, text, generation: Symbol(this.#kind) };
  }

  async #fetchDocument(): Promise<ReadKeys> {
    const { url, format, timeoutMs } = this.#settings;
    const subject = `the keys of "${this.#kind}"`;
    const headers = { accept: 'application/json, application/jwk-set+json' };
    const answer = await boundedFetch(url, { subject, headers, timeoutMs, bytesMax: documentBytesMax });
    if (answer.status !== 200) throw this.#unusable(`the key server answered ${answer.status}`);
    const keys = readKeyDocument(answer.text, format);
    if (!keys.ok) throw this.#unusable(keys.reason);
    return keys.value;
  }

  #unusable(reason: string): Fault {
    return new Fault('issuer_keys_unusable', 'retry', `the keys of "${this.#kind}": ${reason}`);
  }

  #observe(outcome: 'fetched' | 'stale' | 'failed', error?: unknown): void {
    this.#observer.observe({ kind: 'issuer-keys', issuer: this.#kind, outcome, ...(error ? { error } : {}) });
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#stopTimer = this.#clock.schedule(delayMs, () => void this.#refresh());
  }
}

import { callErrors } from './call-error.ts';
import type { HubMessage } from './hub-message.ts';
import type { HubSubscriptions } from './hub-subscriptions.ts';
import type { SignalrSettings } from './signalr-settings.ts';

type Invocation = Extract<HubMessage, { kind: 'invocation' }>;
type StreamInvocation = Extract<HubMessage, { kind: 'stream-invocation' }>;

export type CallOwner = {
  /** Sends the completion of a call. */
  complete(id: string, error?: string): void;
};

export type CallSettings = Pick<SignalrSettings, 'subscriptions' | 'streaming' | 'subscriptionsPerConnectionMax'>;

/** What one client invokes. Names of methods are those of .NET: their case does not matter. */
export class HubCalls<Owner extends CallOwner> {
  readonly #owner: Owner;
  readonly #subscriptions: HubSubscriptions<Owner>;
  readonly #settings: CallSettings;
  readonly #streams = new Set<string>();

  constructor(owner: Owner, subscriptions: HubSubscriptions<Owner>, settings: CallSettings) {
    this.#owner = owner;
    this.#subscriptions = subscriptions;
    this.#settings = settings;
  }

  /** The ids of the open streams, through which events go while there are some. */
  get streams(): ReadonlySet<string> {
    return this.#streams;
  }

  invoke({ id, method, args }: Invocation): void {
    const complete = (error: string | undefined) => {
      if (id !== undefined) this.#owner.complete(id, error);
    };
    const outcome = this.#call(method, args);
    // What is known now is answered now, in the order of the calls.
    if (outcome instanceof Promise) void outcome.then(complete);
    else complete(outcome);
  }

  stream({ id, method, args }: StreamInvocation): void {
    const error = this.#streamError(id, method, args);
    if (error === undefined) this.#streams.add(id);
    else this.#owner.complete(id, error);
  }

  /** As ASP.NET, a stream that is cancelled is completed. */
  cancel(id: string): void {
    if (this.#streams.delete(id)) this.#owner.complete(id);
  }

  end(): void {
    this.#streams.clear();
    this.#subscriptions.end();
  }

  #call(method: string, args: readonly unknown[]): string | undefined | Promise<string | undefined> {
    switch (this.#known(method)) {
      case 'subscribe':
        return this.#subscriptions.subscribe(method, args);
      case 'unsubscribe':
        return this.#subscriptions.unsubscribe(method, args);
      case 'stream':
        return callErrors.streaming(method);
      case undefined:
        return callErrors.unknown(method);
    }
  }

  #streamError(id: string, method: string, args: readonly unknown[]): string | undefined {
    const known = this.#known(method);
    if (known === undefined) return callErrors.unknown(method);
    if (known !== 'stream') return callErrors.notStreaming(method);
    if (this.#streams.has(id)) return callErrors.idTaken(id);
    if (args.length > 0) return callErrors.args(method);
    const isFull = this.#streams.size >= this.#settings.subscriptionsPerConnectionMax;
    return isFull ? callErrors.coded(method, 'subscriptions_too_many') : undefined;
  }

  #known(method: string): 'subscribe' | 'unsubscribe' | 'stream' | undefined {
    const name = method.toLowerCase();
    if (name === 'stream') return this.#settings.streaming ? name : undefined;
    return (name === 'subscribe' || name === 'unsubscribe') && this.#settings.subscriptions ? name : undefined;
  }
}

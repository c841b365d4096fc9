import type { FeedBroker, FeedKind } from './feeds.ts';

/** Brokers that are started when they are first wanted, and once. */
export class BrokerPool implements AsyncDisposable {
  readonly #brokers = new Map<FeedKind, Promise<FeedBroker>>();

  /** Rejects each time with the same error where it does not start. */
  get(kind: FeedKind): Promise<FeedBroker> {
    const known = this.#brokers.get(kind) ?? kind.start();
    this.#brokers.set(kind, known);
    return known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of await Promise.allSettled(this.#brokers.values())) {
      if (each.status === 'fulfilled') await each.value[Symbol.asyncDispose]();
    }
  }
}

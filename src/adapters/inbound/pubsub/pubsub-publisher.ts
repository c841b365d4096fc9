import { v1 } from '@google-cloud/pubsub';
import type { BackOff } from '../../../application/back-off.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type { Event } from '../../../domain/event.ts';
import { Fifo } from '../../fifo.ts';
import { openPubSubClient, pubsubAddress } from './pubsub-client.ts';
import { publisherDraining, publisherFull, pubsubFault, unpublishable } from './pubsub-fault.ts';
import { type Publication, publicationOf, requestBytesMax } from './pubsub-publication.ts';
import type { PubSubConnection } from './pubsub-settings.ts';
import { fullName } from './resource-name.ts';

export type PublishLimits = {
  readonly pendingMax: number;
  readonly pendingBytesMax: number;
  readonly confirmTimeoutMs: number;
};

/** Of its connection. gRPC would wait for up to two minutes. */
const reconnect: BackOff = { delayMsMin: 200, delayMsMax: 5000 };

/** Of one request (https://cloud.google.com/pubsub/quotas#resource_limits). */
const messagesPerRequestMax = 1000;

type Pending = { readonly publication: Publication; readonly settled: PromiseWithResolvers<void> };

/** Events of one topic and key, of which one request at a time is under way, so that they keep their order. */
type Lane = { readonly name: string; readonly topic: string; readonly waiting: Fifo<Pending>; isBusy: boolean };

/**
 * Publishes each event once, in the order of its topic and key: what could not be published is refused, and nothing is
 * tried again here.
 */
export class PubSubPublisher implements EventPublisher {
  readonly #source: string;
  readonly #connection: PubSubConnection;
  readonly #limits: PublishLimits;
  readonly #lanes = new Map<string, Lane>();
  #opened: Promise<v1.PublisherClient> | undefined;
  #count = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(source: string, connection: PubSubConnection, limits: PublishLimits) {
    this.#source = source;
    this.#connection = connection;
    this.#limits = limits;
  }

  async publish(event: Event): Promise<void> {
    if (this.#isClosed) throw publisherDraining(this.#source);
    const publication = publicationOf(event);
    if (!publication.ok) throw unpublishable(this.#source, publication.reason);
    const { pendingMax, pendingBytesMax } = this.#limits;
    const { bytes } = publication.value;
    const isFull = this.#count >= pendingMax || this.#bytes + bytes > pendingBytesMax;
    if (this.#count > 0 && isFull) throw publisherFull(this.#source);
    const pending = { publication: publication.value, settled: Promise.withResolvers<void>() };
    this.#count += 1;
    this.#bytes += bytes;
    const lane = this.#laneOf(publication.value);
    lane.waiting.push(pending);
    // With the turn, so that what comes in one goes in one request.
    if (!lane.isBusy) {
      lane.isBusy = true;
      setImmediate(() => void this.#work(lane));
    }
    try {
      await pending.settled.promise;
    } finally {
      this.#count -= 1;
      this.#bytes -= bytes;
    }
  }

  /** What is under way is waited for; what waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const fault = publisherDraining(this.#source);
    for (const { waiting } of this.#lanes.values()) {
      for (let next = waiting.shift(); next; next = waiting.shift()) next.settled.reject(fault);
    }
    const publisher = await this.#opened?.catch(() => undefined);
    await publisher?.close();
  }

  #laneOf({ topic, key }: Publication): Lane {
    const full = fullName('topics', topic, this.#connection.project);
    const name = `${full} ${key}`;
    const existing = this.#lanes.get(name);
    if (existing) return existing;
    const lane = { name, topic: full, waiting: new Fifo<Pending>(), isBusy: false };
    this.#lanes.set(name, lane);
    return lane;
  }

  async #work(lane: Lane): Promise<void> {
    for (let batch = nextBatch(lane); batch.length > 0; batch = nextBatch(lane)) await this.#send(lane.topic, batch);
    this.#lanes.delete(lane.name);
  }

  async #send(topic: string, batch: readonly Pending[]): Promise<void> {
    try {
      this.#opened ??= this.#open();
      const publisher = await this.#opened;
      const messages = batch.map(({ publication }) => publication.message);
      await publisher.publish({ topic, messages }, { timeout: this.#limits.confirmTimeoutMs, retry: null });
      for (const { settled } of batch) settled.resolve();
    } catch (error) {
      const place = {
        source: this.#source,
        resource: `topic "${topic}"`,
        permission: 'pubsub.topics.publish',
        address: pubsubAddress(this.#connection),
      };
      const fault = pubsubFault(error, place);
      for (const { settled } of batch) settled.reject(fault);
    }
  }

  async #open(): Promise<v1.PublisherClient> {
    try {
      const { options } = await openPubSubClient(this.#connection, reconnect);
      return new v1.PublisherClient({ ...options });
    } catch (error) {
      // The next event asks for credentials again.
      this.#opened = undefined;
      throw error;
    }
  }
}

function nextBatch({ waiting }: Lane): readonly Pending[] {
  const batch: Pending[] = [];
  let bytes = 0;
  for (let next = waiting.first; next && batch.length < messagesPerRequestMax; next = waiting.first) {
    bytes += next.publication.bytes;
    if (batch.length > 0 && bytes > requestBytesMax) break;
    waiting.shift();
    batch.push(next);
  }
  return batch;
}

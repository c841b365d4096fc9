import { randomUUID } from 'node:crypto';
import { type CreateSubscriptionOptions, type protos, v1 } from '@google-cloud/pubsub';
import { openPubSubClient } from '../../src/adapters/inbound/pubsub/pubsub-client.ts';

export const pubsubProject = 'edgeward-test';

export type BrokerMessage = {
  readonly payload: Uint8Array;
  readonly key?: string;
  readonly attributes?: ReadonlyMap<string, string>;
};

export type PulledFromBroker = BrokerMessage & {
  readonly attributes: ReadonlyMap<string, string>;
  /** Seconds since the epoch. */
  readonly publishedAt: number;
};

/** What a test does on a broker, past the source that it tests. */
export type PubSubBroker = AsyncDisposable & {
  /** `host:port` */
  readonly host: string;
  createTopic(topic: string): Promise<void>;
  createSubscription(topic: string, subscription: string, options?: CreateSubscriptionOptions): Promise<void>;
  deleteSubscription(subscription: string): Promise<void>;
  /** Those of a topic. */
  subscriptions(topic: string): Promise<readonly string[]>;
  publish(topic: string, message: BrokerMessage): Promise<void>;
  /** Takes what there is, for good. */
  pull(subscription: string): Promise<readonly PulledFromBroker[]>;
  /**
   * Which messages of a subscription the broker has not been told to forget, those included that somebody has in
   * hand: a snapshot says which these are, and another subscription, set to it, brings them.
   *
   * @param copy of the same topic, there before the messages were published, and for nothing else.
   */
  unacknowledged(subscription: string, copy: string): Promise<readonly PulledFromBroker[]>;
};

export async function openPubSubBroker(host: string): Promise<PubSubBroker> {
  const client = await openPubSubClient({ project: pubsubProject, emulator: host });
  const publisher = new v1.PublisherClient({ ...client.options });
  const subscriber = new v1.SubscriberClient({ ...client.options });
  const subscriptionName = (id: string) => `projects/${pubsubProject}/subscriptions/${id}`;

  async function pull(id: string): Promise<readonly PulledFromBroker[]> {
    const pulled: PulledFromBroker[] = [];
    const subscription = subscriptionName(id);
    for (;;) {
      const [{ receivedMessages }] = await subscriber.pull({
        subscription,
        maxMessages: 1000,
        returnImmediately: true,
      });
      if (!receivedMessages || receivedMessages.length === 0) return pulled;
      pulled.push(...receivedMessages.map(({ message }) => fromBroker(message)));
      await subscriber.acknowledge({ subscription, ackIds: receivedMessages.map(({ ackId }) => ackId ?? '') });
    }
  }

  return {
    host,
    createTopic: async (topic) => void (await client.createTopic(topic)),
    createSubscription: async (topic, subscription, options) =>
      void (await client.createSubscription(topic, subscription, { ackDeadlineSeconds: 10, ...options })),
    deleteSubscription: async (subscription) => void (await client.subscription(subscription).delete()),
    async subscriptions(topic) {
      const [found] = await client.topic(topic).getSubscriptions();
      return found.map(({ name }) => name.split('/').at(-1) ?? '');
    },
    async publish(topic, { payload, key, attributes = new Map() }) {
      const message = {
        data: payload,
        attributes: Object.fromEntries(attributes),
        ...(key === undefined ? {} : { orderingKey: key }),
      };
      await publisher.publish({ topic: `projects/${pubsubProject}/topics/${topic}`, messages: [message] });
    },
    pull,
    async unacknowledged(subscription, copy) {
      const snapshot = `projects/${pubsubProject}/snapshots/copy-${randomUUID()}`;
      await subscriber.createSnapshot({ name: snapshot, subscription: subscriptionName(subscription) });
      await subscriber.seek({ subscription: subscriptionName(copy), snapshot });
      await subscriber.deleteSnapshot({ snapshot });
      return pull(copy);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), publisher.close(), subscriber.close()]);
    },
  };
}

const fromBroker = (message: protos.google.pubsub.v1.IPubsubMessage | null | undefined): PulledFromBroker => ({
  payload: Buffer.from(message?.data ?? ''),
  key: message?.orderingKey ?? '',
  attributes: new Map(Object.entries(message?.attributes ?? {})),
  publishedAt: Number(message?.publishTime?.seconds) + Number(message?.publishTime?.nanos) / 1e9,
});

import { randomUUID } from 'node:crypto';
import type { PubSub } from '@google-cloud/pubsub';
import type { Fault } from '../../../application/fault.ts';
import {
  alreadyExists,
  notFound,
  type PubSubPlace,
  permissionDenied,
  pubsubFault,
  statusOf,
  subscriptionUnchecked,
  subscriptionUnfit,
  topicUnknown,
} from './pubsub-fault.ts';
import type { PubSubSettings } from './pubsub-settings.ts';
import { fullName, type SubscriptionName } from './resource-name.ts';
import { checkSubscription } from './subscription-check.ts';

/** What is done around the consumption of one subscription. All of it rejects with a `Fault`. */
export type SubscriptionSetup = {
  /** Its full name. */
  readonly name: string;
  /** Before each opening. @returns the id of its topic. */
  prepare(timeoutMs: number): Promise<string>;
  /** After the last closing. */
  remove(timeoutMs: number): Promise<void>;
};

export type SetupDependencies = {
  readonly client: PubSub;
  readonly settings: PubSubSettings;
  readonly wanted: SubscriptionName;
  readonly place: PubSubPlace;
  readonly onWarning: (fault: Fault) => void;
};

/** A subscription that is there already, and stays. */
export function sharedSubscription({
  client,
  settings,
  wanted,
  place,
  onWarning,
}: SetupDependencies): SubscriptionSetup {
  const name = fullName('subscriptions', wanted, settings.project);
  const looking = { ...place, permission: 'pubsub.subscriptions.get' };
  let isWarned = false;
  return {
    name,
    async prepare(timeoutMs) {
      try {
        const [found] = await client.subscription(name).getMetadata(once(timeoutMs));
        const topic = checkSubscription(found, wanted, settings);
        if (!topic.ok) throw subscriptionUnfit(place, topic.reason);
        return topic.value;
      } catch (error) {
        if (statusOf(error) !== permissionDenied) throw pubsubFault(error, looking);
        if (!wanted.topic) throw topicUnknown(looking, wanted.id);
        if (!isWarned) onWarning(subscriptionUnchecked(looking));
        isWarned = true;
        return wanted.topic.id;
      }
    },
    remove: async () => {},
  };
}

/** How long a message waits for a process that is paused. It must be less than the shortest expiry of a subscription. */
const retentionSeconds = 43_200;

/** What Pub/Sub waits for at first before it offers a message again; the client makes it longer as it needs. */
const ackDeadlineSeconds = 10;

/** A subscription of this process alone. It is created when it is not there, and deleted in the end. */
export function ownSubscription({ client, settings, wanted, place }: SetupDependencies): SubscriptionSetup {
  const { project, perInstanceExpiryMs, ordered } = settings;
  const topic = wanted.topic ?? wanted;
  const topicName = fullName('topics', topic, project);
  const id = `${wanted.id}-${randomUUID()}`;
  const name = fullName('subscriptions', { ...wanted, id }, project);
  /** From the question on: the answer may be lost, and the subscription there all the same. */
  let isAsked = false;
  const creating = {
    ...place,
    resource: `topic "${topic.id}"`,
    permission: 'pubsub.topics.attachSubscription and pubsub.subscriptions.create',
  };
  return {
    name,
    async prepare(timeoutMs) {
      isAsked = true;
      try {
        await client.createSubscription(topicName, name, {
          expirationPolicy: { ttl: { seconds: Math.ceil(perInstanceExpiryMs / 1000) } },
          messageRetentionDuration: { seconds: retentionSeconds },
          ackDeadlineSeconds,
          enableMessageOrdering: ordered,
          gaxOpts: once(timeoutMs),
        });
      } catch (error) {
        if (statusOf(error) !== alreadyExists) throw pubsubFault(error, creating);
      }
      return topic.id;
    },
    async remove(timeoutMs) {
      if (!isAsked) return;
      try {
        await client.subscription(name).delete(once(timeoutMs));
      } catch (error) {
        if (statusOf(error) === notFound) return;
        throw pubsubFault(error, { ...place, permission: 'pubsub.subscriptions.delete' });
      }
    },
  };
}

/** The client's own retries would hide what is wrong until the time is over. */
const once = (timeout: number) => ({ timeout, retry: null });

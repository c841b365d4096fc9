import { v1 } from '@google-cloud/pubsub';
import type { BackOff } from '../../../application/back-off.ts';
import type { Event } from '../../../domain/event.ts';
import { openPubSubClient, pubsubAddress } from './pubsub-client.ts';
import { deadLetterOf } from './pubsub-dead-letter.ts';
import { notFound, pubsubFault, statusOf } from './pubsub-fault.ts';
import type { PubSubConnection } from './pubsub-settings.ts';
import { fullName, parseTopicName } from './resource-name.ts';

/** The way out for dead letters. */
export type DeadLetters = {
  /** Resolves once the broker has it; rejects with a `Fault` when it has not, and does not try again. */
  publish(event: Event, cause: string): Promise<void>;
  /** Rejects with a `Fault` when the topic does not exist; what cannot be found out is taken to be well. */
  check(): Promise<void>;
  close(): Promise<void>;
};

/** Of its connection. gRPC would wait for up to two minutes. */
const reconnect: BackOff = { delayMsMin: 200, delayMsMax: 5000 };

/** How long the broker may take to say that it has a dead letter. */
const confirmMsMax = 10_000;

/** @param topic its id or full name. Nothing is connected to before the first letter. */
export function createDeadLetters(source: string, topic: string, connection: PubSubConnection): DeadLetters {
  const parsed = parseTopicName(topic);
  if (!parsed.ok) throw new RangeError(parsed.reason);
  const name = fullName('topics', parsed.value, connection.project);
  const place = {
    source,
    resource: `dead letter topic "${parsed.value.id}"`,
    permission: 'pubsub.topics.publish',
    address: pubsubAddress(connection),
  };
  let opened: Promise<v1.PublisherClient> | undefined;
  const open = async () => {
    try {
      const { options } = await openPubSubClient(connection, reconnect);
      return new v1.PublisherClient({ ...options });
    } catch (error) {
      // The next letter asks for credentials again.
      opened = undefined;
      throw error;
    }
  };
  return {
    async publish(event, cause) {
      try {
        opened ??= open();
        const publisher = await opened;
        // Not by the client's own topic: that one puts the project's id in the place of "{{projectId}}", in attributes too.
        const messages = [deadLetterOf(event, source, cause)];
        await publisher.publish({ topic: name, messages }, { timeout: confirmMsMax, retry: null });
      } catch (error) {
        throw pubsubFault(error, place);
      }
    },
    async check() {
      try {
        opened ??= open();
        await (await opened).getTopic({ topic: name }, { timeout: confirmMsMax, retry: null });
      } catch (error) {
        if (statusOf(error) === notFound) throw pubsubFault(error, place);
      }
    },
    async close() {
      const publisher = await opened?.catch(() => undefined);
      await publisher?.close();
    },
  };
}

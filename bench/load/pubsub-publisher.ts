import { PubSub } from '@google-cloud/pubsub';
import { attributesOf, type Publisher } from './publisher.ts';

export type TopicPlace = { readonly emulator: string; readonly project: string; readonly topic: string };

/** Publishes in batches, as the client library does by itself. */
export function createPubSubPublisher({ emulator, project, topic }: TopicPlace): Publisher {
  const client = new PubSub({ projectId: project, apiEndpoint: emulator, emulatorMode: true, apiKey: 'emulator' });
  const place = client.topic(topic, { batching: { maxMessages: 100, maxMilliseconds: 5 } });
  return {
    async publish(events) {
      const sent = events.map(({ target, payload }) =>
        place.publishMessage({ data: Buffer.from(payload), attributes: attributesOf(target, 'bench') }),
      );
      await Promise.all(sent);
    },
    close: () => client.close(),
  };
}

import { createHttpPublisher } from './http-publisher.ts';
import type { Publisher, PublisherSpec } from './publisher.ts';
import { createSocketPublisher } from './socket-publisher.ts';

/** The clients of brokers are loaded where they are wanted: they are large. */
export async function createPublisher(spec: PublisherSpec): Promise<Publisher> {
  switch (spec.kind) {
    case 'http':
      return createHttpPublisher(spec);
    case 'nats':
    case 'mqtt':
      return createSocketPublisher(spec.kind, spec.port);
    case 'amqp':
      return (await import('./amqp-publisher.ts')).createAmqpPublisher(spec.url, spec.exchange);
    case 'pubsub':
      return (await import('./pubsub-publisher.ts')).createPubSubPublisher(spec);
  }
}

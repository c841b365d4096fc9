import { PubSub } from '@google-cloud/pubsub';
import { connect } from 'amqplib';
import { lackForPubSubEmulator, startPubSubEmulator } from '../../test/support/pubsub-emulator.ts';
import { lackForRabbitMq, startRabbitMq } from '../../test/support/rabbitmq-broker.ts';
import { cores, moveToCore } from '../measure/cores.ts';
import type { Feed } from './peer.ts';

/** A broker of the bench's own, away from the core of the servers. */
export type FeedBroker = AsyncDisposable & {
  /** A place of its own, for one server. */
  next(): Promise<Feed>;
};

export type FeedKind = { readonly name: string; lack(): string | undefined; start(): Promise<FeedBroker> };

export const amqpFeeds: FeedKind = {
  name: 'AMQP',
  lack: lackForRabbitMq,
  async start() {
    const broker = await startRabbitMq();
    moveToCore(cores.load, await broker.pid());
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    await channel.assertQueue('bench-dead-letters');
    let last = 0;
    return {
      async next() {
        last += 1;
        const [exchange, queue] = [`bench-${last}`, `bench-queue-${last}`];
        await channel.assertExchange(exchange, 'topic');
        await channel.assertQueue(queue);
        await channel.bindQueue(queue, exchange, '#');
        return { kind: 'amqp', url: broker.url, exchange, queue };
      },
      async [Symbol.asyncDispose]() {
        await connection.close();
        await broker[Symbol.asyncDispose]();
      },
    };
  },
};

export const pubsubFeeds: FeedKind = {
  name: 'Pub/Sub emulator',
  lack: () => lackForPubSubEmulator(),
  async start() {
    const emulator = await startPubSubEmulator();
    moveToCore(cores.load, emulator.pid);
    const project = 'bench';
    const client = new PubSub({
      projectId: project,
      apiEndpoint: emulator.host,
      emulatorMode: true,
      apiKey: 'emulator',
    });
    let last = 0;
    return {
      async next() {
        last += 1;
        const [topic, subscription] = [`bench-${last}`, `bench-subscription-${last}`];
        await client.createTopic(topic);
        await client.topic(topic).createSubscription(subscription, { ackDeadlineSeconds: 60 });
        return { kind: 'pubsub', emulator: emulator.host, project, topic, subscription };
      },
      async [Symbol.asyncDispose]() {
        await client.close();
        await emulator.kill();
      },
    };
  },
};

import { PubSub } from '@google-cloud/pubsub';
import { connect } from 'amqplib';

/** A message of a broker; its text is only made of its bytes where somebody wants it. */
export type FeedMessage = {
  readonly stream: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: () => string;
};

type Take = (message: FeedMessage) => void;

/** A consumer by hand of the broker that the environment names: hand over, acknowledge. */
export async function consumeFeed(take: Take): Promise<void> {
  const { BENCH_AMQP_URL: url, BENCH_AMQP_QUEUE: queue, BENCH_PREFETCH: prefetch } = process.env;
  const { BENCH_PUBSUB_EMULATOR: emulator, BENCH_PUBSUB_SUBSCRIPTION: place } = process.env;
  if (url !== undefined && queue !== undefined) await consumeQueue(url, queue, Number(prefetch), take);
  if (emulator !== undefined && place !== undefined) consumeSubscription(emulator, place, Number(prefetch), take);
}

async function consumeQueue(url: string, queue: string, prefetch: number, take: Take): Promise<void> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  await channel.consume(queue, (message) => {
    if (!message) return;
    const attributes = (message.properties.headers ?? {}) as Record<string, string>;
    take({ stream: message.fields.exchange, attributes, text: () => message.content.toString() });
    channel.ack(message);
  });
}

function consumeSubscription(emulator: string, place: string, maxMessages: number, take: Take): void {
  const [topic = '', name = ''] = place.split(':');
  const projectId = process.env['BENCH_PUBSUB_PROJECT'] ?? '';
  const client = new PubSub({ projectId, apiEndpoint: emulator, emulatorMode: true, apiKey: 'emulator' });
  // As many streams as Edgeward opens by itself.
  const subscription = client.subscription(name, {
    flowControl: { maxMessages, allowExcessMessages: false },
    streamingOptions: { maxStreams: 2 },
  });
  subscription.on('error', (error) => {
    throw error;
  });
  subscription.on('message', (message) => {
    take({ stream: topic, attributes: message.attributes, text: () => message.data.toString() });
    message.ack();
  });
}

import { randomUUID } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect, type Options } from 'amqplib';
import { amqpUrl } from './amqp-url.ts';

/** A connection of the test's own: what publishers and operators do. What it makes under its own names is gone at the end. */
export type AmqpAdmin = AsyncDisposable & {
  readonly model: ChannelModel;
  readonly channel: ConfirmChannel;
  /** A name that nobody else has. */
  name(what: string): string;
  exchange(type?: string): Promise<string>;
  queue(options?: Options.AssertQueue): Promise<string>;
  /** Resolves once the broker has it. */
  publish(exchange: string, key: string, content: Uint8Array, options?: Options.Publish): Promise<void>;
  /** Whether the exchange leads anywhere for this key. */
  isRouted(exchange: string, key: string): Promise<boolean>;
  /** Messages of a queue, as they come, for good. */
  collect(queue: string): Promise<readonly ConsumeMessage[]>;
  /** Messages that wait in a queue and are with nobody. */
  ready(queue: string): Promise<number>;
};

export async function amqpAdmin(url = amqpUrl): Promise<AmqpAdmin> {
  const model = await connect(url);
  model.on('error', () => {});
  const channel = await model.createConfirmChannel();
  channel.on('error', () => {});
  const [exchanges, queues]: [string[], string[]] = [[], []];
  const run = randomUUID();
  const name = (what: string) => `edgeward-test-${run}-${what}`;
  const publish: AmqpAdmin['publish'] = (exchange, key, content, options) =>
    new Promise((resolve, reject) => {
      channel.publish(exchange, key, Buffer.from(content), options, (error) => (error ? reject(error) : resolve()));
    });
  return {
    model,
    channel,
    name,
    async exchange(type = 'topic') {
      const exchange = name(`e${exchanges.length}`);
      await channel.assertExchange(exchange, type, { durable: false });
      exchanges.push(exchange);
      return exchange;
    },
    async queue(options = { durable: true }) {
      const queue = name(`q${queues.length}`);
      await channel.assertQueue(queue, options);
      queues.push(queue);
      return queue;
    },
    publish,
    async isRouted(exchange, key) {
      let returned = false;
      // The broker returns what it cannot route, before it confirms it.
      const onReturn = () => {
        returned = true;
      };
      channel.once('return', onReturn);
      await publish(exchange, key, Buffer.from('probe'), { mandatory: true });
      channel.off('return', onReturn);
      return !returned;
    },
    async collect(queue) {
      const messages: ConsumeMessage[] = [];
      await channel.consume(queue, (message) => void (message && messages.push(message)), { noAck: true });
      return messages;
    },
    ready: async (queue) => (await channel.checkQueue(queue)).messageCount,
    async [Symbol.asyncDispose]() {
      await using closing = { [Symbol.asyncDispose]: () => model.close().catch(() => {}) };
      void closing;
      const last = await model.createChannel();
      last.on('error', () => {});
      for (const queue of queues) await last.deleteQueue(queue);
      for (const exchange of exchanges) await last.deleteExchange(exchange);
    },
  };
}

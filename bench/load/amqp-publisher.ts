import { connect } from 'amqplib';
import { attributesOf, type Publisher } from './publisher.ts';

/** Publishes with the target as the routing key too: `client.4711`. */
export async function createAmqpPublisher(url: string, exchange: string): Promise<Publisher> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  return {
    async publish(events) {
      for (const { target, payload } of events) {
        const key = target.kind === 'all' ? 'bench' : `${target.kind}.${target.id}`;
        const options = { contentType: 'application/json', headers: attributesOf(target, 'bench') };
        channel.publish(exchange, key, Buffer.from(payload), options);
      }
    },
    flush: () => channel.waitForConfirms(),
    close: () => connection.close(),
  };
}

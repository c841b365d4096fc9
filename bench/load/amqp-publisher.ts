import { connect } from 'amqplib';
import { subject } from './broker-openings.ts';
import { attributesOf, type Publisher } from './publisher.ts';

/** Publishes without confirms: what counts is what arrives. */
export async function createAmqpPublisher(url: string, exchange: string): Promise<Publisher> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  return {
    async publish(events) {
      for (const { target, payload } of events) {
        const options = { contentType: 'application/json', headers: attributesOf(target, 'bench') };
        channel.publish(exchange, subject, Buffer.from(payload), options);
      }
    },
    close: () => connection.close(),
  };
}

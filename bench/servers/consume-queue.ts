import { connect } from 'amqplib';
import type { IncomingEvent } from './incoming-event.ts';

export type QueuePlace = { readonly url: string; readonly queue: string; readonly prefetch: number };

/** A consumer by hand: parse, hand over, acknowledge. */
export async function consumeQueue(
  { url, queue, prefetch }: QueuePlace,
  take: (event: IncomingEvent) => void,
): Promise<void> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.prefetch(prefetch);
  await channel.consume(queue, (message) => {
    if (!message) return;
    const attributes = (message.properties.headers ?? {}) as Record<string, string>;
    take({ stream: message.fields.exchange, data: JSON.parse(message.content.toString()), attributes });
    channel.ack(message);
  });
}

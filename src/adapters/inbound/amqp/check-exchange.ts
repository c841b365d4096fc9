import type { ChannelModel } from 'amqplib';
import { closeChannel } from './close-channel.ts';

/** Rejects when the exchange is not there. On a channel of its own, which is what the broker closes then. */
export async function checkExchange(model: ChannelModel, exchange: string): Promise<void> {
  const channel = await model.createChannel();
  // The call below rejects with the same.
  channel.on('error', () => {});
  await channel.checkExchange(exchange);
  await closeChannel(channel);
}

import type { ChannelModel } from 'amqplib';
import { checkExchange } from './check-exchange.ts';

/** NOT_FOUND (AMQP 0-9-1, section 1.6). */
const notFoundCode = 404;

/** Declares an exchange that is not there, durable. Rejects with what the broker says. */
export async function declareExchange(model: ChannelModel, exchange: string, type: string): Promise<void> {
  try {
    await checkExchange(model, exchange);
    return;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === notFoundCode)) throw error;
  }
  const channel = await model.createChannel();
  // The call below rejects with the same.
  channel.on('error', () => {});
  await channel.assertExchange(exchange, type, { durable: true });
  await channel.close();
}

import { once } from 'node:events';
import type { Channel } from 'amqplib';

/** The broker's answer never comes when the connection is lost meanwhile, but then the channel is closed as well. */
export async function closeChannel(channel: Channel): Promise<void> {
  const closed = once(channel, 'close');
  await Promise.race([channel.close(), closed]).catch(() => {});
}

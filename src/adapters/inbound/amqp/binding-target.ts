import type { Channel, ChannelModel } from 'amqplib';

/** A queue and the connection that it belongs to; both end together. */
export type BindingTarget = {
  readonly model: ChannelModel;
  readonly queue: string;
  readonly workers: Set<Promise<void>>;
  /** Channels that nobody uses for the moment. */
  readonly channels: Set<Channel>;
};

export const openTarget = (model: ChannelModel, queue: string): BindingTarget => ({
  model,
  queue,
  workers: new Set(),
  channels: new Set(),
});

/** Binds or unbinds, on a channel on which there is nothing else. Rejects with what the broker says. */
export async function tellTarget(
  target: BindingTarget,
  { stream, pattern }: { readonly stream: string; readonly pattern: string },
  isWanted: boolean,
): Promise<void> {
  const [idle] = target.channels;
  const channel = idle ?? (await openChannel(target));
  target.channels.delete(channel);
  if (isWanted) await channel.bindQueue(target.queue, stream, pattern);
  else await channel.unbindQueue(target.queue, stream, pattern);
  target.channels.add(channel);
}

async function openChannel({ model, channels }: BindingTarget): Promise<Channel> {
  const channel = await model.createChannel();
  // Whoever waits for an answer on it is told the same.
  channel.on('error', () => {});
  channel.on('close', () => channels.delete(channel));
  return channel;
}

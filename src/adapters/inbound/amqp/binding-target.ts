import type { Channel, ChannelModel } from 'amqplib';
import { channelsMax } from './amqplib-insides.ts';

/** How many changes are under way at once. Each waits for its answer: amqplib asks one thing at a time on a channel. */
const atOnceMax = 8;

/** A queue and the connection that it belongs to; both end together. What is bound to it is changed through here. */
export class BindingTarget {
  readonly queue: string;
  /** Who is at it. */
  readonly workers = new Set<Promise<void>>();
  readonly workersMax: number;
  readonly #model: ChannelModel;
  /** Those that nobody uses for the moment. */
  readonly #channels = new Set<Channel>();

  constructor(model: ChannelModel, queue: string) {
    this.queue = queue;
    this.#model = model;
    // One channel consumes.
    this.workersMax = Math.min(atOnceMax, Math.max(1, channelsMax(model) - 1));
  }

  /** Resolves when the broker has done it; rejects with what it says, or when there is no connection any more. */
  async change(stream: string, pattern: string, isWanted: boolean): Promise<void> {
    const [idle] = this.#channels;
    const channel = idle ?? (await this.#openChannel());
    this.#channels.delete(channel);
    if (isWanted) await channel.bindQueue(this.queue, stream, pattern);
    else await channel.unbindQueue(this.queue, stream, pattern);
    this.#channels.add(channel);
  }

  async #openChannel(): Promise<Channel> {
    const channel = await this.#model.createChannel();
    // Whoever waits for an answer on it is told the same.
    channel.on('error', () => {});
    channel.on('close', () => this.#channels.delete(channel));
    return channel;
  }
}

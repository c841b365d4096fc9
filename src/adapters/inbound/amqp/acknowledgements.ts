import type { Channel, ConsumeMessage } from 'amqplib';

/**
 * The messages of one channel that the broker waits to hear of. Those that are accepted in one go are
 * acknowledged together (`multiple`, AMQP 0-9-1 section 1.8.3.13) as far as everything delivered before them is settled,
 * and the others one by one: a message that takes its time keeps no other in the broker's window.
 */
export class Acknowledgements {
  readonly #channel: Pick<Channel, 'ack' | 'nack'>;
  /** Tags of what is not settled, in the order of delivery, which is that of the numbers. */
  readonly #open = new Set<number>();
  #accepted: ConsumeMessage[] = [];
  #isOver = false;

  constructor(channel: Pick<Channel, 'ack' | 'nack'>) {
    this.#channel = channel;
  }

  /** Everything that comes on the channel, in its order. */
  delivered({ fields }: ConsumeMessage): void {
    this.#open.add(fields.deliveryTag);
  }

  /** False when it is settled already, or the channel is closing, which gives everything on it back. */
  accept(message: ConsumeMessage): boolean {
    if (this.#isOver || !this.#open.delete(message.fields.deliveryTag)) return false;
    // Behind all that is settled in the same call, and by promises that are known by then.
    if (this.#accepted.push(message) === 1) queueMicrotask(this.#tell);
    return true;
  }

  /** At once. False as with `accept`. */
  reject(message: ConsumeMessage, requeue: boolean): boolean {
    if (this.#isOver || !this.#open.delete(message.fields.deliveryTag)) return false;
    return this.#say(() => this.#channel.nack(message, false, requeue));
  }

  /** The channel is about to close, or has: nothing is settled on it from now on. */
  end(): void {
    this.#tell();
    this.#isOver = true;
  }

  readonly #tell = (): void => {
    const accepted = this.#accepted;
    if (accepted.length === 0) return;
    this.#accepted = [];
    const [lowestOpen = Number.POSITIVE_INFINITY] = this.#open;
    let last: ConsumeMessage | undefined;
    for (const message of accepted) {
      const { deliveryTag } = message.fields;
      if (deliveryTag > lowestOpen) this.#say(() => this.#channel.ack(message));
      else if (!last || deliveryTag > last.fields.deliveryTag) last = message;
    }
    const highest = last;
    if (highest) this.#say(() => this.#channel.ack(highest, true));
  };

  /** amqplib throws on a channel that is closing. */
  #say(what: () => void): boolean {
    if (this.#isOver) return false;
    try {
      what();
      return true;
    } catch {
      return false;
    }
  }
}

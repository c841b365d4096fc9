import type { Channel, ConsumeMessage } from 'amqplib';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Settlement } from '../../../application/ports/event-source.ts';
import { AmqpChannel } from './amqp-channel.ts';
import type { AmqpConnection } from './amqp-connection.ts';
import { amqpConsumerCancelled } from './amqp-fault.ts';
import { attemptOf, deadLetterOf, eventOf, type Publication } from './amqp-message.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { asRead } from './amqplib-insides.ts';
import { declareQueue } from './declare-queue.ts';
import type { Delivery, Lane } from './hand-over.ts';
import { ReturnedMessages } from './returned-messages.ts';

export type QueueDependencies = {
  readonly source: string;
  readonly queue: string;
  readonly settings: AmqpSettings;
  readonly connection: AmqpConnection;
  readonly lane: Lane;
  readonly clock: Clock;
  /** Resolves once the broker has a dead letter. */
  readonly publish: (publication: Publication) => Promise<void>;
  /** There is something in the lane. */
  readonly onDelivery: () => void;
  readonly onFault: (fault: unknown) => void;
  readonly onState: () => void;
};

/** One message on one channel. A channel that has closed settles nothing any more: the broker gives it out again. */
type Held = {
  readonly message: ConsumeMessage;
  readonly channel: Channel;
  readonly earlier: { id: string; attempt: number };
};

/** One queue that is consumed from, whatever becomes of its channels. */
export class QueueConsumer {
  readonly #dependencies: QueueDependencies;
  readonly #channel: AmqpChannel<Channel>;
  readonly #returned = new ReturnedMessages();
  readonly #held = new Map<Delivery, Held>();
  /** Aborted when nothing is to wait before it is given back. */
  readonly #draining = new AbortController();
  #consumerTag: string | undefined;

  constructor(dependencies: QueueDependencies) {
    const { connection, clock, settings, queue, onFault, onState } = dependencies;
    this.#dependencies = dependencies;
    this.#channel = new AmqpChannel<Channel>({
      connection,
      clock,
      backOff: { delayMsMin: settings.reconnectMsMin, delayMsMax: settings.reconnectMsMax },
      resource: `queue "${queue}"`,
      create: (model) => model.createChannel(),
      setUp: (channel, lose) => this.#consume(channel, lose),
      onClosed: (channel) => this.#forget(channel),
      onFault,
      onState,
    });
  }

  get waitsFor(): Fault | undefined {
    return this.#channel.waitsFor;
  }

  /** Rejects with a `Fault` when the queue cannot be consumed from, unless it is missing and may be waited for. */
  open(): Promise<void> {
    const { whenMissing, exclusive } = this.#dependencies.settings;
    const isMissing = ({ code }: Fault) => code === 'amqp_missing' || (exclusive && code === 'amqp_locked');
    return this.#channel.open((fault) => whenMissing === 'wait' && isMissing(fault));
  }

  /** Takes nothing more; what the handler has not been given is the broker's again. What it has, it may still settle. */
  async cancel(): Promise<void> {
    const { lane } = this.#dependencies;
    this.#draining.abort();
    const tag = this.#consumerTag;
    const cancelled = tag === undefined ? undefined : this.#channel.channel?.cancel(tag);
    for (let next = lane.drop(); next; next = lane.drop()) this.#giveBack(next);
    await cancelled?.catch(() => {});
  }

  /** What is not settled is the broker's again. */
  close(): Promise<void> {
    return this.#channel.close();
  }

  async #consume(channel: Channel, lose: (fault: Fault) => void): Promise<void> {
    const { queue, settings, connection, clock } = this.#dependencies;
    const own = Object.hasOwn(settings.declare, queue) ? settings.declare[queue] : undefined;
    if (own) await declareQueue(channel, { queue, ...own, connection, clock }, lose);
    await channel.prefetch(settings.ordered ? 1 : settings.inFlightMax);
    const onMessage = (message: ConsumeMessage | null): void => {
      if (message) this.#take(message, channel);
      else lose(amqpConsumerCancelled(connection.place(`queue "${queue}"`)));
    };
    const { consumerTag } = await channel.consume(queue, onMessage, { exclusive: settings.exclusive });
    this.#consumerTag = consumerTag;
  }

  #take(message: ConsumeMessage, channel: Channel): void {
    const { source, queue, clock, lane, onDelivery } = this.#dependencies;
    const before = this.#returned.recall(asRead(message));
    const event = eventOf(asRead(message), { source, queue, now: clock.now() }, before?.id);
    const attempt = attemptOf(asRead(message), before?.attempt);
    const delivery: Delivery = { event, attempt, settle: (settlement) => this.#settle(delivery, settlement) };
    this.#held.set(delivery, { message, channel, earlier: { id: event.id, attempt } });
    if (this.#draining.signal.aborted) {
      this.#giveBack(delivery);
      return;
    }
    lane.add(delivery);
    onDelivery();
  }

  /** The broker has given all of it up, and gives it out again. */
  #forget(channel: Channel): void {
    const { lane } = this.#dependencies;
    for (let next = lane.drop(); next; next = lane.drop()) this.#remember(next);
    for (const [delivery, held] of this.#held) {
      if (held.channel === channel) this.#remember(delivery);
    }
  }

  #remember(delivery: Delivery): void {
    const held = this.#held.get(delivery);
    if (!held) return;
    this.#held.delete(delivery);
    this.#returned.remember(asRead(held.message), held.earlier);
  }

  #giveBack(delivery: Delivery): void {
    const held = this.#held.get(delivery);
    // A quorum queue puts what is given back behind all others, unless it has a limit of deliveries, but gives what was
    // under way on a closed channel out before all others.
    if (!held || this.#dependencies.settings.ordered) return;
    this.#remember(delivery);
    tryToSay(() => held.channel.nack(held.message, false, true));
  }

  /** Offered again from here, so that nothing overtakes it. */
  #offerAgain(delivery: Delivery): void {
    const held = this.#held.get(delivery);
    if (!held || this.#draining.signal.aborted) return;
    this.#held.delete(delivery);
    const { event } = delivery;
    const attempt = delivery.attempt + 1;
    const again: Delivery = { event, attempt, settle: (settlement) => this.#settle(again, settlement) };
    this.#held.set(again, { ...held, earlier: { id: event.id, attempt } });
    this.#dependencies.lane.putBack(again);
  }

  async #settle(delivery: Delivery, settlement: Settlement): Promise<boolean> {
    const { clock, settings, onFault } = this.#dependencies;
    if (settlement.kind === 'accept') return this.#acknowledge(delivery);
    if (settlement.kind === 'dead-letter') {
      try {
        return await this.#deadLetter(delivery, settlement.cause);
      } catch (fault) {
        onFault(fault);
      }
    }
    await clock.wait(settings.redeliverDelayMs, this.#draining.signal);
    if (settings.ordered) this.#offerAgain(delivery);
    else this.#giveBack(delivery);
    return false;
  }

  async #deadLetter(delivery: Delivery, cause: string): Promise<boolean> {
    const { settings, publish } = this.#dependencies;
    const { deadLetter } = settings;
    const held = this.#held.get(delivery);
    if (!held) return false;
    if (deadLetter?.by === 'policy') {
      this.#held.delete(delivery);
      return tryToSay(() => held.channel.nack(held.message, false, false));
    }
    if (deadLetter?.exchange !== undefined) {
      const { exchange, key } = deadLetter;
      await publish(deadLetterOf(asRead(held.message), delivery.event, { exchange, key }, cause));
    }
    return this.#acknowledge(delivery);
  }

  #acknowledge(delivery: Delivery): boolean {
    const held = this.#held.get(delivery);
    if (!held) return false;
    this.#held.delete(delivery);
    return tryToSay(() => held.channel.ack(held.message));
  }
}

/** False when the channel is closing, which gives everything on it back. */
function tryToSay(say: () => void): boolean {
  try {
    say();
    return true;
  } catch {
    return false;
  }
}

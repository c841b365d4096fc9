import type { Channel, ConsumeMessage } from 'amqplib';
import { backOffDelayMs } from '../../../application/back-off.ts';
import { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Settlement } from '../../../application/ports/event-source.ts';
import type { Event } from '../../../domain/event.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { AmqpChannel } from './amqp-channel.ts';
import type { AmqpConnection } from './amqp-connection.ts';
import { type AmqpPlace, amqpConsumerCancelled, amqpFault, isAway } from './amqp-fault.ts';
import {
  type AmqpMessage,
  attemptOf,
  deadLetterOf,
  eventOf,
  type LetterPlace,
  type Publication,
} from './amqp-message.ts';
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
  readonly acknowledgements: Acknowledgements;
};

/** One queue that is consumed from, whatever becomes of its channels. */
export class QueueConsumer {
  readonly #dependencies: QueueDependencies;
  readonly #channel: AmqpChannel<Channel>;
  readonly #returned = new ReturnedMessages();
  readonly #held = new Map<Delivery, Held>();
  /** Of the channel that is consumed from. */
  #acknowledgements: Acknowledgements | undefined;
  /** Aborted when nothing is to wait before it is given back. */
  readonly #draining = new AbortController();
  /** Known once the broker has said that it consumes, though messages may come before that. */
  #consumer: { readonly channel: Channel; readonly tag: string } | undefined;
  /** Since the last dead letter that the broker has taken. */
  #lettersFailed = 0;
  #told: string | undefined;
  /** Where the broker has been told to send nothing more. What is given back elsewhere comes again at once. */
  #cancelled: Channel | undefined;

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

  /**
   * Rejects with a `Fault` when the queue cannot be consumed from, unless that may be waited for.
   * @param over aborts when no answer counts as one.
   */
  open(over: AbortSignal): Promise<void> {
    const { whenMissing, whenUnreachable, exclusive } = this.#dependencies.settings;
    // One that is to be declared and is there as another one is not the one that is wanted.
    const isMissing = ({ code }: Fault) =>
      code === 'amqp_missing' || (exclusive && code === 'amqp_locked') || (this.#isDeclared && code === 'amqp_refused');
    const isWaitedFor = (fault: Fault) =>
      isMissing(fault) ? whenMissing === 'wait' : whenUnreachable === 'wait' && isAway(fault);
    return this.#channel.open(isWaitedFor, over);
  }

  /** Takes nothing more; what the handler has not been given is the broker's again. What it has, it may still settle. */
  async cancel(): Promise<void> {
    this.#draining.abort();
    await this.#cancel();
  }

  /** What is not settled is the broker's again. */
  close(): Promise<void> {
    this.#acknowledgements?.end();
    return this.#channel.close();
  }

  async #consume(channel: Channel, lose: (fault: Fault) => void): Promise<void> {
    const { queue, settings, connection, clock } = this.#dependencies;
    const own = this.#isDeclared ? settings.declare[queue] : undefined;
    if (own) await declareQueue(channel, { queue, ...own, connection, clock }, lose);
    await channel.prefetch(settings.ordered ? 1 : settings.inFlightMax);
    if (this.#draining.signal.aborted) return;
    const acknowledgements = new Acknowledgements(channel);
    this.#acknowledgements = acknowledgements;
    const onMessage = (message: ConsumeMessage | null): void => {
      if (message) {
        this.#take({ message, channel, acknowledgements });
        return;
      }
      acknowledgements.end();
      lose(amqpConsumerCancelled(this.#place));
    };
    const { consumerTag } = await channel.consume(queue, onMessage, { exclusive: settings.exclusive });
    this.#consumer = { channel, tag: consumerTag };
    if (this.#draining.signal.aborted) await this.#cancel();
  }

  /** Nothing yet where the broker has not said that it consumes: that is when it is cancelled. */
  async #cancel(): Promise<void> {
    const { lane } = this.#dependencies;
    if (!this.#consumer) return;
    const { channel, tag } = this.#consumer;
    this.#cancelled = channel;
    const cancelled = channel.cancel(tag);
    for (let next = lane.drop(); next; next = lane.drop()) this.#giveBack(next);
    await cancelled.catch(() => {});
  }

  #take(held: Held): void {
    const { source, queue, clock, lane, onDelivery } = this.#dependencies;
    const message = asRead(held.message);
    held.acknowledgements.delivered(held.message);
    const before = this.#returned.recall(message);
    const event = eventOf(message, { source, queue, now: clock.now() }, before?.id);
    const attempt = attemptOf(message, before?.attempt);
    const delivery: Delivery = { event, attempt, settle: (settlement) => this.#settle(delivery, settlement) };
    this.#held.set(delivery, held);
    if (this.#cancelled === held.channel) {
      this.#giveBack(delivery);
      return;
    }
    lane.add(delivery);
    onDelivery();
  }

  /** The broker has given all of it up, and gives it out again. */
  #forget(channel: Channel): void {
    const { lane } = this.#dependencies;
    if (this.#consumer?.channel === channel) this.#consumer = undefined;
    for (let next = lane.drop(); next; next = lane.drop()) this.#remember(next);
    for (const [delivery, held] of this.#held) {
      if (held.channel === channel) this.#remember(delivery);
    }
  }

  #remember(delivery: Delivery): void {
    const held = this.#held.get(delivery);
    if (!held) return;
    this.#held.delete(delivery);
    this.#returned.remember(asRead(held.message), { id: delivery.event.id, attempt: delivery.attempt });
  }

  #giveBack(delivery: Delivery): void {
    const held = this.#held.get(delivery);
    // A quorum queue puts what is given back behind all others, unless it has a limit of deliveries, but gives what was
    // under way on a closed channel out before all others.
    if (!held || this.#dependencies.settings.ordered) return;
    this.#remember(delivery);
    held.acknowledgements.reject(held.message, true);
  }

  /** Offered again from here, so that nothing overtakes it. */
  #offerAgain(delivery: Delivery): void {
    const held = this.#held.get(delivery);
    if (!held || this.#draining.signal.aborted) return;
    this.#held.delete(delivery);
    const { event } = delivery;
    const attempt = delivery.attempt + 1;
    const again: Delivery = { event, attempt, settle: (settlement) => this.#settle(again, settlement) };
    this.#held.set(again, held);
    this.#dependencies.lane.putBack(again);
  }

  #settle(delivery: Delivery, settlement: Settlement): boolean | Promise<boolean> {
    return settlement.kind === 'accept' ? this.#acknowledge(delivery) : this.#settleLater(delivery, settlement);
  }

  async #settleLater(delivery: Delivery, settlement: Exclude<Settlement, { kind: 'accept' }>): Promise<boolean> {
    const { clock, settings, onFault } = this.#dependencies;
    if (settlement.kind === 'dead-letter') {
      try {
        return await this.#deadLetter(delivery, settlement.cause);
      } catch (error) {
        const fault = error instanceof Fault ? error : amqpFault(error, this.#place);
        this.#lettersFailed += 1;
        // Each of them meets the same, again and again.
        if (fault.message !== this.#told) onFault(fault);
        this.#told = fault.message;
      }
    }
    await clock.wait(this.#redeliverDelayMs, this.#draining.signal);
    if (settings.ordered) this.#offerAgain(delivery);
    else this.#giveBack(delivery);
    return false;
  }

  /** Longer each time while dead letters cannot be published: all that comes meanwhile would come for nothing. */
  get #redeliverDelayMs(): number {
    const { redeliverDelayMs, reconnectMsMax } = this.#dependencies.settings;
    if (this.#lettersFailed === 0) return redeliverDelayMs;
    const delayMsMax = Math.max(redeliverDelayMs, reconnectMsMax);
    return backOffDelayMs({ delayMsMin: redeliverDelayMs, delayMsMax }, this.#lettersFailed, Math.random());
  }

  get #isDeclared(): boolean {
    const { settings, queue } = this.#dependencies;
    return Object.hasOwn(settings.declare, queue);
  }

  get #place(): AmqpPlace {
    return this.#dependencies.connection.place(`queue "${this.#dependencies.queue}"`);
  }

  async #deadLetter(delivery: Delivery, cause: string): Promise<boolean> {
    const { deadLetter } = this.#dependencies.settings;
    const held = this.#held.get(delivery);
    if (!held) return false;
    if (deadLetter?.by === 'policy') {
      this.#held.delete(delivery);
      return held.acknowledgements.reject(held.message, false);
    }
    if (deadLetter?.exchange !== undefined) {
      const { exchange, key } = deadLetter;
      await this.#publishLetter(asRead(held.message), delivery.event, { exchange, key }, cause);
      this.#lettersFailed = 0;
      this.#told = undefined;
    }
    return this.#acknowledge(delivery);
  }

  /** Without the headers of the message, where they leave no room for those of the letter. */
  async #publishLetter(message: AmqpMessage, event: Event, place: LetterPlace, cause: string): Promise<void> {
    const { publish } = this.#dependencies;
    try {
      await publish(deadLetterOf(message, event, place, cause));
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'amqp_unpublishable') throw error;
      const { headers: _, ...properties } = message.properties;
      await publish(deadLetterOf({ ...message, properties }, event, place, `without its headers, too large; ${cause}`));
    }
  }

  #acknowledge(delivery: Delivery): boolean {
    const held = this.#held.get(delivery);
    if (!held) return false;
    this.#held.delete(delivery);
    return held.acknowledgements.accept(held.message);
  }
}

import { type ConfirmChannel, IllegalOperationError, type Message } from 'amqplib';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type { Event } from '../../../domain/event.ts';
import { Fifo } from '../../fifo.ts';
import { AmqpChannel } from './amqp-channel.ts';
import { AmqpConnection } from './amqp-connection.ts';
import {
  amqpDraining,
  amqpExchangeGone,
  amqpFault,
  amqpNacked,
  amqpPublisherFull,
  amqpUnconfirmed,
  amqpUnpublishable,
  amqpUnroutable,
} from './amqp-fault.ts';
import { type Publication, publicationOf } from './amqp-message.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { headerBytesAllowed } from './amqplib-insides.ts';
import { checkExchange } from './check-exchange.ts';
import { headerBytesMax } from './header-bytes.ts';
import { type Pending, PendingPublications } from './pending-publications.ts';

export type PublisherDependencies = {
  readonly source: string;
  readonly settings: AmqpSettings;
  readonly clock: Clock;
  readonly onFault: (fault: Fault) => void;
};

/**
 * Publishes with confirms, on a connection of its own: a broker that holds publishers back stops reading from theirs.
 * What was not confirmed when the connection was lost is published again, in order, so the broker may have it twice.
 */
export class AmqpPublisher implements EventPublisher {
  readonly #dependencies: PublisherDependencies;
  readonly #connection: AmqpConnection;
  readonly #channel: AmqpChannel<ConfirmChannel>;
  readonly #pending: PendingPublications;
  readonly #outstanding = new Set<Pending>();
  /** Under way when the broker closed the channel over one of them, which one it does not say. */
  readonly #suspects = new Set<Pending>();
  #unsent = new Fifo<Pending>();
  /** Exchanges that are there. Publishing to one that is not would close the channel under everybody. */
  readonly #known = new Set<string>(['']);
  #isOpened = false;
  #isClosed = false;
  #isHeldBack = false;

  constructor(dependencies: PublisherDependencies) {
    const { source, settings, clock, onFault } = dependencies;
    const { reconnectMsMin: delayMsMin, reconnectMsMax: delayMsMax } = settings;
    this.#dependencies = dependencies;
    this.#connection = new AmqpConnection({ source, purpose: 'publishing', settings, clock, onFault });
    this.#channel = new AmqpChannel<ConfirmChannel>({
      connection: this.#connection,
      clock,
      backOff: { delayMsMin, delayMsMax },
      resource: 'what is published to',
      create: (model) => model.createConfirmChannel(),
      setUp: async (channel) => {
        this.#isHeldBack = false;
        channel.on('return', (message) => this.#returned(message));
        channel.on('drain', () => {
          this.#isHeldBack = false;
          this.#pump();
        });
      },
      onClosed: (_, fault) => this.#lost(fault ?? this.#connection.refusal),
      onFault,
      onState: () => this.#pump(),
    });
    this.#pending = new PendingPublications(settings.publish, clock, (pending) => {
      const { confirmTimeoutMs } = settings.publish;
      this.#finish(pending, amqpUnconfirmed(source, confirmTimeoutMs, this.#connection.fault));
    });
  }

  async publish(event: Event): Promise<void> {
    const isAccepted = this.#dependencies.settings.publish.unroutable === 'accept';
    await this.send(publicationOf(event), isAccepted ? 'accept' : 'refuse');
  }

  /** Resolves once the broker has it; rejects with a `Fault`, also when it leads to no queue, unless that is accepted. */
  async send(publication: Publication, unroutable: 'refuse' | 'accept' = 'refuse'): Promise<void> {
    if (this.#isClosed) throw amqpDraining(this.#dependencies.source);
    const { options } = publication;
    const pending = this.#pending.add({ ...publication, options: { ...options, mandatory: unroutable === 'refuse' } });
    if (!pending) throw amqpPublisherFull(this.#dependencies.source);
    this.#unsent.push(pending);
    this.#open();
    this.#pump();
    await pending.settled.promise;
  }

  /** For good. What is not confirmed is refused, to be published again later. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pending.finishAll(amqpDraining(this.#dependencies.source));
    // Not waited for: the connection ends behind it, also when the broker does not answer.
    void this.#channel.close();
    await this.#connection.close();
  }

  /** With the first event: most sources are published to by nobody. */
  #open(): void {
    if (this.#isOpened) return;
    this.#isOpened = true;
    this.#connection.keepOpening().then(
      () => void this.#channel.open(() => true),
      (error: unknown) => {
        this.#isOpened = false;
        this.#pending.finishAll(error);
      },
    );
  }

  #pump(): void {
    const { channel } = this.#channel;
    for (let next = this.#unsent.first; channel && next && !this.#isHeldBack; next = this.#unsent.first) {
      if (this.#suspects.size > 0 && this.#outstanding.size > 0) return;
      if (!next.isDone && !this.#known.has(next.publication.exchange)) {
        void this.#look(next);
        return;
      }
      this.#unsent.shift();
      if (!next.isDone) this.#send(next, channel);
    }
  }

  /** Nothing is sent meanwhile: it would overtake this one. */
  async #look(pending: Pending): Promise<void> {
    const { exchange } = pending.publication;
    this.#isHeldBack = true;
    try {
      await checkExchange(await this.#connection.up(), exchange);
      this.#known.add(exchange);
    } catch (error) {
      const fault = amqpFault(error, this.#connection.place(`exchange "${exchange}"`));
      // Without a connection there is no telling; it is looked for again when there is one.
      if (!this.#connection.fault) this.#finish(pending, fault);
    }
    this.#isHeldBack = false;
    this.#pump();
  }

  #send(pending: Pending, channel: ConfirmChannel): void {
    const { exchange, key, content, options } = pending.publication;
    const bytesMax = headerBytesAllowed(channel);
    if (bytesMax < Number.POSITIVE_INFINITY && headerBytesMax(options) > bytesMax) {
      // The broker would close the connection over it, under everybody.
      const tooLarge = new RangeError(`its headers take more than the ${bytesMax} bytes of a frame`);
      this.#finish(pending, amqpUnpublishable(this.#dependencies.source, tooLarge));
      return;
    }
    this.#outstanding.add(pending);
    try {
      const mayGoOn = channel.publish(exchange, key, content, options, (error) => this.#confirmed(pending, error));
      if (!mayGoOn) this.#isHeldBack = true;
    } catch (error) {
      // A channel that closes keeps it for the next one.
      if (!(error instanceof IllegalOperationError)) {
        this.#finish(pending, amqpUnpublishable(this.#dependencies.source, error));
      }
    }
  }

  #confirmed(pending: Pending, error: unknown): void {
    // A channel that closes says so of each, before it says why it closes.
    if (error instanceof Error && error.message === 'channel closed') return;
    const { source } = this.#dependencies;
    const { exchange } = pending.publication;
    if (error) this.#finish(pending, amqpNacked(source, exchange));
    else this.#finish(pending, pending.isReturned ? amqpUnroutable(source, exchange) : undefined);
    if (this.#suspects.size > 0 || this.#unsent.first) this.#pump();
  }

  /** The broker sends it back before it confirms it. It names no number, so it is known by what it is. */
  #returned({ fields, properties }: Message): void {
    for (const pending of this.#outstanding) {
      const { exchange, key, options } = pending.publication;
      const isSame =
        options.messageId === properties.messageId && exchange === fields.exchange && key === fields.routingKey;
      if (isSame && !pending.isReturned) {
        pending.isReturned = true;
        return;
      }
    }
  }

  /** @param fault what the broker says against one of them; nothing when the connection was lost over something else. */
  #lost(fault: Fault | undefined): void {
    const [first, ...others] = this.#outstanding;
    if (fault && first && others.length === 0) this.#finish(first, this.#named(fault, first));
    else if (fault) for (const pending of this.#outstanding) this.#suspects.add(pending);
    this.#known.clear();
    this.#known.add('');
    const unsent = new Fifo<Pending>();
    for (const pending of this.#outstanding) {
      pending.isReturned = false;
      unsent.push(pending);
    }
    this.#outstanding.clear();
    for (let next = this.#unsent.shift(); next; next = this.#unsent.shift()) unsent.push(next);
    this.#unsent = unsent;
  }

  /** The broker's channel knows no exchange. */
  #named(fault: Fault, { publication: { exchange } }: Pending): Fault {
    if (fault.code !== 'amqp_missing') return fault;
    return amqpExchangeGone(this.#connection.place(`exchange "${exchange}"`), fault);
  }

  #finish(pending: Pending, error?: unknown): void {
    this.#outstanding.delete(pending);
    this.#suspects.delete(pending);
    this.#pending.finish(pending, error);
    // Nobody else takes them off while nothing can be sent.
    while (this.#unsent.first?.isDone) this.#unsent.shift();
  }
}

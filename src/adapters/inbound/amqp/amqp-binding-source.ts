import type { Channel, ConsumeMessage } from 'amqplib';
import type { Clock } from '../../../application/ports/clock.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type {
  BindableSource,
  Binding,
  BindRefusal,
  DrainResult,
  MessageHandler,
  SourceState,
  SourceTraits,
} from '../../../application/ports/event-source.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { Event } from '../../../domain/event.ts';
import type { StreamType } from '../../../domain/stream-index.ts';
import type { TopicPattern } from '../../../domain/topic-pattern.ts';
import { refused, type Verdict } from '../../../domain/verdict.ts';
import { SourceLife } from '../../source-life.ts';
import { untilAborted } from '../../until-aborted.ts';
import { AmqpChannel } from './amqp-channel.ts';
import { AmqpConnection } from './amqp-connection.ts';
import { amqpConsumerCancelled, amqpDraining, amqpFault, amqpOverflow, isAway } from './amqp-fault.ts';
import { eventOf } from './amqp-message.ts';
import { AmqpPublisher } from './amqp-publisher.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { asRead } from './amqplib-insides.ts';
import { declareExchange } from './declare-exchange.ts';
import { HandOver, type Lane } from './hand-over.ts';
import { QueueBindings } from './queue-bindings.ts';

const resource = 'the queue of this process';

/** A routing key is a short string (AMQP 0-9-1, section 4.2.5.3). */
const keyBytesMax = 255;

const traits: SourceTraits = {
  redelivers: false,
  ordered: true,
  deadLetters: false,
  leaseMs: Number.POSITIVE_INFINITY,
  keepsBacklog: false,
  settles: false,
  survivesReconnect: false,
  inheritsBacklog: false,
  leaseOutlivesConnection: false,
};

/**
 * What the config and clients bind, on one queue that the broker names and deletes with the connection. Messages are acknowledged by
 * being sent: what comes while the connection is lost, or waits here when the process ends, is lost.
 */
export class AmqpBindingSource implements BindableSource, EventPublisher {
  readonly name: string;
  readonly traits = traits;
  readonly #settings: AmqpSettings;
  readonly #exchanges: ReadonlyMap<string, StreamType>;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #life: SourceLife;
  readonly #connection: AmqpConnection;
  readonly #publisher: AmqpPublisher;
  readonly #handOver: HandOver;
  readonly #lane: Lane;
  readonly #channel: AmqpChannel<Channel>;
  readonly #bindings: QueueBindings;
  #consumer: { readonly channel: Channel; readonly tag: string } | undefined;
  /** Aborted when the start may take no longer. */
  readonly #starting = new AbortController();
  #isOpen = false;
  #isOverflowing = false;
  #drained: Promise<DrainResult> | undefined;

  constructor(name: string, settings: AmqpSettings, { clock, observer }: { clock: Clock; observer: Observer }) {
    const onFault = (error: unknown) => observer.observe({ kind: 'source-fault', source: name, error });
    const onState = () => this.#stateChanged();
    const backOff = { delayMsMin: settings.reconnectMsMin, delayMsMax: settings.reconnectMsMax };
    this.name = name;
    this.#settings = settings;
    this.#exchanges = new Map(Object.entries(settings.bindings ?? {}));
    this.#clock = clock;
    this.#observer = observer;
    this.#life = new SourceLife(name, observer);
    this.#connection = new AmqpConnection({ source: name, purpose: 'consuming', settings, clock, onFault });
    this.#publisher = new AmqpPublisher({ source: name, settings, clock, onFault });
    this.#handOver = new HandOver({ source: name, life: this.#life, observer, isTaking: () => this.#isTaking });
    this.#lane = this.#handOver.lane(settings.inFlightMax);
    const place = (what: string) => this.#connection.place(what);
    this.#bindings = new QueueBindings({
      source: name,
      place,
      clock,
      backOff,
      renewMs: settings.renewBindingsMs,
      onFault,
      onState,
    });
    this.#channel = new AmqpChannel<Channel>({
      connection: this.#connection,
      clock,
      backOff,
      resource,
      create: (model) => model.createChannel(),
      setUp: (channel, lose) =>
        this.#consume(channel, () => {
          this.#bindings.detach();
          lose(amqpConsumerCancelled(this.#connection.place(resource)));
        }),
      onClosed: () => this.#bindings.detach(),
      onFault,
      onState,
    });
  }

  get state(): SourceState {
    return this.#life.state;
  }

  publish(event: Event): Promise<void> {
    return this.#publisher.publish(event);
  }

  streamType(stream: string): StreamType | undefined {
    return this.#exchanges.get(stream);
  }

  async bind(stream: string, pattern: TopicPattern, signal: AbortSignal): Promise<Verdict<Binding, BindRefusal>> {
    if (!this.#exchanges.has(stream)) {
      return refused({ kind: 'no-stream', reason: `"${stream}" is none of the exchanges of source "${this.name}"` });
    }
    if (Buffer.byteLength(pattern.text) > keyBytesMax) {
      return refused({ kind: 'no-pattern', reason: `AMQP takes patterns of at most ${keyBytesMax} bytes` });
    }
    return this.#bindings.bind(stream, pattern.text, signal);
  }

  async start(handler: MessageHandler): Promise<void> {
    this.#life.begin();
    this.#handOver.begin(handler);
    const { signal } = this.#starting;
    const { startTimeoutMs, whenUnreachable } = this.#settings;
    const stopTimer = this.#clock.schedule(startTimeoutMs, () => this.#starting.abort());
    try {
      await this.#connection.open(signal);
      await this.#channel.open((fault) => whenUnreachable === 'wait' && isAway(fault), signal);
      await this.#subscribe(signal);
    } catch (error) {
      await this.drain(AbortSignal.abort());
      throw error;
    } finally {
      stopTimer();
    }
    this.#isOpen = true;
    void this.#bindings.keepRenewing();
    this.#stateChanged();
  }

  pause(reason: string): void {
    this.#life.pause(reason);
  }

  resume(): void {
    this.#life.resume();
    this.#handOver.wake();
  }

  drain(deadline: AbortSignal): Promise<DrainResult> {
    this.#starting.abort(amqpDraining(this.name));
    this.#drained ??= this.#drain(deadline);
    return this.#drained;
  }

  async #drain(deadline: AbortSignal): Promise<DrainResult> {
    // At once: what the broker has sent before it hears of this is taken, and nothing that is published after it.
    const cancelled = this.#cancel();
    this.#bindings.drain();
    if (!this.#life.drain()) return { settled: 0, abandoned: 0 };
    const isLate = new Error('the deadline has passed');
    await untilAborted(cancelled, deadline, () => isLate).catch(() => {});
    this.#handOver.wake();
    const { settled, abandoned } = await this.#life.idle(deadline, () => this.#lane.waitingCount > 0);
    this.#handOver.abandon();
    void this.#channel.close();
    await Promise.all([this.#publisher.close(), this.#connection.close()]);
    this.#life.stop();
    return { settled, abandoned: abandoned + this.#lane.waitingCount };
  }

  /** One that is there is left as it is, whatever it is. */
  async #declareMissing(): Promise<void> {
    for (const [exchange, type] of this.#exchanges) {
      try {
        await declareExchange(await this.#connection.up(), exchange, type);
      } catch (error) {
        throw amqpFault(error, this.#connection.place(`exchange "${exchange}"`));
      }
    }
  }

  /** One that the broker has not said of yet that it consumes is cancelled when it does. */
  async #cancel(): Promise<void> {
    await this.#consumer?.channel.cancel(this.#consumer.tag).catch(() => {});
  }

  async #consume(channel: Channel, onCancelled: () => void): Promise<void> {
    if (this.#settings.declareMissing) await this.#declareMissing();
    const { queue } = await channel.assertQueue('', {
      exclusive: true,
      autoDelete: true,
      durable: false,
      arguments: { 'x-max-length-bytes': this.#settings.queueBytesMax },
    });
    const onMessage = (message: ConsumeMessage | null) => (message ? this.#take(message, queue) : onCancelled());
    if (this.#drained) return;
    const { consumerTag } = await channel.consume(queue, onMessage, { noAck: true });
    this.#consumer = { channel, tag: consumerTag };
    if (this.#drained) await this.#cancel();
    await this.#bindings.attach(await this.#connection.up(), queue);
  }

  #take(message: ConsumeMessage, queue: string): void {
    const event = eventOf(asRead(message), { source: this.name, queue, now: this.#clock.now() });
    this.#lane.add({ event, attempt: 1, settle: ({ kind }) => kind !== 'retry' });
    if (this.#lane.waitingBytes > this.#settings.queueBytesMax) this.#dropOldest();
    else if (this.#lane.waitingCount === 1) this.#isOverflowing = false;
    this.#handOver.wake();
  }

  /** As the broker does with its queue. The last one stays, however large. */
  #dropOldest(): void {
    const { queueBytesMax } = this.#settings;
    while (this.#lane.waitingBytes > queueBytesMax && this.#lane.waitingCount > 1) this.#lane.drop();
    if (this.#isOverflowing) return;
    this.#isOverflowing = true;
    this.#observer.observe({ kind: 'source-fault', source: this.name, error: amqpOverflow(this.name, queueBytesMax) });
  }

  /** What the config says, for good. With a `Fault` that names what is not there, unless that may be waited for. */
  async #subscribe(signal: AbortSignal): Promise<void> {
    const { subscribe = [], whenMissing } = this.#settings;
    if (this.#connection.fault ?? this.#channel.waitsFor) return this.#subscribeLater();
    const patience = whenMissing === 'wait' ? 'missing' : 'none';
    const binds = subscribe.map(({ exchange, pattern }) =>
      this.#bindings.bindForGood(exchange, pattern, patience, signal),
    );
    await Promise.all(binds);
  }

  /** A broker that is away at the start cannot make it fail any more. */
  #subscribeLater(): void {
    const { signal } = new AbortController();
    for (const { exchange, pattern } of this.#settings.subscribe ?? []) {
      // It rejects in a drain.
      this.#bindings.bindForGood(exchange, pattern, 'refused', signal).catch(() => {});
    }
  }

  #stateChanged(): void {
    if (!this.#isOpen || this.state.kind === 'draining' || this.state.kind === 'stopped') return;
    const waitsFor = this.#channel.waitsFor ?? this.#bindings.waitsFor;
    if (waitsFor) this.#life.wait(waitsFor.message, !this.#connection.fault);
    else this.#life.consume();
    this.#handOver.wake();
  }

  /** In a drain also under pressure: what is not handed over is lost. */
  get #isTaking(): boolean {
    return this.state.kind === 'draining' || this.#life.isReady;
  }
}

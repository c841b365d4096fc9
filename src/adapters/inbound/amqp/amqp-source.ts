import { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type {
  BindableSource,
  DrainResult,
  EventSource,
  MessageHandler,
  SourceState,
  SourceTraits,
} from '../../../application/ports/event-source.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { Event } from '../../../domain/event.ts';
import { SourceLife } from '../../source-life.ts';
import { untilAborted } from '../../until-aborted.ts';
import { AmqpBindingSource } from './amqp-binding-source.ts';
import { AmqpConnection } from './amqp-connection.ts';
import { amqpDraining, amqpFault, amqpStartOver, isAway } from './amqp-fault.ts';
import { AmqpPublisher } from './amqp-publisher.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { checkExchange } from './check-exchange.ts';
import { HandOver } from './hand-over.ts';
import { QueueConsumer } from './queue-consumer.ts';

export type AmqpDependencies = { readonly clock: Clock; readonly observer: Observer };

/** RabbitMQ: queues of one's own making, or what clients bind; and the way into the broker for other sources. */
export function createAmqpSource(
  name: string,
  settings: AmqpSettings,
  dependencies: AmqpDependencies,
): (EventSource | BindableSource) & EventPublisher {
  return settings.bindings
    ? new AmqpBindingSource(name, settings, dependencies)
    : new AmqpQueueSource(name, settings, dependencies);
}

/** How long the broker may take to confirm what was settled last. */
const flushMsMax = 2000;

class AmqpQueueSource implements EventSource, EventPublisher {
  readonly name: string;
  readonly traits: SourceTraits;
  readonly #settings: AmqpSettings;
  readonly #clock: Clock;
  readonly #life: SourceLife;
  readonly #connection: AmqpConnection;
  readonly #publisher: AmqpPublisher;
  readonly #handOver: HandOver;
  readonly #consumers: readonly QueueConsumer[];
  /** Aborted when the start may take no longer. */
  readonly #starting = new AbortController();
  #isOpen = false;
  #drained: Promise<DrainResult> | undefined;

  constructor(name: string, settings: AmqpSettings, { clock, observer }: AmqpDependencies) {
    const onFault = (error: unknown) => observer.observe({ kind: 'source-fault', source: name, error });
    this.name = name;
    this.traits = {
      redelivers: true,
      ordered: settings.ordered,
      // Whether the queue has a policy for them is not seen from here.
      deadLetters: settings.deadLetter?.by === 'edgeward',
      leaseMs: Number.POSITIVE_INFINITY,
      keepsBacklog: true,
      settles: true,
      survivesReconnect: true,
      inheritsBacklog: true,
      leaseOutlivesConnection: false,
    };
    this.#settings = settings;
    this.#clock = clock;
    this.#life = new SourceLife(name, observer);
    this.#connection = new AmqpConnection({ source: name, purpose: 'consuming', settings, clock, onFault });
    this.#publisher = new AmqpPublisher({ source: name, settings, clock, onFault });
    this.#handOver = new HandOver({ source: name, life: this.#life, observer, isTaking: () => this.#life.isReady });
    this.#consumers = (settings.queues ?? []).map(
      (queue) =>
        new QueueConsumer({
          source: name,
          queue,
          settings,
          connection: this.#connection,
          lane: this.#handOver.lane(settings.ordered ? 1 : settings.inFlightMax),
          clock,
          publish: (publication) => this.#publisher.send(publication),
          onDelivery: () => this.#handOver.wake(),
          onFault,
          onState: () => this.#stateChanged(),
        }),
    );
  }

  get state(): SourceState {
    return this.#life.state;
  }

  publish(event: Event): Promise<void> {
    return this.#publisher.publish(event);
  }

  async start(handler: MessageHandler): Promise<void> {
    this.#life.begin();
    this.#handOver.begin(handler);
    const { signal } = this.#starting;
    const stopTimer = this.#clock.schedule(this.#settings.startTimeoutMs, () => this.#starting.abort());
    try {
      await this.#connection.open(signal);
      await this.#checkDeadLetterExchange(signal);
      await Promise.all(this.#consumers.map((consumer) => consumer.open(signal)));
    } catch (error) {
      await this.drain(AbortSignal.abort());
      throw error;
    } finally {
      stopTimer();
    }
    this.#isOpen = true;
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
    if (!this.#life.drain()) return { settled: 0, abandoned: 0 };
    const cancelled = Promise.all(this.#consumers.map((consumer) => consumer.cancel()));
    const result = await this.#life.idle(deadline);
    this.#handOver.abandon();
    const flushed = new AbortController();
    const closed = cancelled.then(() => Promise.all(this.#consumers.map((consumer) => consumer.close())));
    await Promise.race([closed, this.#clock.wait(flushMsMax, flushed.signal)]);
    flushed.abort();
    await Promise.all([this.#publisher.close(), this.#connection.close()]);
    this.#life.stop();
    return result;
  }

  /** Before a message needs it. With a `Fault` that names it when it is not there. */
  async #checkDeadLetterExchange(over: AbortSignal): Promise<void> {
    const exchange = this.#settings.deadLetter?.exchange;
    if (!exchange || this.#connection.fault) return;
    const place = this.#connection.place(`exchange "${exchange}"`);
    try {
      const checked = checkExchange(await this.#connection.up(), exchange);
      await untilAborted(checked, over, () => amqpStartOver(place, over));
    } catch (error) {
      const fault = error instanceof Fault ? error : amqpFault(error, place);
      if (this.#settings.whenUnreachable === 'fail' || !isAway(fault)) throw fault;
    }
  }

  #stateChanged(): void {
    if (!this.#isOpen || this.state.kind === 'draining' || this.state.kind === 'stopped') return;
    const waitsFor = this.#consumers.find((consumer) => consumer.waitsFor)?.waitsFor;
    if (waitsFor) this.#life.wait(waitsFor.message, !this.#connection.fault);
    else this.#life.consume();
    this.#handOver.wake();
  }
}

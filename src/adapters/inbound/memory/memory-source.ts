import type { Clock } from '../../../application/ports/clock.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type {
  BindableSource,
  Binding,
  DrainResult,
  MessageHandler,
  Settlement,
  SourceState,
  SourceTraits,
} from '../../../application/ports/event-source.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { Event } from '../../../domain/event.ts';
import type { StreamType } from '../../../domain/stream-index.ts';
import type { TopicPattern } from '../../../domain/topic-pattern.ts';
import { type Allowed, allowed } from '../../../domain/verdict.ts';
import { askHandler } from '../../ask-handler.ts';
import { Fifo } from '../../fifo.ts';
import { SourceLife } from '../../source-life.ts';
import { Turns } from '../../turns.ts';
import { whenKnown } from '../../when-known.ts';
import { createMemoryBroker, type Delivery, type MemoryBroker, type MemoryConsumer } from './memory-broker.ts';
import { memoryDeadLetterAgain, memoryDraining } from './memory-fault.ts';
import { deadLetterOf, takenFrom } from './memory-message.ts';
import type { MemorySettings } from './memory-settings.ts';

export type MemoryDependencies = {
  readonly clock: Clock;
  readonly observer: Observer;
  /** The queue to consume from and to publish to; by default one of its own. */
  readonly broker?: MemoryBroker;
};

/** The embedded broker, in process: a source that is its own way in. */
export function createMemorySource(
  name: string,
  settings: MemorySettings,
  dependencies: MemoryDependencies,
): BindableSource & EventPublisher {
  return new MemorySource(name, settings, dependencies);
}

type Done = Exclude<Settlement, { kind: 'retry' }>;

type Answered = {
  readonly settlement: Settlement;
  readonly isLastOffer: boolean;
  readonly consumer: MemoryConsumer;
};

type Consumption = { readonly handler: MessageHandler; readonly consumer: MemoryConsumer };

class MemorySource implements BindableSource, EventPublisher {
  readonly name: string;
  readonly traits: SourceTraits;
  readonly #settings: MemorySettings;
  readonly #broker: MemoryBroker;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #life: SourceLife;
  readonly #turns = new Turns(() => this.#takeNext());
  readonly #retries = new Fifo<{ readonly dueAt: number; readonly giveBack: () => void }>();
  #stopRetryTimer: (() => void) | undefined;
  #consumption: Consumption | undefined;
  #drained: Promise<DrainResult> | undefined;

  constructor(name: string, settings: MemorySettings, dependencies: MemoryDependencies) {
    const { clock, observer } = dependencies;
    const onIgnored = ({ id: eventId, stream }: Event) =>
      observer.observe({ kind: 'event-ignored', source: name, stream, eventId });
    this.name = name;
    this.traits = {
      redelivers: true,
      ordered: true,
      deadLetters: settings.deadLetter !== undefined,
      leaseMs: Number.POSITIVE_INFINITY,
      keepsBacklog: false,
      settles: true,
      survivesReconnect: true,
      inheritsBacklog: true,
      leaseOutlivesConnection: false,
    };
    this.#settings = settings;
    this.#broker = dependencies.broker ?? createMemoryBroker(settings, onIgnored);
    this.#clock = clock;
    this.#observer = observer;
    this.#life = new SourceLife(name, observer);
  }

  get state(): SourceState {
    return this.#life.state;
  }

  async publish(event: Event): Promise<void> {
    if (this.#drained) throw memoryDraining(this.name);
    return this.#broker.publish(event);
  }

  streamType(): StreamType {
    return 'topic';
  }

  /** At once: the broker is in this process. */
  async bind(stream: string, pattern: TopicPattern, signal: AbortSignal): Promise<Allowed<Binding>> {
    if (this.#drained) throw memoryDraining(this.name);
    signal.throwIfAborted();
    return allowed({ release: this.#broker.bind(stream, pattern) });
  }

  async start(handler: MessageHandler): Promise<void> {
    this.#life.begin();
    try {
      this.#consumption = { handler, consumer: this.#broker.attach(this.name, () => this.#wake()) };
    } catch (fault) {
      this.#life.stop();
      throw fault;
    }
    this.#life.consume();
    this.#wake();
  }

  pause(reason: string): void {
    this.#life.pause(reason);
  }

  resume(): void {
    this.#life.resume();
    this.#wake();
  }

  drain(deadline: AbortSignal): Promise<DrainResult> {
    this.#drained ??= this.#drain(deadline);
    return this.#drained;
  }

  async #drain(deadline: AbortSignal): Promise<DrainResult> {
    if (!this.#life.drain()) return { settled: 0, abandoned: this.#broker.counts.messages };
    // There is none when the start has failed.
    const consumer = this.#consumption?.consumer;
    this.#offerRetriesNow();
    this.#wake();
    const { settled } = await this.#life.idle(deadline, () => consumer?.hasNext() ?? false);
    this.#turns.stop();
    consumer?.detach();
    this.#life.stop();
    return { settled, abandoned: this.#broker.counts.messages };
  }

  /**
   * In a drain also under pressure: what is not handed over is lost, and it only moves from the broker's memory to the
   * clients' queues, which share one frame of each event.
   */
  get #isTaking(): boolean {
    return this.state.kind === 'consuming' || this.state.kind === 'draining';
  }

  #wake(): void {
    if (this.#isTaking) this.#turns.wake();
  }

  #takeNext(): number | undefined {
    if (!this.#consumption || !this.#isTaking || this.#life.inFlight >= this.#settings.inFlightMax) return undefined;
    const delivery = this.#consumption.consumer.take();
    if (!delivery) return undefined;
    this.#life.take();
    this.#handle(delivery, this.#consumption);
    return delivery.event.payload.length;
  }

  #handle(delivery: Delivery, { handler, consumer }: Consumption): void {
    const isLastOffer = this.state.kind === 'draining';
    const message = { event: takenFrom(delivery.event, this.name), attempt: delivery.attempt };
    const answer = askHandler(handler, message, { source: this.name, observer: this.#observer });
    whenKnown(answer, (settlement) => this.#done(delivery, { settlement, isLastOffer, consumer }));
  }

  #done(delivery: Delivery, { settlement, isLastOffer, consumer }: Answered): void {
    // Past the deadline of a drain the message is with the broker again, and this answer comes too late.
    if (this.state.kind === 'stopped') return;
    if (settlement.kind === 'retry') {
      // After its last offer it stays with the consumer, and what is behind it under its key is not taken either.
      if (!isLastOffer) this.#retryLater(delivery, consumer);
      this.#life.release();
    } else {
      this.#settle(delivery, settlement, consumer);
      this.#life.settle();
    }
    this.#turns.takeMore();
  }

  #settle(delivery: Delivery, settlement: Done, consumer: MemoryConsumer): void {
    switch (settlement.kind) {
      case 'accept':
        consumer.remove(delivery);
        return;
      case 'dead-letter':
        this.#deadLetter(delivery, settlement.cause, consumer);
        return;
    }
  }

  #deadLetter(delivery: Delivery, cause: string, consumer: MemoryConsumer): void {
    const { event } = delivery;
    const stream = this.#settings.deadLetter?.stream;
    if (stream !== undefined && stream !== event.stream) {
      consumer.replace(delivery, deadLetterOf(event, stream, this.name, cause));
      return;
    }
    consumer.remove(delivery);
    if (stream === undefined) return;
    const error = memoryDeadLetterAgain(this.name, stream);
    this.#observer.observe({ kind: 'source-fault', source: this.name, error });
  }

  /** The message keeps its place, so what is behind it under its key waits as well. */
  #retryLater(delivery: Delivery, consumer: MemoryConsumer): void {
    if (this.state.kind === 'draining') {
      consumer.giveBack(delivery);
      return;
    }
    const dueAt = this.#clock.now() + this.#settings.redeliverDelayMs;
    this.#retries.push({ dueAt, giveBack: () => consumer.giveBack(delivery) });
    if (!this.#stopRetryTimer) this.#armRetryTimer();
  }

  /** No delay is waited for that the process might not outlive. */
  #offerRetriesNow(): void {
    this.#stopRetryTimer?.();
    for (let next = this.#retries.shift(); next; next = this.#retries.shift()) next.giveBack();
  }

  /** One timer for all of them: the delay is one and the same, so they come due in order. */
  #armRetryTimer(): void {
    const next = this.#retries.first;
    this.#stopRetryTimer = next && this.#clock.schedule(next.dueAt - this.#clock.now(), () => this.#retryDue());
  }

  #retryDue(): void {
    for (let next = this.#retries.first; next && next.dueAt <= this.#clock.now(); next = this.#retries.first) {
      this.#retries.shift();
      next.giveBack();
    }
    this.#armRetryTimer();
  }
}

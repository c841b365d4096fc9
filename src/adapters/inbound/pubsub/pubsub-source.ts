import type { PubSub } from '@google-cloud/pubsub';
import type { BackOff } from '../../../application/back-off.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type {
  DrainResult,
  EventSource,
  MessageHandler,
  SourceState,
  SourceTraits,
} from '../../../application/ports/event-source.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { Event } from '../../../domain/event.ts';
import { askHandler } from '../../ask-handler.ts';
import { SourceLife } from '../../source-life.ts';
import { Turns } from '../../turns.ts';
import { untilAborted } from '../../until-aborted.ts';
import { whenKnown } from '../../when-known.ts';
import { openPubSubClient, pubsubAddress } from './pubsub-client.ts';
import { createDeadLetters, type DeadLetters } from './pubsub-dead-letters.ts';
import { credentialsMissing, drainedInStart } from './pubsub-fault.ts';
import { PubSubPublisher } from './pubsub-publisher.ts';
import type { PubSubSettings } from './pubsub-settings.ts';
import { parseSubscriptionName } from './resource-name.ts';
import { SubscriptionFeed } from './subscription-feed.ts';
import type { Delivery } from './subscription-intake.ts';

export type PubSubDependencies = { readonly clock: Clock; readonly observer: Observer };

/** Pub/Sub by streaming pull. */
export function createPubSubSource(
  name: string,
  settings: PubSubSettings,
  dependencies: PubSubDependencies,
): EventSource & EventPublisher {
  return new PubSubSource(name, settings, dependencies);
}

/** How long the broker is not heard of before it is asked whether it is there. */
const silenceMsMax = 10_000;

/** How long it may take to tell the broker of the last settlements, in time and past the deadline of a drain. */
const flushMsMax = 5000;
const lateFlushMsMax = 500;

class PubSubSource implements EventSource, EventPublisher {
  readonly name: string;
  readonly traits: SourceTraits;
  readonly #settings: PubSubSettings;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #life: SourceLife;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #publisher: PubSubPublisher;
  readonly #stopping = new AbortController();
  readonly #turns = new Turns(() => this.#takeNext());
  #handler: MessageHandler | undefined;
  #client: PubSub | undefined;
  #feeds: readonly SubscriptionFeed[] = [];
  /** The one that was looked at last. */
  #lastFeed = 0;
  #stopWatch: (() => void) | undefined;
  #drained: Promise<DrainResult> | undefined;

  constructor(name: string, settings: PubSubSettings, { clock, observer }: PubSubDependencies) {
    const { deadLetter, ordered, leaseMsMax, perInstance } = settings;
    this.name = name;
    this.traits = {
      redelivers: true,
      ordered,
      // A policy says nothing of the cause, and takes its time.
      deadLetters: deadLetter?.by === 'edgeward',
      leaseMs: leaseMsMax,
      keepsBacklog: !perInstance,
      inheritsBacklog: !perInstance,
      leaseOutlivesConnection: true,
      settles: true,
      survivesReconnect: true,
    };
    this.#settings = settings;
    this.#clock = clock;
    this.#observer = observer;
    this.#life = new SourceLife(name, observer);
    this.#publisher = new PubSubPublisher(name, settings, settings.publish);
    if (deadLetter?.by === 'edgeward') this.#deadLetters = createDeadLetters(name, deadLetter.topic, settings);
  }

  get state(): SourceState {
    return this.#life.state;
  }

  publish(event: Event): Promise<void> {
    return this.#publisher.publish(event);
  }

  async start(handler: MessageHandler): Promise<void> {
    this.#life.begin();
    this.#handler = handler;
    try {
      await this.#open();
    } catch (fault) {
      // A drain ends the rest by itself.
      if (!this.#drained) {
        await this.#close(AbortSignal.abort());
        this.#life.stop();
      }
      throw fault;
    }
    this.#stateChanged();
    this.#watch();
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

  async #open(): Promise<void> {
    const { startTimeoutMs, subscriptions } = this.#settings;
    const end = this.#clock.now() + startTimeoutMs;
    const client = await this.#openClient(startTimeoutMs);
    this.#client = client;
    if (this.#drained) throw drainedInStart(this.name);
    this.#feeds = subscriptions.map((text) => this.#createFeed(text, client));
    await Promise.all(this.#feeds.map((feed) => feed.open(Math.max(1, end - this.#clock.now()))));
    if (this.#drained) throw drainedInStart(this.name);
    // Not waited for: without it all is well until there is a dead letter. It is told of before that.
    const onFault = (error: unknown) => this.#observer.observe({ kind: 'source-fault', source: this.name, error });
    void this.#deadLetters?.check().catch(onFault);
  }

  /** Credentials are looked for in several places, some of them on the network. */
  async #openClient(timeoutMs: number): Promise<PubSub> {
    const missing = () => credentialsMissing(this.name, pubsubAddress(this.#settings));
    const giveUp = () => (this.#drained ? drainedInStart(this.name) : missing());
    const timeLimit = new AbortController();
    const stopTimer = this.#clock.schedule(timeoutMs, () => timeLimit.abort());
    const opened = openPubSubClient(this.#settings, this.#backOff).catch(() => Promise.reject(missing()));
    try {
      return await untilAborted(opened, AbortSignal.any([timeLimit.signal, this.#stopping.signal]), giveUp);
    } finally {
      stopTimer();
    }
  }

  /** The connection waits for its own delay, and then somebody for another one before it is tried: each has a half. */
  get #backOff(): BackOff {
    const { reconnectMsMin, reconnectMsMax } = this.#settings;
    return { delayMsMin: reconnectMsMin, delayMsMax: Math.max(reconnectMsMin, reconnectMsMax / 2) };
  }

  #createFeed(text: string, client: PubSub): SubscriptionFeed {
    const parsed = parseSubscriptionName(text);
    if (!parsed.ok) throw new RangeError(parsed.reason);
    return new SubscriptionFeed(parsed.value, {
      source: this.name,
      settings: this.#settings,
      client,
      backOff: this.#backOff,
      clock: this.#clock,
      deadLetters: this.#deadLetters,
      stopping: this.#stopping.signal,
      onMessage: () => this.#wake(),
      onFault: (error) => this.#observer.observe({ kind: 'source-fault', source: this.name, error }),
      // The end of the start looks at all of them.
      onChange: () => this.state.kind !== 'starting' && this.#stateChanged(),
    });
  }

  async #drain(deadline: AbortSignal): Promise<DrainResult> {
    this.#stopping.abort();
    if (!this.#life.drain()) return { settled: 0, abandoned: 0 };
    const closed = this.#closeFeeds();
    if (!this.#settings.perInstance) for (const feed of this.#feeds) feed.giveBackWaiting();
    this.#wake();
    const { settled, abandoned } = await this.#life.idle(deadline, () => this.#waiting > 0);
    const result = { settled, abandoned: abandoned + this.#waiting };
    this.#turns.stop();
    for (const feed of this.#feeds) {
      feed.giveBackWaiting();
      feed.giveBackTaken();
    }
    await this.#close(deadline, closed);
    this.#life.stop();
    return result;
  }

  #closeFeeds(): Promise<unknown> {
    this.#stopWatch?.();
    return Promise.all(this.#feeds.map((feed) => feed.close()));
  }

  async #close(deadline: AbortSignal, closed = this.#closeFeeds()): Promise<void> {
    const flushed = new AbortController();
    void closed.then(() => flushed.abort());
    await this.#clock.wait(deadline.aborted ? lateFlushMsMax : flushMsMax, flushed.signal);
    await Promise.all(this.#feeds.map((feed) => feed.remove()));
    await Promise.all([this.#client?.close(), this.#deadLetters?.close(), this.#publisher.close()]);
  }

  /** How many have come and are not handed over. */
  get #waiting(): number {
    return this.#feeds.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** One subscription that does not consume is told of; the others go on. */
  #stateChanged(): void {
    if (this.state.kind === 'draining' || this.state.kind === 'stopped') return;
    const faults = this.#feeds.flatMap(({ waitsFor }) => waitsFor ?? []);
    const [first] = faults;
    if (!first) {
      if (this.state.kind !== 'consuming') this.#life.consume();
      return;
    }
    const others = faults.length === 1 ? '' : ` (and ${faults.length - 1} more like it)`;
    // Who says that something is not there is there himself.
    this.#life.wait(
      `${first.message}${others}`,
      faults.every(({ code }) => code === 'pubsub_missing'),
    );
  }

  /** A connection can be dead without a word. Who hears nothing asks, one subscription for all: they share it. */
  #watch(delayMs = silenceMsMax): void {
    this.#stopWatch = this.#clock.schedule(delayMs, () => {
      const lastMessageAt = Math.max(...this.#feeds.map((feed) => feed.lastMessageAt));
      const left = lastMessageAt + silenceMsMax - this.#clock.now();
      this.#watch(left > 0 ? left : silenceMsMax);
      if (left <= 0) void this.#following()?.check();
    });
  }

  #following(): SubscriptionFeed | undefined {
    this.#lastFeed = (this.#lastFeed + 1) % this.#feeds.length;
    return this.#feeds[this.#lastFeed];
  }

  /** A subscription of this process alone ends with it, so what came of it is handed over in a drain as well. */
  get #isTaking(): boolean {
    if (this.state.kind === 'draining') return this.#settings.perInstance;
    return this.#life.isReady;
  }

  #wake(): void {
    if (this.#isTaking) this.#turns.wake();
  }

  /** From each subscription in turn. */
  #takeNext(): number | undefined {
    if (!this.#isTaking || !this.#handler) return undefined;
    for (const _ of this.#feeds) {
      const feed = this.#following();
      const delivery = feed?.take();
      if (!feed || !delivery) continue;
      this.#life.take();
      this.#handle(delivery, feed, this.#handler);
      return delivery.event.payload.length;
    }
    return undefined;
  }

  #handle(delivery: Delivery, feed: SubscriptionFeed, handler: MessageHandler): void {
    const { event, attempt } = delivery;
    const about = { source: this.name, observer: this.#observer };
    whenKnown(askHandler(handler, { event, attempt }, about), (settlement) => {
      // Past the deadline of a drain the message is with the broker again, and this answer comes too late.
      if (this.state.kind === 'stopped') return;
      whenKnown(feed.settle(delivery, settlement), (isSettled) => {
        if (isSettled) this.#life.settle();
        else this.#life.release();
        this.#wake();
      });
    });
  }
}

import type { Message, PubSub, Subscription } from '@google-cloud/pubsub';
import { type BackOff, backOffDelayMs } from '../../../application/back-off.ts';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import { probeSubscription } from './probe-subscription.ts';
import { type PubSubPlace, pubsubFault, settlementsLost } from './pubsub-fault.ts';
import type { PubSubSettings } from './pubsub-settings.ts';
import { subscriberOptions, subscribersOf } from './subscriber-options.ts';
import type { SubscriptionSetup } from './subscription-setup.ts';

export type PullDependencies = {
  readonly client: PubSub;
  readonly settings: PubSubSettings;
  readonly backOff: BackOff;
  readonly clock: Clock;
  readonly place: PubSubPlace;
  readonly setup: SubscriptionSetup;
  /** Whether there is nothing on this side that would keep messages from coming. */
  readonly isHungry: () => boolean;
  readonly onMessage: (message: Message, topic: string) => void;
  /** It is going to bring messages again after an outage, some of them once more. */
  readonly onComeback: () => void;
  /** Trouble that it deals with itself. */
  readonly onFault: (fault: Fault) => void;
  /** `waitsFor` is another one. */
  readonly onChange: () => void;
};

/** How long an answer may take that proves the way to the broker. */
const probeMsMax = 5000;

/** Status 2: nobody knows. */
const endedSilently = { code: 2, details: 'its streams were closed' };

/**
 * One subscription that is consumed from, whatever becomes of its streams. The vendor's client opens a stream again after
 * some faults, and says when one has ended but not when one is back: that is what the probe finds out. After the others,
 * and after an outage, there is a new subscriber here; the old one settles what it has brought.
 */
export class SubscriptionPull {
  readonly #dependencies: PullDependencies;
  readonly #closing = new AbortController();
  /** Subscribers that take nothing any more and wait for what they have brought. */
  readonly #retiring = new Set<Promise<void>>();
  #topic = '';
  /** Those that bring messages; none when there is nothing to consume. */
  #current: ReadonlySet<Subscription> = new Set();
  /** Why there is no subscriber. */
  #lost: Fault | undefined;
  #waitsFor: Fault | undefined;
  /** A probe, or what follows from it, is under way. */
  #isChecking = false;
  #hasStreamEnded = false;
  #lastMessageAt = 0;
  #stopIdleTimer: (() => void) | undefined;

  constructor(dependencies: PullDependencies) {
    this.#dependencies = dependencies;
  }

  /** Why it does not consume; nothing when it does. */
  get waitsFor(): Fault | undefined {
    return this.#waitsFor;
  }

  /** When it brought the last message, in milliseconds since the epoch. */
  get lastMessageAt(): number {
    return this.#lastMessageAt;
  }

  /** Rejects with a `Fault` when it does not consume after `timeoutMs`, unless it is to wait for what is missing. */
  async open(timeoutMs: number): Promise<void> {
    const { clock, settings, backOff } = this.#dependencies;
    const end = clock.now() + timeoutMs;
    for (let tries = 1; ; tries += 1) {
      const fault = await this.#tryToOpen(Math.max(1, end - clock.now()));
      if (!fault) return;
      if (fault.code === 'pubsub_missing' && settings.whenMissing === 'wait') {
        void this.#recover(fault);
        return;
      }
      const delayMs = backOffDelayMs(backOff, tries, Math.random());
      if (fault.disposition === 'stop' || clock.now() + delayMs >= end) throw fault;
      await clock.wait(delayMs, this.#closing.signal);
      if (this.#closing.signal.aborted) throw fault;
    }
  }

  /** Asks the broker whether it is there; when it is not, says so until it is. */
  async check(): Promise<void> {
    if (this.#isChecking || this.#closing.signal.aborted) return;
    this.#isChecking = true;
    const fault = await this.#probe(probeMsMax);
    if (this.#closing.signal.aborted) return;
    this.#isChecking = false;
    const trouble = fault ?? this.#lost;
    // Else the client opens its streams again by itself.
    if (trouble) await this.#recover(trouble);
    else this.#hasStreamEnded = false;
  }

  /** Takes nothing more, from now on. Resolves when all that it has brought is settled on the broker. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopIdleTimer?.();
    this.#retire();
    await Promise.all(this.#retiring);
  }

  async #tryToOpen(timeoutMs: number): Promise<Fault | undefined> {
    const { clock, setup, place } = this.#dependencies;
    const end = clock.now() + timeoutMs;
    try {
      this.#topic = await setup.prepare(timeoutMs);
    } catch (error) {
      return pubsubFault(error, place);
    }
    const fault = await this.#probe(Math.max(1, end - clock.now()));
    if (!fault && !this.#closing.signal.aborted) this.#renew();
    return fault;
  }

  #probe(timeoutMs: number): Promise<Fault | undefined> {
    const { client, setup, place } = this.#dependencies;
    return probeSubscription(client, setup.name, place, timeoutMs);
  }

  /** New subscribers; those that were there close gently. */
  #renew(): void {
    const { settings, clock } = this.#dependencies;
    this.#retire();
    this.#current = new Set(Array.from({ length: subscribersOf(settings) }, () => this.#subscribe(this.#topic)));
    this.#lost = undefined;
    this.#hasStreamEnded = false;
    this.#lastMessageAt = clock.now();
    this.#watchIdleness();
  }

  #subscribe(topic: string): Subscription {
    const { client, setup, settings, backOff, place, clock, onFault, onMessage } = this.#dependencies;
    const subscription = client.subscription(setup.name, subscriberOptions(settings, backOff));
    subscription.on('error', (error) => this.#lose(subscription, pubsubFault(error, place)));
    subscription.on('close', () => this.#lose(subscription, pubsubFault(endedSilently, place)));
    subscription.on('debug', (told: object) => {
      // Only a batch of settlements that did not arrive lists them.
      if ('ackIds' in told) onFault(settlementsLost(place));
      else if (this.#current.has(subscription)) this.#hasStreamEnded = true;
      void this.check();
    });
    subscription.on('message', (message) => {
      this.#lastMessageAt = clock.now();
      onMessage(message, topic);
    });
    return subscription;
  }

  /** The client calls the fault final. */
  #lose(subscription: Subscription, fault: Fault): void {
    if (!this.#current.has(subscription)) return;
    this.#retire();
    this.#lost = fault;
    if (!this.#isChecking) void this.#recover(fault);
  }

  /** Tries until it consumes again. */
  async #recover(first: Fault): Promise<void> {
    const { clock, backOff, onChange, onComeback } = this.#dependencies;
    const { signal } = this.#closing;
    this.#isChecking = true;
    let fault = first;
    for (let tries = 1; ; tries += 1) {
      if (this.#isNews(fault)) tries = 1;
      await clock.wait(backOffDelayMs(backOff, tries, Math.random()), signal);
      if (signal.aborted) return;
      const next = await (this.#areStreamsIntact ? this.#probe(probeMsMax) : this.#tryToOpen(probeMsMax));
      if (signal.aborted) return;
      if (!next && this.#current.size > 0) break;
      fault = next ?? this.#lost ?? fault;
    }
    this.#isChecking = false;
    this.#waitsFor = undefined;
    onComeback();
    onChange();
  }

  get #areStreamsIntact(): boolean {
    return this.#current.size > 0 && !this.#hasStreamEnded;
  }

  /** Told once, however often it is met. */
  #isNews(fault: Fault): boolean {
    if (this.#waitsFor?.code === fault.code) return false;
    const { onFault, onChange } = this.#dependencies;
    this.#waitsFor = fault;
    onFault(fault);
    onChange();
    return true;
  }

  /** Subscribers have been seen that brought nothing any more, for ever and without a word. */
  #watchIdleness(): void {
    const { clock, settings, isHungry } = this.#dependencies;
    const { reopenAfterIdleMs } = settings;
    this.#stopIdleTimer?.();
    if (reopenAfterIdleMs === 0) return;
    const left = this.#lastMessageAt + reopenAfterIdleMs - clock.now();
    this.#stopIdleTimer = clock.schedule(left > 0 ? left : reopenAfterIdleMs, () => {
      const isIdle = clock.now() - this.#lastMessageAt >= reopenAfterIdleMs;
      if (isIdle && isHungry() && !this.#isChecking) this.#renew();
      else this.#watchIdleness();
    });
  }

  #retire(): void {
    const retired = this.#current;
    this.#current = new Set();
    for (const subscription of retired) {
      const done = () => void this.#retiring.delete(closed);
      const closed = subscription.close().then(done, done);
      this.#retiring.add(closed);
    }
  }
}

import type { Message, PubSub } from '@google-cloud/pubsub';
import { type BackOff, backOffDelayMs } from '../../../application/back-off.ts';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Settlement } from '../../../application/ports/event-source.ts';
import { pubsubAddress } from './pubsub-client.ts';
import type { DeadLetters } from './pubsub-dead-letters.ts';
import { type PubSubPlace, pubsubFault } from './pubsub-fault.ts';
import { eventOf } from './pubsub-message.ts';
import type { PubSubSettings } from './pubsub-settings.ts';
import { RedeliveryMemory } from './redelivery-memory.ts';
import type { SubscriptionName } from './resource-name.ts';
import { type Delivery, SubscriptionIntake } from './subscription-intake.ts';
import { SubscriptionPull } from './subscription-pull.ts';
import { ownSubscription, type SubscriptionSetup, sharedSubscription } from './subscription-setup.ts';

export type FeedDependencies = {
  readonly source: string;
  readonly settings: PubSubSettings;
  readonly client: PubSub;
  readonly backOff: BackOff;
  readonly clock: Clock;
  /** Absent where the broker moves them, and where they are discarded. */
  readonly deadLetters: DeadLetters | undefined;
  /** Aborts when nothing is to be waited for any more. */
  readonly stopping: AbortSignal;
  readonly onMessage: () => void;
  readonly onFault: (fault: Fault) => void;
  readonly onChange: () => void;
};

/** Of the lease. The handler counts on the rest of it from the moment that it is given a message. */
const waitShareMax = 0.2;

/** How long the deletion of a subscription may take that nobody is going to need. */
const removeMsMax = 2000;

/** One subscription: what comes of it, and what becomes of that. */
export class SubscriptionFeed {
  readonly #dependencies: FeedDependencies;
  readonly #subscription: string;
  readonly #place: PubSubPlace;
  readonly #setup: SubscriptionSetup;
  readonly #intake: SubscriptionIntake;
  readonly #pull: SubscriptionPull;
  readonly #memory = new RedeliveryMemory();

  constructor(wanted: SubscriptionName, dependencies: FeedDependencies) {
    const { source, settings, client, backOff, clock, onFault, onChange } = dependencies;
    const { inFlightMax, inFlightBytesMax, ordered, leaseMsMax, perInstance } = settings;
    const place: PubSubPlace = {
      source,
      resource: `subscription "${wanted.id}"`,
      permission: 'pubsub.subscriptions.consume',
      address: pubsubAddress(settings),
    };
    const setupOf = perInstance ? ownSubscription : sharedSubscription;
    this.#dependencies = dependencies;
    this.#subscription = wanted.id;
    this.#place = place;
    this.#setup = setupOf({ client, settings, wanted, place, onWarning: onFault });
    this.#intake = new SubscriptionIntake({
      inFlightMax,
      inFlightBytesMax,
      ordered,
      waitMsMax: leaseMsMax * waitShareMax,
    });
    this.#pull = new SubscriptionPull({
      client,
      settings,
      backOff,
      clock,
      place,
      setup: this.#setup,
      isHungry: () => this.#intake.isHungry,
      onMessage: (message, topic) => this.#receive(message, topic),
      onComeback: () => this.#makeRoom(),
      onFault,
      onChange,
    });
  }

  get waitsFor(): Fault | undefined {
    return this.#pull.waitsFor;
  }

  get lastMessageAt(): number {
    return this.#pull.lastMessageAt;
  }

  /** How many have not been taken. */
  get waiting(): number {
    return this.#intake.waiting;
  }

  open(timeoutMs: number): Promise<void> {
    return this.#pull.open(timeoutMs);
  }

  check(): Promise<void> {
    return this.#pull.check();
  }

  take(): Delivery | undefined {
    return this.#intake.take(this.#dependencies.clock.now());
  }

  /** Never throws or rejects. @returns whether the message is settled; else it is with the broker again. */
  settle(delivery: Delivery, settlement: Settlement): boolean | Promise<boolean> {
    switch (settlement.kind) {
      case 'accept':
        return this.#acknowledge(delivery);
      case 'retry':
        return this.#giveBack(delivery);
      case 'dead-letter':
        return this.#deadLetter(delivery, settlement.cause);
    }
  }

  /** Takes nothing more, from now on. Resolves when all that it has brought is settled on the broker. */
  close(): Promise<void> {
    return this.#pull.close();
  }

  giveBackWaiting(): void {
    this.#intake.giveBackWaiting(this.#dependencies.clock.now());
  }

  giveBackTaken(): void {
    this.#intake.giveBackTaken();
  }

  async remove(): Promise<void> {
    try {
      await this.#setup.remove(removeMsMax);
    } catch (error) {
      this.#dependencies.onFault(pubsubFault(error, this.#place));
    }
  }

  #receive(message: Message, topic: string): void {
    const { source, clock, stopping, onMessage } = this.#dependencies;
    // Some arrive when their stream has been closed.
    if (stopping.aborted || this.#memory.isCondemned(message.id)) {
      message.nack();
      return;
    }
    this.#intake.add({
      event: eventOf(message, { source, topic, subscription: this.#subscription }),
      attempt: this.#memory.attempt(message.id, message.deliveryAttempt),
      receivedAt: clock.now(),
      acknowledge: () => message.ack(),
      giveBack: () => message.nack(),
    });
    onMessage();
  }

  /**
   * The broker offers again what it has not heard of in an outage: it must not be here twice, nor pile up. What only
   * this process has is kept as long as there is room.
   */
  #makeRoom(): void {
    const { perInstance, inFlightMax } = this.#dependencies.settings;
    if (!perInstance || this.#intake.waiting >= inFlightMax) this.giveBackWaiting();
  }

  #acknowledge(delivery: Delivery): true {
    this.#memory.settled(delivery.event.id);
    this.#intake.accept(delivery);
    return true;
  }

  #giveBack(delivery: Delivery): false {
    this.#memory.givenBack(delivery.event.id, delivery.attempt);
    this.#intake.giveBack(delivery, this.#dependencies.clock.now());
    return false;
  }

  async #deadLetter(delivery: Delivery, cause: string): Promise<boolean> {
    const { settings, deadLetters } = this.#dependencies;
    if (settings.deadLetter?.by === 'policy') {
      this.#memory.condemn(delivery.event.id);
      this.#intake.giveUp(delivery);
      return true;
    }
    try {
      await deadLetters?.publish(delivery.event, cause);
      return this.#acknowledge(delivery);
    } catch (error) {
      return this.#holdAndGiveBack(delivery, pubsubFault(error, this.#place));
    }
  }

  /** It comes back at once when it is given back, and there is no use in trying that as fast as it can come. */
  async #holdAndGiveBack(delivery: Delivery, fault: Fault): Promise<false> {
    const { backOff, clock, stopping, onFault } = this.#dependencies;
    onFault(fault);
    await clock.wait(backOffDelayMs(backOff, delivery.attempt, Math.random()), stopping);
    return this.#giveBack(delivery);
  }
}

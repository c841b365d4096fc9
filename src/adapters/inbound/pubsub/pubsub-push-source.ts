import type { FastifyPluginAsync } from 'fastify';
import type { PublishAdmission } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
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
import { intakeRefusal, type Problem } from '../http-problem.ts';
import { tooManyRequests } from '../publish-routes.ts';
import { createDeadLetters, type DeadLetters } from './pubsub-dead-letters.ts';
import { pushLate, pushUnreadable } from './pubsub-push-fault.ts';
import { PushMemory } from './pubsub-push-memory.ts';
import type { PushedMessage, PushIntake } from './pubsub-push-message.ts';
import { createPushRoutes, type PushOutcome } from './pubsub-push-routes.ts';
import type { PubSubPushSettings } from './pubsub-settings.ts';
import { fullName, parseSubscriptionName } from './resource-name.ts';

export type PubSubPushDependencies = {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly admission: PublishAdmission;
  /** By default what the settings name. */
  readonly deadLetters?: DeadLetters | undefined;
};

export type PubSubPushSource = EventSource & {
  /** To be registered with the listener before it listens. */
  readonly routes: FastifyPluginAsync;
};

/** `POST /v1/push/NAME`. A message is acknowledged by the answer to its push. */
export function createPubSubPushSource(
  name: string,
  settings: PubSubPushSettings,
  dependencies: PubSubPushDependencies,
): PubSubPushSource {
  return new PushSource(name, settings, dependencies);
}

/** A message that is with the handler, and how many requests wait for what becomes of it. */
type InHand = { readonly outcome: Promise<PushOutcome>; waiting: number };

/** A key has some 100 characters, so this is a few megabytes at most. */
const rememberedMax = 10_000;

class PushSource implements PubSubPushSource {
  readonly name: string;
  readonly traits: SourceTraits;
  readonly routes: FastifyPluginAsync;
  readonly #settings: PubSubPushSettings;
  readonly #clock: Clock;
  readonly #observer: Observer;
  readonly #deadLetters: DeadLetters | undefined;
  readonly #life: SourceLife;
  readonly #inHand = new Map<string, InHand>();
  readonly #memory = new PushMemory(rememberedMax);
  /** What lets go of each request that waits. */
  readonly #waiting = new Set<() => void>();
  #handler: MessageHandler | undefined;
  #drained: Promise<DrainResult> | undefined;

  constructor(name: string, settings: PubSubPushSettings, dependencies: PubSubPushDependencies) {
    const { clock, observer, admission, deadLetters = deadLettersOf(name, settings) } = dependencies;
    this.name = name;
    this.traits = {
      redelivers: true,
      ordered: settings.ordered,
      deadLetters: settings.deadLetter !== undefined,
      leaseMs: settings.leaseMsMax,
      keepsBacklog: true,
      inheritsBacklog: true,
      leaseOutlivesConnection: true,
      settles: true,
      survivesReconnect: true,
    };
    this.#settings = settings;
    this.#clock = clock;
    this.#observer = observer;
    this.#deadLetters = deadLetters;
    this.#life = new SourceLife(name, observer);
    this.routes = createPushRoutes({
      settings,
      admission,
      intake: { source: name, subscriptions: subscriptionsOf(settings) },
      refusal: (message) => this.#refusal(message),
      unreadable: ({ status, code, detail }) => this.#fault(pushUnreadable(name, `${status} ${code}: ${detail}`)),
      take: (message, gone) => this.#take(message, gone),
    });
  }

  get state(): SourceState {
    return this.#life.state;
  }

  async start(handler: MessageHandler): Promise<void> {
    this.#life.begin();
    this.#handler = handler;
    this.#life.consume();
  }

  pause(reason: string): void {
    this.#life.pause(reason);
  }

  resume(): void {
    this.#life.resume();
  }

  drain(deadline: AbortSignal): Promise<DrainResult> {
    this.#drained ??= this.#drain(deadline);
    return this.#drained;
  }

  async #drain(deadline: AbortSignal): Promise<DrainResult> {
    if (!this.#life.drain()) return { settled: 0, abandoned: 0 };
    const result = await this.#life.idle(deadline);
    this.#life.stop();
    this.#inHand.clear();
    for (const letGo of this.#waiting) letGo();
    await this.#deadLetters?.close();
    return result;
  }

  /**
   * What is in hand, or done while nobody was there to be told, is no new message: it is answered whatever the state.
   * Only its body says which message it is, so while there are such messages bodies are read to be refused.
   */
  #refusal(message?: PushedMessage): Problem | undefined {
    const { kind } = this.state;
    const isOwed = message ? this.#isKnown(message.key) : this.#inHand.size > 0 || this.#memory.hasDone;
    if (isOwed && kind !== 'stopped') return undefined;
    const isFull = message !== undefined && this.#inHand.size >= this.#settings.inFlightMax;
    return intakeRefusal(kind, this.#drained !== undefined) ?? (isFull ? tooManyRequests() : undefined);
  }

  #isKnown(key: string): boolean {
    return this.#inHand.has(key) || this.#memory.isDone(key);
  }

  /** A message that is pushed again while it is in hand is not handed over twice: both requests get the one answer. */
  async #take(message: PushedMessage, gone: AbortSignal): Promise<PushOutcome> {
    const { key } = message;
    if (this.#memory.isDone(key)) {
      this.#memory.forget(key);
      return 'taken';
    }
    const inHand = this.#inHand.get(key) ?? this.#handOver(message);
    const { promise: givenUp, resolve } = Promise.withResolvers<PushOutcome>();
    inHand.waiting += 1;
    const giveUp = () => {
      if (!this.#waiting.delete(giveUp)) return;
      inHand.waiting -= 1;
      resolve('later');
      // Only while it is in hand: what a drain abandons is counted there.
      if (inHand.waiting === 0 && this.#inHand.get(key) === inHand) this.#fault(pushLate(this.name));
    };
    this.#waiting.add(giveUp);
    const stopTimer = this.#clock.schedule(this.#settings.leaseMsMax, giveUp);
    gone.addEventListener('abort', giveUp, { once: true });
    if (gone.aborted) giveUp();
    const outcome = await Promise.race([inHand.outcome, givenUp]);
    stopTimer();
    gone.removeEventListener('abort', giveUp);
    this.#waiting.delete(giveUp);
    return outcome;
  }

  #handOver(message: PushedMessage): InHand {
    const { key, event, deliveryAttempt } = message;
    const attempt = Math.max(deliveryAttempt, this.#memory.attempts(key) + 1);
    this.#life.take();
    const outcome = this.#settle(event, attempt).then((settled) => {
      this.#finish(key, attempt, settled);
      return settled;
    });
    const inHand = { outcome, waiting: 0 };
    this.#inHand.set(key, inHand);
    return inHand;
  }

  /** At the moment when the requests that wait are told. */
  #finish(key: string, attempt: number, outcome: PushOutcome): void {
    // Past the deadline of a drain the message is with the broker again, and this comes too late.
    if (this.state.kind === 'stopped') return;
    const isTold = (this.#inHand.get(key)?.waiting ?? 0) > 0;
    this.#inHand.delete(key);
    if (outcome !== 'taken') this.#memory.givenBack(key, attempt);
    else if (isTold) this.#memory.forget(key);
    else this.#memory.done(key, attempt);
    if (isTold) this.#life.settle();
    else this.#life.release();
  }

  async #settle(event: Event, attempt: number): Promise<PushOutcome> {
    if (!this.#handler) return 'later';
    const about = { source: this.name, observer: this.#observer };
    const settlement = await askHandler(this.#handler, { event, attempt }, about);
    if (this.state.kind === 'stopped') return 'later';
    switch (settlement.kind) {
      case 'accept':
        return 'taken';
      case 'retry':
        return 'later';
      case 'dead-letter':
        return this.#deadLetter(event, settlement.cause);
    }
  }

  async #deadLetter(event: Event, cause: string): Promise<PushOutcome> {
    if (this.#settings.deadLetter?.by === 'policy') return 'refused';
    try {
      await this.#deadLetters?.publish(event, cause);
      return 'taken';
    } catch (error) {
      this.#fault(error);
      return 'later';
    }
  }

  #fault(error: unknown): void {
    this.#observer.observe({ kind: 'source-fault', source: this.name, error });
  }
}

/** Nothing where the broker's policy moves them, or they are discarded. */
function deadLettersOf(name: string, settings: PubSubPushSettings): DeadLetters | undefined {
  const { deadLetter } = settings;
  return deadLetter?.by === 'edgeward' ? createDeadLetters(name, deadLetter.topic, settings) : undefined;
}

/** By full name, as Pub/Sub gives it. */
function subscriptionsOf({ subscriptions, project }: PubSubPushSettings): PushIntake['subscriptions'] {
  return new Map(
    subscriptions.flatMap((text) => {
      const name = parseSubscriptionName(text);
      if (!name.ok || !name.value.topic) return [];
      return [[fullName('subscriptions', name.value, project), { id: name.value.id, topic: name.value.topic.id }]];
    }),
  );
}

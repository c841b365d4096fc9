import { setImmediate } from 'node:timers/promises';
import type { FastifyPluginAsync } from 'fastify';
import { Fault } from '../../../application/fault.ts';
import type { PublishAdmission } from '../../../application/ports/admission.ts';
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
import { bytesPerTurnMax } from '../../turns.ts';
import { eventId } from '../event-id.ts';
import { type EventOutcome, intakeRefusal } from '../http-problem.ts';
import { createEventRoutes } from './event-routes.ts';
import type { HttpSettings } from './http-settings.ts';

export type HttpDependencies = {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly admission: PublishAdmission;
  /** Where events go; without it the handler gets them, and its settlement is the answer. */
  readonly publisher?: EventPublisher | undefined;
};

export type HttpSource = EventSource & {
  /** To be registered with the listener before it listens. */
  readonly routes: FastifyPluginAsync;
};

/** `POST /v1/events`. The publisher keeps an event until it has been told that it was taken. */
export function createHttpSource(name: string, settings: HttpSettings, dependencies: HttpDependencies): HttpSource {
  return new PublishingSource(name, settings, dependencies);
}

class PublishingSource implements HttpSource {
  readonly name: string;
  readonly traits: SourceTraits = {
    redelivers: false,
    ordered: false,
    deadLetters: false,
    leaseMs: Number.POSITIVE_INFINITY,
    keepsBacklog: true,
    settles: true,
    survivesReconnect: true,
    inheritsBacklog: true,
    leaseOutlivesConnection: false,
  };
  readonly routes: FastifyPluginAsync;
  readonly #observer: Observer;
  readonly #publisher: EventPublisher | undefined;
  readonly #life: SourceLife;
  #handler: MessageHandler | undefined;
  /** What lets go of each request that is being taken. */
  readonly #underWay = new Set<() => void>();
  #drained: Promise<DrainResult> | undefined;

  constructor(name: string, settings: HttpSettings, dependencies: HttpDependencies) {
    const { clock, observer, admission, publisher } = dependencies;
    this.name = name;
    this.#observer = observer;
    this.#publisher = publisher;
    this.#life = new SourceLife(name, observer);
    this.routes = createEventRoutes({
      settings,
      admission,
      intake: () => ({ source: name, settings, now: clock.now(), newId: eventId }),
      refusal: () => intakeRefusal(this.state.kind, this.#drained !== undefined),
      take: (events) => this.#take(events),
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
    for (const letGo of this.#underWay) letGo();
    return result;
  }

  /**
   * One after the other, so that events keep the order that they were sent in. After one that is to be sent again none
   * is tried, so that it is overtaken by nothing.
   */
  async #take(events: readonly Event[]): Promise<readonly EventOutcome[]> {
    const abandoned = Promise.withResolvers<'later'>();
    const letGo = () => abandoned.resolve('later');
    this.#underWay.add(letGo);
    this.#life.take(events.length);
    const outcomes: EventOutcome[] = [];
    let isLater = false;
    let bytesInTurn = 0;
    for (const event of events) {
      if (bytesInTurn >= bytesPerTurnMax) bytesInTurn = await setImmediate(0);
      bytesInTurn += event.payload.length;
      const outcome: EventOutcome['outcome'] = isLater
        ? 'later'
        : await Promise.race([this.#settle(event), abandoned.promise]);
      isLater = outcome === 'later';
      outcomes.push({ id: event.id, outcome });
      this.#life.settle();
    }
    this.#underWay.delete(letGo);
    return outcomes;
  }

  #settle(event: Event): Promise<EventOutcome['outcome']> {
    return this.#publisher ? this.#publish(event, this.#publisher) : this.#handle(event);
  }

  async #publish(event: Event, publisher: EventPublisher): Promise<EventOutcome['outcome']> {
    try {
      await publisher.publish(event);
      return 'taken';
    } catch (error) {
      this.#observer.observe({ kind: 'source-fault', source: this.name, error });
      return error instanceof Fault && error.disposition === 'dead-letter' ? 'refused' : 'later';
    }
  }

  async #handle(event: Event): Promise<EventOutcome['outcome']> {
    if (!this.#handler) return 'later';
    const about = { source: this.name, observer: this.#observer };
    const { kind } = await askHandler(this.#handler, { event, attempt: 1 }, about);
    if (kind === 'accept') return 'taken';
    return kind === 'dead-letter' ? 'refused' : 'later';
  }
}

import type { Notification } from '../domain/notification.ts';
import { type BackOff, backOffDelayMs } from './back-off.ts';
import { Fault } from './fault.ts';
import type { Clock } from './ports/clock.ts';
import type { NotificationHandler } from './ports/notification-handler.ts';
import type { NotificationOutbox, TryOutcome } from './ports/notification-store.ts';
import type { Observer } from './ports/observer.ts';

export type SendPolicy = {
  /** Between the tries of one notification. */
  readonly backOff: BackOff;
  /** A notification has failed for good that could not be sent for so long since its event. */
  readonly giveUpAfterMs: number;
};

export type SendDependencies = {
  readonly outbox: NotificationOutbox;
  readonly handlers: readonly NotificationHandler[];
  readonly policy: SendPolicy;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly random: () => number;
};

/** Between two tries to reach a store that fails. */
const storeBackOff: BackOff = { delayMsMin: 200, delayMsMax: 10_000 };

/** Between two tries to write what became of a try, where the store says that it never will. */
const recordAgainMs = 60_000;

/** What of that is remembered; the rest is found by the next process, which makes the try again. */
const unrecordedMax = 1000;

/**
 * Sends what has fired. Each step is written before the next one begins: that a try begins before it is made, and what
 * became of it before anything else is done with the notification.
 */
export class NotificationSender {
  readonly #dependencies: SendDependencies;
  readonly #lanes: readonly HandlerLane[];
  /** Nothing is begun any more. */
  readonly #stopping = new AbortController();
  /** What is under way is to end. */
  readonly #cutting = new AbortController();

  constructor(dependencies: SendDependencies) {
    const signals = { stopping: this.#stopping.signal, cutting: this.#cutting.signal };
    this.#dependencies = dependencies;
    this.#lanes = dependencies.handlers.map((handler) => new HandlerLane(handler, dependencies, signals));
  }

  /** Rejects with a `Fault` when the store cannot be read. */
  async start(): Promise<void> {
    const { outbox, clock, observer } = this.#dependencies;
    const count = await outbox.recover(clock.now());
    if (count > 0) observer.observe({ kind: 'notifications-recovered', count });
    const orphans = await outbox.orphans(this.#dependencies.handlers.map(({ name }) => name));
    if (orphans > 0) observer.observe({ kind: 'notification-backlog', handler: 'none', count: orphans });
    this.wake();
  }

  /** There may be something to be sent. */
  wake(): void {
    for (const lane of this.#lanes) lane.wake();
  }

  /**
   * Begins nothing any more, and waits for what is under way until the signal aborts. What is not through then is sent
   * by the next process. Never rejects.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    const cut = () => this.#cutting.abort();
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
    deadline.removeEventListener('abort', cut);
  }
}

type Signals = { readonly stopping: AbortSignal; readonly cutting: AbortSignal };

/** What one handler sends: it waits for no other. */
class HandlerLane {
  readonly #handler: NotificationHandler;
  readonly #dependencies: SendDependencies;
  readonly #signals: Signals;
  readonly #underWay = new Set<Promise<void>>();
  #isLooking = false;
  #isWoken = false;
  #storeFailures = 0;
  #cancelTimer: (() => void) | undefined;
  #looked: Promise<void> = Promise.resolve();
  #unrecordedCount = 0;

  constructor(handler: NotificationHandler, dependencies: SendDependencies, signals: Signals) {
    this.#handler = handler;
    this.#dependencies = dependencies;
    this.#signals = signals;
  }

  wake(): void {
    this.#isWoken = true;
    if (!this.#isLooking && !this.#signals.stopping.aborted) this.#looked = this.#look();
  }

  async idle(): Promise<void> {
    this.#cancelTimer?.();
    await this.#looked;
    await Promise.all(this.#underWay);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#isWoken && !this.#signals.stopping.aborted) {
      this.#isWoken = false;
      this.#cancelTimer?.();
      try {
        await this.#begin();
        this.#storeFailures = 0;
      } catch (error) {
        this.#storeFailures += 1;
        this.#dependencies.observer.observe({ kind: 'notification-store-failed', error });
        this.#wakeIn(backOffDelayMs(storeBackOff, this.#storeFailures, this.#dependencies.random()));
      }
    }
    this.#isLooking = false;
  }

  async #begin(): Promise<void> {
    const { outbox, clock, observer } = this.#dependencies;
    const { name, concurrencyMax } = this.#handler;
    const places = concurrencyMax - this.#underWay.size;
    // Whoever gives a place back wakes the lane.
    if (places <= 0) return;
    for (const notification of await outbox.begin(name, clock.now(), places)) {
      const through = this.#send(notification).finally(() => {
        this.#underWay.delete(through);
        this.wake();
      });
      this.#underWay.add(through);
    }
    const { count, nextTryAt } = await outbox.backlog(name);
    observer.observe({ kind: 'notification-backlog', handler: name, count: count + this.#underWay.size });
    if (nextTryAt !== undefined && this.#underWay.size < concurrencyMax) this.#wakeIn(nextTryAt - clock.now());
  }

  #wakeIn(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#dependencies.clock.schedule(Math.max(0, delayMs), () => this.wake());
  }

  /** Never rejects. */
  async #send(notification: Notification): Promise<void> {
    const { stopping, cutting } = this.#signals;
    if (stopping.aborted) return;
    let error: unknown;
    try {
      await this.#handler.send(notification, cutting);
    } catch (thrown) {
      // What was cut off may be anywhere: it stays as it is, and the next process tries it again.
      if (cutting.aborted) return;
      error = thrown ?? new Error('rejected without a reason');
    }
    const outcome = error === undefined ? sent : this.#outcomeOf(error, notification);
    await this.#record(notification, outcome);
    this.#dependencies.observer.observe({
      kind: 'notification-tried',
      handler: this.#handler.name,
      notification: notification.id,
      outcome: outcome.kind === 'retry' ? 'retried' : outcome.kind,
      attempt: notification.attempts,
      ...(error === undefined ? {} : { error }),
    });
  }

  #outcomeOf(error: unknown, { attempts, triggeredAt }: Notification): TryOutcome {
    const { policy, clock, random } = this.#dependencies;
    const failure = error instanceof Fault ? error.code : 'notification_handler_threw';
    if (error instanceof Fault && error.disposition === 'dead-letter') return { kind: 'failed', failure };
    const now = clock.now();
    if (triggeredAt !== undefined && now - triggeredAt >= policy.giveUpAfterMs) return { kind: 'failed', failure };
    const delayMs = backOffDelayMs(policy.backOff, attempts, random());
    const retryAfterMs = (error instanceof Fault ? error.retryAfterMs : undefined) ?? 0;
    return { kind: 'retry', failure, nextTryAt: now + Math.max(delayMs, Math.min(retryAfterMs, policy.giveUpAfterMs)) };
  }

  /**
   * Until the store has it: what was sent is not sent again because a disk is full for a while. A fault that does not
   * pass by itself must not keep the place of what could be sent: it goes on without one.
   */
  async #record({ id }: Notification, outcome: TryOutcome): Promise<void> {
    const { outbox, clock, observer, random } = this.#dependencies;
    const { cutting } = this.#signals;
    for (let tries = 1; !cutting.aborted; tries += 1) {
      try {
        await outbox.finish(id, outcome, clock.now());
        return;
      } catch (error) {
        const isPassing = error instanceof Fault && error.disposition === 'retry';
        observer.observe({ kind: 'notification-store-failed', error: isPassing ? error : unrecorded(id, error) });
        if (!isPassing) {
          void this.#recordLater(id, outcome);
          return;
        }
        await clock.wait(backOffDelayMs(storeBackOff, tries, random()), cutting);
      }
    }
  }

  /** Never rejects. */
  async #recordLater(id: string, outcome: TryOutcome): Promise<void> {
    const { outbox, clock, observer } = this.#dependencies;
    const { stopping } = this.#signals;
    if (this.#unrecordedCount >= unrecordedMax) return;
    this.#unrecordedCount += 1;
    for (let isRecorded = false; !isRecorded && !stopping.aborted; ) {
      await clock.wait(recordAgainMs, stopping);
      if (stopping.aborted) break;
      try {
        await outbox.finish(id, outcome, clock.now());
        isRecorded = true;
      } catch (error) {
        observer.observe({ kind: 'notification-store-failed', error: unrecorded(id, error) });
      }
    }
    this.#unrecordedCount -= 1;
    this.wake();
  }
}

const unrecorded = (id: string, cause: unknown): Fault =>
  new Fault(
    'notification_unrecorded',
    'stop',
    `what became of a try of the notification ${id} cannot be stored; it is stored later, else tried again after a restart`,
    cause,
  );

const sent: TryOutcome = { kind: 'sent' };

import type { ChannelModel } from 'amqplib';
import { type BackOff, backOffDelayMs } from '../../../application/back-off.ts';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Binding, BindRefusal } from '../../../application/ports/event-source.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { untilAborted } from '../../until-aborted.ts';
import { type AmqpPlace, amqpDraining, amqpFault, amqpUnanswered, codeOf, namesMissingQueue } from './amqp-fault.ts';
import { BindingTarget } from './binding-target.ts';
import { UrgentFirst } from './urgent-first.ts';

export type BindingDependencies = {
  readonly source: string;
  readonly place: (resource: string) => AmqpPlace;
  readonly clock: Clock;
  readonly backOff: BackOff;
  /** How long after all were renewed that begins anew; 0: never. */
  readonly renewMs: number;
  /** Trouble with bindings that were there before, which it goes on trying to restore. */
  readonly onFault: (fault: Fault) => void;
  readonly onState: () => void;
};

type Pair = {
  readonly name: string;
  readonly stream: string;
  readonly pattern: string;
  /** None: it is to go. */
  holders: number;
  /** The broker has it, on the queue of now. */
  isBound: boolean;
  /** It is asked for once more though the broker has it, for all that is known here. */
  isRenewed: boolean;
  /** Where a change of it is under way. */
  changing: BindingTarget | undefined;
  /** It has been there once, so that its holders count on it. */
  isEstablished: boolean;
  /** Of the next change that makes the broker have it. */
  outcome: PromiseWithResolvers<Verdict<true, BindRefusal>>;
};

function nextOutcome(): Pair['outcome'] {
  const outcome: Pair['outcome'] = Promise.withResolvers();
  // Who waits has a promise of his own.
  outcome.promise.catch(() => {});
  return outcome;
}

/** How many are renewed in a second. */
const renewedMax = 200;
const renewalMs = 1000;

/**
 * What is to be bound to the one queue, and brings the broker to it: a few changes at once, each on a channel on which
 * there is nothing else, since the broker closes the channel over one that it refuses.
 */
export class QueueBindings {
  readonly #dependencies: BindingDependencies;
  readonly #pairs = new Map<string, Pair>();
  /** Before what is to go, or bound once more, what clients wait for. */
  readonly #changes = new UrgentFirst<Pair>();
  /** Were there before, and are not now. */
  readonly #broken = new Map<Pair, Fault>();
  /** Streams whose bindings are not to be had until the next try, so that not each of them is asked for. */
  readonly #failing = new Map<string, Fault>();
  /** Streams of which that has been said. */
  readonly #told = new Set<string>();
  readonly #draining = new AbortController();
  #target: BindingTarget | undefined;
  #retries = 0;
  #isWaiting = false;

  constructor(dependencies: BindingDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Nobody is told when an exchange is deleted and made anew, with none of the bindings that it had. To bind what is
   * bound changes nothing.
   */
  async keepRenewing(): Promise<void> {
    const { clock, renewMs } = this.#dependencies;
    const { signal } = this.#draining;
    while (renewMs > 0 && !signal.aborted) {
      await clock.wait(renewMs, signal);
      let count = 0;
      for (const pair of this.#pairs.values()) {
        if (signal.aborted) return;
        if (!pair.isBound) continue;
        pair.isRenewed = true;
        this.#change(pair);
        count += 1;
        if (count % renewedMax === 0) await clock.wait(renewalMs, signal);
      }
    }
  }

  /** Why not everything is bound that was; nothing when it is. */
  get waitsFor(): Fault | undefined {
    return this.#broken.values().next().value;
  }

  /** A queue that nothing is bound to. Resolves when everything is that is to be, as far as the broker takes it. */
  async attach(model: ChannelModel, queue: string): Promise<void> {
    const target = new BindingTarget(model, queue);
    this.#target = target;
    this.#broken.clear();
    this.#failing.clear();
    this.#told.clear();
    this.#retries = 0;
    for (const pair of this.#pairs.values()) {
      this.#lose(pair);
      if (pair.holders > 0) this.#changes.push(pair, true);
      else this.#pairs.delete(pair.name);
    }
    this.#work(target);
    await Promise.all(target.workers);
  }

  /** The queue has gone, and all its bindings with it. */
  detach(): void {
    this.#target = undefined;
  }

  /** Nothing is bound any more; who waits is refused. */
  drain(): void {
    this.#draining.abort();
  }

  async bind(stream: string, pattern: string, signal: AbortSignal): Promise<Verdict<Binding, BindRefusal>> {
    const drains = this.#draining.signal;
    if (drains.aborted) throw amqpDraining(this.#dependencies.source);
    const name = `${stream.length}:${stream}${pattern}`;
    const pair = this.#pairs.get(name) ?? this.#add({ name, stream, pattern });
    pair.holders += 1;
    if (!pair.isBound) this.#change(pair);
    try {
      if (pair.isBound) return this.#hold(pair);
      const giveUp = () => this.#unanswered(stream);
      const outcome = await untilAborted(pair.outcome.promise, AbortSignal.any([signal, drains]), giveUp);
      return outcome.ok ? this.#hold(pair) : outcome;
    } catch (error) {
      this.#release(pair);
      throw error;
    }
  }

  #unanswered(stream: string): Fault {
    const { source, place } = this.#dependencies;
    return this.#draining.signal.aborted ? amqpDraining(source) : amqpUnanswered(place(`exchange "${stream}"`));
  }

  #add(fields: Pick<Pair, 'name' | 'stream' | 'pattern'>): Pair {
    const pair: Pair = {
      ...fields,
      holders: 0,
      isBound: false,
      isRenewed: false,
      changing: undefined,
      isEstablished: false,
      outcome: nextOutcome(),
    };
    this.#pairs.set(pair.name, pair);
    return pair;
  }

  #hold(pair: Pair): Verdict<Binding, BindRefusal> {
    let isHeld = true;
    return allowed({
      release: () => {
        if (isHeld) this.#release(pair);
        isHeld = false;
      },
    });
  }

  #release(pair: Pair): void {
    pair.holders -= 1;
    if (pair.holders > 0) return;
    this.#change(pair);
    this.#mend(pair);
  }

  #change(pair: Pair): void {
    this.#changes.push(pair, pair.holders > 0 && !pair.isBound);
    if (this.#target) this.#work(this.#target);
  }

  #work(target: BindingTarget): void {
    while (this.#changes.first && target.workers.size < target.workersMax) {
      const worker = this.#makeChanges(target).finally(() => target.workers.delete(worker));
      target.workers.add(worker);
    }
  }

  async #makeChanges(target: BindingTarget): Promise<void> {
    while (this.#target === target) {
      const pair = this.#changes.shift();
      if (!pair) return;
      // Whoever is at it already looks again when he is done.
      if (this.#pairs.get(pair.name) !== pair || pair.changing === target) continue;
      pair.changing = target;
      await this.#makeChange(pair, target);
      if (pair.changing === target) pair.changing = undefined;
    }
  }

  async #makeChange(pair: Pair, target: BindingTarget): Promise<void> {
    for (let isWanted = pair.holders > 0; isWanted !== pair.isBound || pair.isRenewed; isWanted = pair.holders > 0) {
      pair.isRenewed = false;
      if (!isWanted) this.#lose(pair);
      const failing = pair.isEstablished ? this.#failing.get(pair.stream) : undefined;
      if (failing && isWanted) {
        this.#lose(pair);
        this.#broken.set(pair, failing);
        return;
      }
      try {
        await target.change(pair.stream, pair.pattern, isWanted);
      } catch (error) {
        this.#fail(pair, isWanted, error, target);
        return;
      }
      if (this.#target !== target) return;
      if (isWanted) this.#establish(pair);
    }
    if (pair.holders === 0) this.#pairs.delete(pair.name);
  }

  /** Whoever wants it from now on has to wait for it. */
  #lose(pair: Pair): void {
    if (!pair.isBound) return;
    pair.isBound = false;
    pair.outcome = nextOutcome();
  }

  #establish(pair: Pair): void {
    pair.isBound = true;
    pair.isEstablished = true;
    pair.outcome.resolve(allowed(true));
    this.#told.delete(pair.stream);
    this.#mend(pair);
  }

  /** It is bound again, or nobody wants it any more. */
  #mend(pair: Pair): void {
    if (!this.#broken.delete(pair)) return;
    this.#retries = 0;
    if (this.#broken.size === 0) {
      this.#failing.clear();
      this.#told.clear();
    }
    this.#dependencies.onState();
  }

  #fail(pair: Pair, isWanted: boolean, error: unknown, target: BindingTarget): void {
    // A queue that has gone is no trouble of this pair, which the next one gets.
    if (this.#target === target && namesMissingQueue(error, target.queue)) this.detach();
    if (this.#target !== target) return;
    const code = codeOf(error);
    const fault = amqpFault(error, this.#dependencies.place(`exchange "${pair.stream}"`));
    if (isWanted) this.#lose(pair);
    if (!isWanted) {
      // The exchange has gone, and its bindings with it; or there is no telling, and it is taken away later.
      pair.isBound = typeof code !== 'number';
      if (!pair.isBound && pair.holders === 0) this.#pairs.delete(pair.name);
      else this.#tryLater(pair, fault);
    } else if (pair.isEstablished || typeof code !== 'number') {
      this.#tryLater(pair, fault);
    } else {
      this.#pairs.delete(pair.name);
      const kind = code === 404 ? 'no-stream' : 'no-pattern';
      if (code === 403) pair.outcome.reject(fault);
      else pair.outcome.resolve(refused({ kind, reason: fault.message }));
    }
  }

  #tryLater(pair: Pair, fault: Fault): void {
    this.#broken.set(pair, fault);
    this.#failing.set(pair.stream, fault);
    if (!this.#told.has(pair.stream)) this.#dependencies.onFault(fault);
    this.#told.add(pair.stream);
    this.#dependencies.onState();
    void this.#wait();
  }

  async #wait(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#retries += 1;
    const { clock, backOff } = this.#dependencies;
    await clock.wait(backOffDelayMs(backOff, this.#retries, Math.random()), this.#draining.signal);
    this.#isWaiting = false;
    if (this.#draining.signal.aborted) return;
    this.#failing.clear();
    for (const pair of this.#broken.keys()) this.#change(pair);
  }
}

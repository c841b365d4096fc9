import type { Channel, ChannelModel } from 'amqplib';
import { type BackOff, backOffDelayMs } from '../../../application/back-off.ts';
import type { Fault } from '../../../application/fault.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { Binding, BindRefusal } from '../../../application/ports/event-source.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { Fifo } from '../../fifo.ts';
import { untilAborted } from '../../until-aborted.ts';
import { type AmqpPlace, amqpDraining, amqpFault, amqpUnanswered, codeOf } from './amqp-fault.ts';

export type BindingDependencies = {
  readonly source: string;
  readonly place: (resource: string) => AmqpPlace;
  readonly clock: Clock;
  readonly backOff: BackOff;
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
  /** Where a change of it is under way. */
  changing: Target | undefined;
  /** It has been there once, so that its holders count on it. */
  isEstablished: boolean;
  /** The config has it, and says what an exchange that is not there means. */
  forGood: 'fail' | 'wait' | undefined;
  /** Of the next change that makes the broker have it. */
  outcome: PromiseWithResolvers<Verdict<true, BindRefusal>>;
};

function nextOutcome(): Pair['outcome'] {
  const outcome: Pair['outcome'] = Promise.withResolvers();
  // Who waits has a promise of his own.
  outcome.promise.catch(() => {});
  return outcome;
}

/** A queue and the connection that it belongs to; both end together. */
type Target = {
  readonly model: ChannelModel;
  readonly queue: string;
  readonly workers: Set<Promise<void>>;
  /** Channels that nobody uses for the moment. */
  readonly channels: Set<Channel>;
};

/** How many changes are under way at once. Each waits for its answer: amqplib asks one thing at a time on a channel. */
const workersMax = 8;

/**
 * What is to be bound to the one queue, and brings the broker to it: a few changes at once, each on a channel on which
 * there is nothing else, since the broker closes the channel over one that it refuses.
 */
export class QueueBindings {
  readonly #dependencies: BindingDependencies;
  readonly #pairs = new Map<string, Pair>();
  readonly #changes = new Fifo<Pair>();
  /** Were there before, and are not now. */
  readonly #broken = new Map<Pair, Fault>();
  /** Streams whose bindings are not to be had until the next try, so that not each of them is asked for. */
  readonly #failing = new Map<string, Fault>();
  /** Streams of which that has been said. */
  readonly #told = new Set<string>();
  readonly #draining = new AbortController();
  #target: Target | undefined;
  #retries = 0;
  #isWaiting = false;

  constructor(dependencies: BindingDependencies) {
    this.#dependencies = dependencies;
  }

  /** Why not everything is bound that was; nothing when it is. */
  get waitsFor(): Fault | undefined {
    return this.#broken.values().next().value;
  }

  /** A queue that nothing is bound to. Resolves when everything is that is to be, as far as the broker takes it. */
  async attach(model: ChannelModel, queue: string): Promise<void> {
    const target: Target = { model, queue, workers: new Set(), channels: new Set() };
    this.#target = target;
    this.#broken.clear();
    this.#failing.clear();
    this.#told.clear();
    this.#retries = 0;
    for (const pair of this.#pairs.values()) {
      if (pair.isBound) pair.outcome = nextOutcome();
      pair.isBound = false;
      if (pair.holders > 0) this.#changes.push(pair);
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
    const name = pairName(stream, pattern);
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

  /**
   * A binding that is never released. Rejects with a `Fault` when the broker does not take it; where an exchange that is
   * not there may be waited for, it is tried again like one that has gone.
   */
  async bindForGood(stream: string, pattern: string, whenMissing: 'fail' | 'wait', signal: AbortSignal): Promise<void> {
    const name = pairName(stream, pattern);
    const pair = this.#pairs.get(name) ?? this.#add({ name, stream, pattern });
    pair.forGood = whenMissing;
    await this.bind(stream, pattern, signal);
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
      changing: undefined,
      isEstablished: false,
      forGood: undefined,
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
    this.#broken.delete(pair);
    this.#change(pair);
  }

  #change(pair: Pair): void {
    this.#changes.push(pair);
    if (this.#target) this.#work(this.#target);
  }

  #work(target: Target): void {
    while (this.#changes.first && target.workers.size < workersMax) {
      const worker = this.#makeChanges(target).finally(() => target.workers.delete(worker));
      target.workers.add(worker);
    }
  }

  async #makeChanges(target: Target): Promise<void> {
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

  async #makeChange(pair: Pair, target: Target): Promise<void> {
    for (let isWanted = pair.holders > 0; isWanted !== pair.isBound; isWanted = pair.holders > 0) {
      if (!isWanted) {
        // Whoever wants it again from now on has to wait for it again.
        pair.isBound = false;
        pair.outcome = nextOutcome();
      }
      const failing = pair.isEstablished ? this.#failing.get(pair.stream) : undefined;
      if (failing && isWanted) {
        this.#broken.set(pair, failing);
        return;
      }
      try {
        await tell(pair, isWanted, target);
      } catch (error) {
        // A queue that has gone is no trouble of this pair.
        if (this.#target === target) this.#fail(pair, isWanted, error);
        return;
      }
      if (this.#target !== target) return;
      if (isWanted) this.#establish(pair);
    }
    if (pair.holders === 0) this.#pairs.delete(pair.name);
  }

  #establish(pair: Pair): void {
    pair.isBound = true;
    pair.isEstablished = true;
    pair.outcome.resolve(allowed(true));
    if (!this.#broken.delete(pair)) return;
    this.#retries = 0;
    this.#told.delete(pair.stream);
    this.#dependencies.onState();
  }

  #fail(pair: Pair, isWanted: boolean, error: unknown): void {
    const code = codeOf(error);
    const fault = amqpFault(error, this.#dependencies.place(`exchange "${pair.stream}"`));
    if (!isWanted) {
      // The exchange has gone, and its bindings with it; or there is no telling, and it is taken away later.
      pair.isBound = typeof code !== 'number';
      if (!pair.isBound && pair.holders === 0) this.#pairs.delete(pair.name);
      else this.#tryLater(pair, fault);
    } else if (pair.isEstablished || typeof code !== 'number') {
      this.#tryLater(pair, fault);
    } else if (pair.forGood === 'wait' && code === 404) {
      pair.isEstablished = true;
      pair.outcome.resolve(allowed(true));
      this.#tryLater(pair, fault);
    } else {
      this.#pairs.delete(pair.name);
      const kind = code === 404 ? 'no-stream' : 'no-pattern';
      if (code === 403 || pair.forGood) pair.outcome.reject(fault);
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

const pairName = (stream: string, pattern: string): string => `${stream.length}:${stream}${pattern}`;

async function tell({ stream, pattern }: Pair, isWanted: boolean, target: Target): Promise<void> {
  const [idle] = target.channels;
  const channel = idle ?? (await openChannel(target));
  target.channels.delete(channel);
  if (isWanted) await channel.bindQueue(target.queue, stream, pattern);
  else await channel.unbindQueue(target.queue, stream, pattern);
  target.channels.add(channel);
}

async function openChannel({ model, channels }: Target): Promise<Channel> {
  const channel = await model.createChannel();
  // Whoever waits for an answer on it is told the same.
  channel.on('error', () => {});
  channel.on('close', () => channels.delete(channel));
  return channel;
}

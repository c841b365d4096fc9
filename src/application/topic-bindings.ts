import type { Denial } from '../domain/denial.ts';
import type { Event } from '../domain/event.ts';
import type { BindGrant } from '../domain/ports/access-control.ts';
import { createStreamIndex, type EventFilter, type PatternId, type StreamIndex } from '../domain/stream-index.ts';
import type { TopicPattern } from '../domain/topic-pattern.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import type { BindableSource, Binding } from './ports/event-source.ts';

/** What one client's bind has become. */
export type TopicBinding = {
  /** Shared by everybody who has bound the same. */
  readonly pattern: PatternId;
  /** Idempotent. The last one of a stream and pattern takes the binding away from the broker. */
  release(): void;
};

/**
 * What the clients of the process have bound, at its sources and for its endpoints: each stream and pattern once at the
 * broker, however many clients ask for it, and one entry in the index.
 */
export interface TopicBindings {
  /**
   * Resolves once every source that has the stream has bound it. A stream that no source binds is one whose events come
   * anyway. Rejects with a `Fault` when a source cannot bind now; everybody who waits for the same gets that answer, and
   * nobody else. When the signal aborts while it waits it rejects, and leaves nothing behind.
   */
  bind(grant: BindGrant, signal: AbortSignal): Promise<Verdict<TopicBinding, Denial>>;
  /** The patterns that an event is for, in no particular order. */
  match(event: Event): readonly PatternId[];
  /** Pairs of stream and pattern that are bound or about to be. */
  readonly size: number;
}

/** @param sources those that bind; read when somebody binds. */
export const createTopicBindings = (sources: () => readonly BindableSource[]): TopicBindings => new Registry(sources);

/** Those who wait for one pattern of one stream, and those who have it. */
type Pair = {
  readonly stream: string;
  readonly pattern: TopicPattern;
  readonly entries: Map<string, Entry>;
  /** Aborts when nobody waits any more. */
  readonly abandoned: AbortController;
  holders: number;
  readonly bound: Promise<Verdict<readonly Binding[], Denial>>;
};

/** One per filter: clients of one tenant share it. */
type Entry = { readonly id: PatternId; readonly filter: EventFilter | undefined; holders: number };

const none: readonly PatternId[] = [];

type Stream = { readonly index: StreamIndex<Entry>; entries: number };

class Registry implements TopicBindings {
  readonly #sources: () => readonly BindableSource[];
  readonly #pairs = new Map<string, Pair>();
  readonly #streams = new Map<string, Stream>();
  #lastId = 0;

  constructor(sources: () => readonly BindableSource[]) {
    this.#sources = sources;
  }

  get size(): number {
    return this.#pairs.size;
  }

  match(event: Event): readonly PatternId[] {
    const entries = this.#streams.get(event.stream)?.index.match(event.key);
    // As for most events.
    if (!entries || entries.length === 0) return none;
    return entries.filter(({ filter }) => !filter || filter.admits(event)).map(({ id }) => id);
  }

  async bind(grant: BindGrant, signal: AbortSignal): Promise<Verdict<TopicBinding, Denial>> {
    signal.throwIfAborted();
    const name = pairName(grant);
    const pair = this.#pairs.get(name) ?? this.#open(name, grant);
    pair.holders += 1;
    try {
      const bound = await unlessAborted(pair.bound, signal);
      if (bound.ok) return allowed(this.#hold(name, pair, grant.filter));
      this.#leave(name, pair);
      return bound;
    } catch (error) {
      this.#leave(name, pair);
      throw error;
    }
  }

  #open(name: string, { stream, pattern }: BindGrant): Pair {
    const abandoned = new AbortController();
    const bound = bindEverywhere(this.#sources(), stream, pattern, abandoned.signal);
    const pair: Pair = { stream, pattern, entries: new Map(), abandoned, holders: 0, bound };
    this.#pairs.set(name, pair);
    return pair;
  }

  #hold(name: string, pair: Pair, filter: EventFilter | undefined): TopicBinding {
    const filterId = filter?.id ?? '';
    const entry = pair.entries.get(filterId) ?? this.#addEntry(pair, filterId, filter);
    entry.holders += 1;
    let held = true;
    return {
      pattern: entry.id,
      release: () => {
        if (!held) return;
        held = false;
        entry.holders -= 1;
        if (entry.holders === 0) this.#removeEntry(pair, filterId, entry);
        this.#leave(name, pair);
      },
    };
  }

  #addEntry(pair: Pair, filterId: string, filter: EventFilter | undefined): Entry {
    this.#lastId += 1;
    const entry: Entry = { id: this.#lastId as PatternId, filter, holders: 0 };
    const stream = this.#streamOf(pair.stream);
    pair.entries.set(filterId, entry);
    stream.index.add(pair.pattern, entry);
    stream.entries += 1;
    return entry;
  }

  #removeEntry(pair: Pair, filterId: string, entry: Entry): void {
    const stream = this.#streamOf(pair.stream);
    pair.entries.delete(filterId);
    stream.index.remove(pair.pattern, entry);
    stream.entries -= 1;
    if (stream.entries === 0) this.#streams.delete(pair.stream);
  }

  #streamOf(name: string): Stream {
    const existing = this.#streams.get(name);
    if (existing) return existing;
    const type = this.#sources()
      .map((source) => source.streamType(name))
      .find((each) => each !== undefined);
    const stream = { index: createStreamIndex<Entry>(type ?? 'topic'), entries: 0 };
    this.#streams.set(name, stream);
    return stream;
  }

  #leave(name: string, pair: Pair): void {
    pair.holders -= 1;
    if (pair.holders > 0) return;
    // Those who waited for what failed have all left by now: whoever comes later tries again.
    this.#pairs.delete(name);
    pair.abandoned.abort();
    pair.bound.then(
      (bound) => bound.ok && releaseAll(bound.value),
      () => undefined,
    );
  }
}

/** The length in front keeps `a` + `bc` apart from `ab` + `c`. */
const pairName = ({ stream, pattern }: BindGrant): string => `${stream.length}:${stream}${pattern.text}`;

/** All or nothing. */
async function bindEverywhere(
  sources: readonly BindableSource[],
  stream: string,
  pattern: TopicPattern,
  signal: AbortSignal,
): Promise<Verdict<readonly Binding[], Denial>> {
  const having = sources.filter((source) => source.streamType(stream) !== undefined);
  const outcomes = await Promise.allSettled(having.map((source) => source.bind(stream, pattern, signal)));
  const verdicts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const bindings = verdicts.flatMap((verdict) => (verdict.ok ? [verdict.value] : []));
  if (bindings.length === having.length) return allowed(bindings);
  releaseAll(bindings);
  const refusal = verdicts.find((verdict) => !verdict.ok);
  if (refusal && !refusal.ok) {
    const { kind, reason } = refusal.reason;
    return refused({ code: kind === 'no-stream' ? 'stream_unknown' : 'bind_invalid', reason });
  }
  throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
}

function releaseAll(bindings: readonly Binding[]): void {
  for (const binding of bindings) binding.release();
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  return promise;
}

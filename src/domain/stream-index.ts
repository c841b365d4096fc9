import type { Event } from './event.ts';
import { createTopicIndex } from './topic-index.ts';
import type { TopicPattern } from './topic-pattern.ts';

/**
 * How the patterns of a stream match keys, as the exchange types of AMQP 0-9-1 do (section 3.1.3): `topic` by words,
 * `direct` letter by letter, `fanout` always. A `headers` exchange looks at arguments, which a client's bind has none of,
 * and so matches always, too.
 */
export type StreamType = (typeof streamTypes)[number];
export const streamTypes = ['topic', 'direct', 'fanout', 'headers'] as const;

/** One pattern of one stream, for everybody who has asked for it. Never used again when it has gone. */
export type PatternId = number & { readonly __pattern: unique symbol };

/** Filters of one `id` are the same. */
export type EventFilter = { readonly id: string; admits(event: Event): boolean };

/** From the patterns of one stream to the values kept under them. */
export type StreamIndex<T> = {
  add(pattern: TopicPattern, value: T): void;
  remove(pattern: TopicPattern, value: T): void;
  /** The values of all matching patterns, in no particular order. */
  match(key: string): readonly T[];
};

export function createStreamIndex<T>(type: StreamType): StreamIndex<T> {
  switch (type) {
    case 'topic':
      return createTopicIndex<T>();
    case 'direct':
      return createExactIndex<T>();
    case 'fanout':
    case 'headers':
      return createOpenIndex<T>();
  }
}

function createExactIndex<T>(): StreamIndex<T> {
  const byKey = new Map<string, Set<T>>();
  return {
    add({ text }, value) {
      const values = byKey.get(text);
      if (values) values.add(value);
      else byKey.set(text, new Set([value]));
    },
    remove({ text }, value) {
      const values = byKey.get(text);
      if (values?.delete(value) && values.size === 0) byKey.delete(text);
    },
    match: (key) => [...(byKey.get(key) ?? [])],
  };
}

function createOpenIndex<T>(): StreamIndex<T> {
  const values = new Set<T>();
  return {
    add: (_, value) => void values.add(value),
    remove: (_, value) => void values.delete(value),
    match: () => [...values],
  };
}

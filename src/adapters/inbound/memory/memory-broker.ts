import type { EventPublisher } from '../../../application/ports/event-publisher.ts';
import type { Event } from '../../../domain/event.ts';
import { createTopicIndex, type TopicIndex } from '../../../domain/topic-index.ts';
import { parseTopicPattern, type TopicPattern } from '../../../domain/topic-pattern.ts';
import { Fifo } from '../../fifo.ts';
import { memoryConsumerPresent, memoryEventTooLarge, memoryFull } from './memory-fault.ts';
import { sizeOf, withId } from './memory-message.ts';
import type { MemorySettings } from './memory-settings.ts';

/** The queue that outlives its consumers. What is here is gone when the process is. */
export interface MemoryBroker extends EventPublisher {
  /** Messages and bytes that are waiting or unsettled, and messages that no subscription wanted. */
  readonly counts: { readonly messages: number; readonly bytes: number; readonly ignored: number };
  /** The newest dead letters, oldest first. */
  readonly deadLetters: readonly Event[];
  /** Takes the place of the one consumer; rejects with a `Fault` when it is taken. */
  attach(source: string, onReady: () => void): MemoryConsumer;
}

/** A message in the hands of a consumer. */
export type Delivery = { readonly event: Event; readonly attempt: number };

export interface MemoryConsumer {
  /** Whether there is a message to take. */
  hasNext(): boolean;
  /** The next message of a stream and key of which none is unsettled, or nothing when there is none. */
  take(): Delivery | undefined;
  /** The message is done with. False when it is not this consumer's any more. */
  remove(delivery: Delivery): boolean;
  /** Done with, and the dead letter stands in its place. */
  replace(delivery: Delivery, deadLetter: Event): boolean;
  /** The message is to be taken again, before those behind it. */
  giveBack(delivery: Delivery): void;
  /** Gives back everything unsettled and leaves the place to another consumer. */
  detach(): void;
}

type Entry = { readonly event: Event; readonly bytes: number; attempts: number };
/** The messages of one stream and key. One that is taken stays first, so that nothing overtakes it. */
type Lane = { readonly name: string; readonly entries: Fifo<Entry> };

/** @param onIgnored is told of every message that no subscription wants. */
export function createMemoryBroker(settings: MemorySettings, onIgnored?: (event: Event) => void): MemoryBroker {
  return new Broker(settings, onIgnored);
}

class Broker implements MemoryBroker {
  readonly #settings: MemorySettings;
  readonly #subscribes: (event: Event) => boolean;
  readonly #onIgnored: ((event: Event) => void) | undefined;
  readonly #lanes = new Map<string, Lane>();
  readonly #ready = new Fifo<Lane>();
  readonly #deadLetters = new Map<Event, number>();
  #deadLetterBytes = 0;
  #messages = 0;
  #bytes = 0;
  #ignored = 0;
  #onReady: (() => void) | undefined;

  constructor(settings: MemorySettings, onIgnored: ((event: Event) => void) | undefined) {
    this.#settings = settings;
    this.#onIgnored = onIgnored;
    this.#subscribes = compileSubscriptions(settings);
  }

  get counts() {
    return { messages: this.#messages, bytes: this.#bytes, ignored: this.#ignored };
  }

  get deadLetters(): readonly Event[] {
    return [...this.#deadLetters.keys()];
  }

  async publish(event: Event): Promise<void> {
    const name = laneName(event);
    // A lane is there only for what is subscribed to, so most events need not be matched.
    if (!this.#lanes.has(name) && !this.#subscribes(event)) {
      this.#ignored += 1;
      this.#onIgnored?.(event);
      return;
    }
    const { messagesMax, bytesMax } = this.#settings;
    const bytes = sizeOf(event);
    if (bytes > bytesMax) throw memoryEventTooLarge(bytes, bytesMax);
    if (this.#messages >= messagesMax) throw memoryFull('messagesMax', messagesMax);
    if (this.#bytes + bytes > bytesMax) throw memoryFull('bytesMax', bytesMax);
    this.#enqueue(name, withId(event), bytes);
  }

  attach(source: string, onReady: () => void): MemoryConsumer {
    if (this.#onReady) throw memoryConsumerPresent(source);
    this.#onReady = onReady;
    const taken = new Map<Delivery, Lane>();
    return {
      hasNext: () => this.#ready.first !== undefined,
      take: () => this.#take(taken),
      remove: (delivery) => this.#remove(taken, delivery),
      replace: (delivery, deadLetter) => {
        if (!this.#remove(taken, delivery)) return false;
        this.#keepDeadLetter(deadLetter);
        return true;
      },
      giveBack: (delivery) => this.#giveBack(taken, delivery),
      detach: () => {
        if (this.#onReady === onReady) this.#onReady = undefined;
        for (const delivery of taken.keys()) this.#giveBack(taken, delivery);
      },
    };
  }

  #enqueue(name: string, event: Event, bytes: number): void {
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = { name, entries: new Fifo() };
      this.#lanes.set(name, lane);
      this.#ready.push(lane);
    }
    lane.entries.push({ event, bytes, attempts: 0 });
    this.#messages += 1;
    this.#bytes += bytes;
    this.#onReady?.();
  }

  #take(taken: Map<Delivery, Lane>): Delivery | undefined {
    const lane = this.#ready.shift();
    const entry = lane?.entries.first;
    if (!lane || !entry) return undefined;
    entry.attempts += 1;
    const delivery = { event: entry.event, attempt: entry.attempts };
    taken.set(delivery, lane);
    return delivery;
  }

  #remove(taken: Map<Delivery, Lane>, delivery: Delivery): boolean {
    const lane = taken.get(delivery);
    const entry = lane?.entries.shift();
    if (!lane || !entry) return false;
    taken.delete(delivery);
    this.#messages -= 1;
    this.#bytes -= entry.bytes;
    if (lane.entries.first) this.#ready.push(lane);
    else this.#lanes.delete(lane.name);
    return true;
  }

  #giveBack(taken: Map<Delivery, Lane>, delivery: Delivery): void {
    const lane = taken.get(delivery);
    if (!lane) return;
    taken.delete(delivery);
    this.#ready.push(lane);
    this.#onReady?.();
  }

  #keepDeadLetter(event: Event): void {
    const { deadLetter } = this.#settings;
    if (!deadLetter) return;
    const bytes = sizeOf(event);
    this.#deadLetters.set(event, bytes);
    this.#deadLetterBytes += bytes;
    for (const [oldest, oldestBytes] of this.#deadLetters) {
      if (this.#deadLetters.size <= deadLetter.messagesMax && this.#deadLetterBytes <= deadLetter.bytesMax) break;
      this.#deadLetters.delete(oldest);
      this.#deadLetterBytes -= oldestBytes;
    }
    // Past the bounds if need be: it takes the place of the message that it was made of.
    if (this.#subscribes(event)) this.#enqueue(laneName(event), event, bytes);
  }
}

/** The length in front keeps `a` + `bc` apart from `ab` + `c`. */
const laneName = ({ stream, key }: Event): string => `${stream.length}:${stream}${key}`;

/**
 * Whether any subscription wants an event. Wildcards do not reach the dead letter stream, as those of MQTT do not reach
 * `$SYS` (MQTT 5.0 section 4.7.2): else `#` would bring every dead letter back to the clients that it failed to reach.
 */
function compileSubscriptions({ subscriptions, deadLetter }: MemorySettings): (event: Event) => boolean {
  const streams = createTopicIndex<TopicIndex<true>>();
  const literal = createTopicIndex<true>();
  const keysOf = new Map<string, TopicIndex<true>>();
  for (const { stream, key } of subscriptions) {
    let keys = keysOf.get(stream);
    if (!keys) {
      keys = stream === deadLetter?.stream ? literal : createTopicIndex<true>();
      keysOf.set(stream, keys);
      streams.add(patternOf(stream), keys);
    }
    keys.add(patternOf(key), true);
  }
  return (event) =>
    event.stream === deadLetter?.stream
      ? literal.match(event.key).length > 0
      : streams.match(event.stream).some((keys) => keys.match(event.key).length > 0);
}

function patternOf(text: string): TopicPattern {
  const pattern = parseTopicPattern(text);
  if (!pattern.ok) throw new RangeError(pattern.reason);
  return pattern.value;
}

import type { MemoryBroker } from '../../src/adapters/inbound/memory/memory-broker.ts';
import type { MemorySettings } from '../../src/adapters/inbound/memory/memory-settings.ts';
import { createMemorySource } from '../../src/adapters/inbound/memory/memory-source.ts';
import type { BrokerMessage, MessageHandler, Settlement } from '../../src/application/ports/event-source.ts';
import type { Observation } from '../../src/application/ports/observer.ts';
import { Event, type EventFields } from '../../src/domain/event.ts';
import { type MakeMemorySource, type MemorySource, memoryHarnessSettings } from '../contracts/memory-harness.ts';

/** A source that is broken on purpose, and the clauses that must notice. */
export type Mutant = {
  readonly name: string;
  readonly fails: readonly string[];
  readonly make: MakeMemorySource;
};

export const withSettings =
  (settings: Partial<MemorySettings>): MakeMemorySource =>
  (broker, context) =>
    createMemorySource('memory', { ...memoryHarnessSettings, ...settings }, { ...context, broker });

const healthy = withSettings({});

/** @param change some members of the source, made anew from what the healthy one is. */
export const withMembers =
  (change: (source: MemorySource, broker: MemoryBroker) => Partial<MemorySource>): MakeMemorySource =>
  (broker, context) => {
    const source = healthy(broker, context);
    const changed = change(source, broker);
    return {
      name: source.name,
      traits: source.traits,
      get state() {
        return changed.state ?? source.state;
      },
      start: changed.start ?? ((handler) => source.start(handler)),
      drain: changed.drain ?? ((deadline) => source.drain(deadline)),
      pause: changed.pause ?? ((reason) => source.pause(reason)),
      resume: changed.resume ?? (() => source.resume()),
      publish: changed.publish ?? ((event) => source.publish(event)),
    };
  };

/** The source puts something of its own between its broker and its handler. */
export const withHandler = (wrap: (handler: MessageHandler, broker: MemoryBroker) => MessageHandler) =>
  withMembers((source, broker) => ({ start: (handler) => source.start(wrap(handler, broker)) }));

export const withSettlement = (
  change: (settlement: Settlement, message: BrokerMessage, broker: MemoryBroker) => Settlement | Promise<Settlement>,
) => withHandler((handler, broker) => async (message) => change(await handler(message), message, broker));

/** @param change the fields of the event that the handler gets instead. */
export const withEvent = (change: (event: Event) => Partial<EventFields>) =>
  withHandler(
    (handler) =>
      ({ event, attempt }) =>
        handler({ event: changed(event, change(event)), attempt }),
  );

/** @param change what the observer is told instead, if anything. */
export const withObservations =
  (change: (observation: Observation) => Observation | undefined): MakeMemorySource =>
  (broker, { clock, observer }) =>
    healthy(broker, {
      clock,
      observer: {
        observe(observation) {
          const told = change(observation);
          if (told) observer.observe(told);
        },
      },
    });

export const withBroker =
  (change: (broker: MemoryBroker) => MemoryBroker): MakeMemorySource =>
  (broker, context) =>
    healthy(change(broker), context);

export const changed = (event: Event, fields: Partial<EventFields>): Event =>
  new Event({
    id: event.id,
    stream: event.stream,
    key: event.key,
    attributes: event.attributes,
    payload: event.payload,
    contentType: event.contentType,
    publishedAt: event.publishedAt,
    origin: event.origin,
    ...fields,
  });

export const changedAttributes = (
  event: Event,
  change: (attribute: readonly [string, string]) => readonly (readonly [string, string])[],
): Partial<EventFields> => ({ attributes: new Map([...event.attributes].flatMap(change)) });

/** Takes everything that the broker has out of it. */
export function purge(broker: MemoryBroker): void {
  const consumer = broker.attach('purge', () => {});
  for (let delivery = consumer.take(); delivery; delivery = consumer.take()) consumer.remove(delivery);
  consumer.detach();
}

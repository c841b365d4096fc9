import { createMemoryBroker, type MemoryBroker } from '../../src/adapters/inbound/memory/memory-broker.ts';
import { type MemorySettings, memorySettings } from '../../src/adapters/inbound/memory/memory-settings.ts';
import { createMemorySource } from '../../src/adapters/inbound/memory/memory-source.ts';
import type { EventPublisher } from '../../src/application/ports/event-publisher.ts';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import { Event } from '../../src/domain/event.ts';
import type { EventSourceHarness, HarnessContext, PublishedMessage } from './event-source-harness.ts';

const redeliverDelayMs = 5;

export const memoryHarnessSettings: MemorySettings = memorySettings.parse({
  inFlightMax: 4,
  redeliverDelayMs,
  deadLetter: { stream: 'dead-letters' },
});

/** What takes messages itself is what they are published to. */
export type MemorySource = EventSource & EventPublisher;

/** How a mutant gets its sources. */
export type MakeMemorySource = (broker: MemoryBroker, context: HarnessContext) => MemorySource;

const makeMemorySource: MakeMemorySource = (broker, context) =>
  createMemorySource('memory', memoryHarnessSettings, { ...context, broker });

/** The embedded broker with sources on it. */
export async function memoryHarness(
  context: HarnessContext,
  makeSource: MakeMemorySource = makeMemorySource,
): Promise<EventSourceHarness & { readonly broker: MemoryBroker }> {
  const broker = createMemoryBroker(memoryHarnessSettings);
  const first = makeSource(broker, context);
  const sources = [first];
  return {
    broker,
    source: first,
    secondSource() {
      const source = makeSource(broker, context);
      sources.push(source);
      return source;
    },
    publish: (message) => (sources.at(-1) ?? first).publish(eventOf(message)),
    backlog: async () => broker.counts.messages,
    deadLettered: async () => broker.deadLetters,
    quiet: () => context.clock.wait(redeliverDelayMs * 4, new AbortController().signal),
    inFlightMax: memoryHarnessSettings.inFlightMax,
    secrets: [],
    async [Symbol.asyncDispose]() {
      for (const source of sources) await source.drain(AbortSignal.abort());
    },
  };
}

export const eventOf = ({ id = '', key = '', attributes = new Map(), payload }: PublishedMessage): Event =>
  new Event({
    id,
    stream: 'contract.v1',
    key,
    attributes,
    payload,
    publishedAt: Date.now(),
    origin: { source: 'test', properties: {} },
  });

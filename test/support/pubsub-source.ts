import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { pubsubSettings } from '../../src/adapters/inbound/pubsub/pubsub-settings.ts';
import { createPubSubSource, type PubSubDependencies } from '../../src/adapters/inbound/pubsub/pubsub-source.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import { openPubSubBroker, type PubSubBroker, pubsubProject } from './pubsub-broker.ts';
import { recordingObserver } from './recording-observer.ts';

/** Sources of a test and the broker that they consume from, under names of their own. */
export type PubSubFixture = AsyncDisposable & {
  readonly broker: PubSubBroker;
  readonly topic: string;
  readonly subscription: string;
  readonly observer: ReturnType<typeof recordingObserver>;
  /** Not started. It consumes from the subscription of the fixture unless the settings say otherwise. */
  createSource(settings?: Readonly<Record<string, unknown>>, dependencies?: Partial<PubSubDependencies>): EventSource;
  /** Publishes texts to the topic, one after the other. */
  publish(...texts: readonly string[]): Promise<void>;
};

/** @param emulator by default the one that all tests share. Neither topic nor subscription is created. */
export async function pubsubFixture(emulator: string = inject('pubsubEmulatorHost')): Promise<PubSubFixture> {
  const own = randomUUID();
  const [topic, subscription] = [`orders.v1.${own}`, `orders-${own}`];
  const broker = await openPubSubBroker(emulator);
  const observer = recordingObserver();
  const sources: EventSource[] = [];
  return {
    broker,
    topic,
    subscription,
    observer,
    createSource(settings = {}, dependencies = {}) {
      const given = {
        project: pubsubProject,
        emulator,
        subscriptions: [`${topic}:${subscription}`],
        // Tests run side by side, sometimes on a machine that has much else to do.
        startTimeoutMs: 30_000,
        reconnectMsMin: 50,
        ...(settings['deadLetter'] === undefined ? { onDeadLetter: 'discard' } : {}),
        ...settings,
      };
      const source = createPubSubSource('shop', pubsubSettings.parse(given), {
        clock: systemClock,
        observer,
        ...dependencies,
      });
      sources.push(source);
      return source;
    },
    async publish(...texts) {
      for (const text of texts) await broker.publish(topic, { payload: Buffer.from(text) });
    },
    async [Symbol.asyncDispose]() {
      for (const source of sources) await source.drain(AbortSignal.abort());
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** One whose topic and subscription are there. */
export async function consumableFixture(emulator?: string): Promise<PubSubFixture> {
  const fixture = await pubsubFixture(emulator);
  await fixture.broker.createTopic(fixture.topic);
  await fixture.broker.createSubscription(fixture.topic, fixture.subscription);
  return fixture;
}

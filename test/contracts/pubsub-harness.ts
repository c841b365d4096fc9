import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { CreateSubscriptionOptions } from '@google-cloud/pubsub';
import { pubsubSettings } from '../../src/adapters/inbound/pubsub/pubsub-settings.ts';
import { createPubSubSource } from '../../src/adapters/inbound/pubsub/pubsub-source.ts';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import { openPubSubBroker, type PulledFromBroker, pubsubProject } from '../support/pubsub-broker.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import type { EventSourceHarness, HarnessContext, MakeEventSourceHarness } from './event-source-harness.ts';

export type PubSubHarnessOptions = {
  readonly settings?: (names: PubSubNames) => Readonly<Record<string, unknown>>;
  readonly subscription?: (names: PubSubNames) => CreateSubscriptionOptions;
};

export type PubSubNames = { readonly topic: string; readonly subscription: string; readonly deadLetters: string };

/** How a mutant gets its sources. */
export type MakePubSubSource = typeof createPubSubSource;

const inFlightMax = 4;

/** Past the ack deadline: nobody sees an unacknowledged message before. */
const quietMs = 11_000;

/** The Pub/Sub source on a real broker, which it reaches by a proxy that can be cut. */
export function pubsubHarness(
  host: string,
  { settings: moreSettings, subscription: subscriptionOptions }: PubSubHarnessOptions = {},
  makeSource: MakePubSubSource = createPubSubSource,
): MakeEventSourceHarness {
  return async (context) => {
    const broker = await openPubSubBroker(host);
    const proxy = await createTcpProxy(Number(host.split(':').at(-1)));
    const names = namesOfItsOwn();
    const { topic, subscription, deadLetters } = names;
    const more = moreSettings?.(names) ?? {};
    const isPerInstance = more['perInstance'] === true;
    await broker.createTopic(topic);
    await broker.createTopic(deadLetters);
    await broker.createSubscription(deadLetters, deadLetters);
    const copy = `copy-${subscription}`;
    await broker.createSubscription(topic, copy);
    if (!isPerInstance) await broker.createSubscription(topic, subscription, subscriptionOptions?.(names));
    const letters: PulledFromBroker[] = [];
    const sources: EventSource[] = [];
    let secondSince = 0;

    const ownSubscription = async (): Promise<string | undefined> =>
      (await broker.subscriptions(topic)).find((name) => name.startsWith(subscription));

    const createSource = (sourceContext: HarnessContext, name = `${topic}:${subscription}`): EventSource => {
      const given = {
        project: pubsubProject,
        emulator: proxy.host,
        subscriptions: [name],
        inFlightMax,
        // Many of them start at once.
        startTimeoutMs: 30_000,
        reconnectMsMin: 50,
        reconnectMsMax: 1000,
        deadLetter: { topic: deadLetters },
        ...more,
      };
      const source = makeSource('pubsub', pubsubSettings.parse(given), sourceContext);
      sources.push(source);
      return source;
    };

    const harness: EventSourceHarness = {
      source: createSource(context),
      secondSource() {
        secondSince = Date.now() / 1000;
        return createSource(context);
      },
      // Pub/Sub refuses a message with neither data nor attributes.
      publish: ({ payload, key, attributes = payload.length === 0 ? new Map([['empty', 'yes']]) : new Map() }) =>
        broker.publish(topic, { payload, attributes, ...(key === undefined ? {} : { key }) }),
      async backlog() {
        const own = await ownSubscription();
        const left = own === undefined ? [] : await broker.unacknowledged(own, copy);
        // A subscription that was made later has nothing of what was published before, though the copy has.
        return left.filter(({ publishedAt }) => !isPerInstance || publishedAt >= secondSince).length;
      },
      async deadLettered() {
        letters.push(...(await broker.pull(deadLetters)));
        return letters;
      },
      quiet: () => wait(quietMs),
      inFlightMax,
      secrets: [],
      faults: {
        async cutConnection() {
          proxy.cut();
          return { restore: async () => proxy.restore() };
        },
        async deleteQueue() {
          await broker.deleteSubscription((await ownSubscription()) ?? 'there is none');
        },
        missingTopology() {
          const missing = `missing-${subscription}`;
          return { source: createSource(context, isPerInstance ? `${missing}:${subscription}` : missing), missing };
        },
      },
      async [Symbol.asyncDispose]() {
        for (const source of sources) await source.drain(AbortSignal.abort());
        await proxy[Symbol.asyncDispose]();
        await broker[Symbol.asyncDispose]();
      },
    };
    return harness;
  };
}

function namesOfItsOwn(): PubSubNames {
  const own = randomUUID();
  return { topic: `contract.v1.${own}`, subscription: `sub-${own}`, deadLetters: `dead-${own}` };
}

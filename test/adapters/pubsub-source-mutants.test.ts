import { AssertionError } from 'node:assert';
import { expect, inject, test } from 'vitest';
import { createPubSubSource } from '../../src/adapters/inbound/pubsub/pubsub-source.ts';
import type { EventSource, MessageHandler } from '../../src/application/ports/event-source.ts';
import { runClause } from '../contracts/clause.ts';
import { eventSourceClauses } from '../contracts/event-source-contract.ts';
import { accept } from '../contracts/handler-probe.ts';
import { type MakePubSubSource, pubsubHarness } from '../contracts/pubsub-harness.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

/** A source that does something else in the place of a part of it. */
const instead =
  (change: (source: EventSource) => Partial<EventSource>): MakePubSubSource =>
  (...given) => {
    const source = createPubSubSource(...given);
    return new Proxy(source, {
      get(target, property) {
        const changed: unknown = Reflect.get(change(target), property);
        if (changed !== undefined) return changed;
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };

const withHandler = (wrap: (handler: MessageHandler) => MessageHandler): MakePubSubSource =>
  instead((source) => ({ start: (handler) => source.start(wrap(handler)) }));

const broken: readonly { readonly name: string; readonly fails: readonly string[]; readonly make: MakePubSubSource }[] =
  [
    {
      name: 'a message is acknowledged before its handler has ended',
      fails: ['S2', 'S2.1', 'S13', 'S16', 'S16.1'],
      make: withHandler((handler) => async (message) => {
        void Promise.resolve(handler(message)).catch(() => {});
        return accept;
      }),
    },
    {
      name: 'a drain gives back what is in hand, as the client of the vendor does by default',
      fails: ['S12', 'S14'],
      make: instead((source) => ({ drain: () => source.drain(AbortSignal.abort()) })),
    },
    {
      name: 'more is in flight than the limit, as the client of the vendor allows by default',
      fails: ['S4'],
      make: (name, settings, dependencies) =>
        createPubSubSource(name, { ...settings, inFlightMax: settings.inFlightMax + 1 }, dependencies),
    },
    {
      name: 'a dead letter is dropped',
      fails: ['S3'],
      make: withHandler((handler) => async (message) => {
        const settlement = await handler(message);
        return settlement.kind === 'dead-letter' ? accept : settlement;
      }),
    },
    {
      name: 'a pause is not heeded',
      fails: ['S21'],
      make: instead(() => ({ pause: () => {} })),
    },
    {
      name: 'what is missing is waited for in silence',
      fails: ['S15'],
      make: (name, settings, dependencies) =>
        createPubSubSource(name, { ...settings, whenMissing: 'wait' }, dependencies),
    },
  ];

const pairs = broken.flatMap(({ name, fails, make }) => fails.map((id) => ({ id, name, make })));

/** Those of the memory source prove every clause; these prove that a real broker does not hide what is broken. */
describeWithPubSub('a clause rejects a Pub/Sub source that breaks it', () => {
  test.concurrent.each(pairs)(
    '$id: $name',
    async ({ id, make }) => {
      const clause = eventSourceClauses.find((each) => each.id === id);
      if (!clause) throw new Error(`there is no clause ${id}`);
      const outcome = await runClause(clause, pubsubHarness(inject('pubsubEmulatorHost'), {}, make)).catch(
        (error: unknown) => error,
      );
      expect(outcome).toSatisfy(isAssertion);
    },
    60_000,
  );
});

const isAssertion = (failure: unknown): boolean =>
  failure instanceof AssertionError || (failure instanceof Error && failure.name === 'AssertionError');

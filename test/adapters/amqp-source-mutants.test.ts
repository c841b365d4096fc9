import { AssertionError } from 'node:assert';
import { expect, test } from 'vitest';
import { createAmqpSource } from '../../src/adapters/inbound/amqp/amqp-source.ts';
import type { EventSource, MessageHandler } from '../../src/application/ports/event-source.ts';
import { amqpBindingHarness, amqpQueueHarness, type MakeAmqpSource } from '../contracts/amqp-harness.ts';
import { runClause } from '../contracts/clause.ts';
import { eventSourceClauses } from '../contracts/event-source-contract.ts';
import { accept } from '../contracts/handler-probe.ts';
import { describeWithRabbitMq } from '../support/with-brokers.ts';

/** A source that does something else in the place of a part of it. */
const instead =
  (change: (source: EventSource) => Partial<EventSource>): MakeAmqpSource =>
  (...given) => {
    const source = createAmqpSource(...given);
    return new Proxy(source, {
      get(target, property) {
        const changed: unknown = Reflect.get(change(target), property);
        if (changed !== undefined) return changed;
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };

const withHandler = (wrap: (handler: MessageHandler) => MessageHandler): MakeAmqpSource =>
  instead((source) => ({ start: (handler) => source.start(wrap(handler)) }));

type Broken = { readonly name: string; readonly fails: readonly string[]; readonly make: MakeAmqpSource };

const queues: readonly Broken[] = [
  {
    name: 'a message is acknowledged before its handler has ended',
    fails: ['S2', 'S13', 'S16'],
    make: withHandler((handler) => async (message) => {
      void Promise.resolve(handler(message)).catch(() => {});
      return accept;
    }),
  },
  {
    name: 'a drain gives back what is in hand',
    fails: ['S12'],
    make: instead((source) => ({ drain: () => source.drain(AbortSignal.abort()) })),
  },
  {
    name: 'more is in flight than the limit',
    fails: ['S4'],
    make: (name, settings, dependencies) =>
      createAmqpSource(name, { ...settings, inFlightMax: settings.inFlightMax + 1 }, dependencies),
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
    make: (name, settings, dependencies) => createAmqpSource(name, { ...settings, whenMissing: 'wait' }, dependencies),
  },
];

const bindings: readonly Broken[] = [
  {
    name: 'a drain hands over nothing of what it has',
    fails: ['S12'],
    make: instead((source) => ({ drain: () => source.drain(AbortSignal.abort()) })),
  },
  {
    name: 'a pause is not heeded',
    fails: ['S21'],
    make: instead(() => ({ pause: () => {} })),
  },
  {
    name: 'more is in flight than the limit',
    fails: ['S4'],
    make: (name, settings, dependencies) =>
      createAmqpSource(name, { ...settings, inFlightMax: settings.inFlightMax + 1 }, dependencies),
  },
];

const pairs = [
  ...queues.map((each) => ({ ...each, of: 'queues' as const })),
  ...bindings.map((each) => ({ ...each, of: 'bindings' as const })),
].flatMap(({ fails, ...others }) => fails.map((id) => ({ ...others, id })));

/** What is broken stays so, however long a clause waits. */
const patienceMs = 2000;

const kind = { count: 1, options: {}, settings: {} };

/** Those of the memory source prove every clause; these prove that a real broker does not hide what is broken. */
describeWithRabbitMq('a clause rejects an AMQP source that breaks it', () => {
  test.concurrent.each(pairs)(
    '$id, $of: $name',
    async ({ id, of, make }) => {
      const clause = eventSourceClauses.find((each) => each.id === id);
      if (!clause) throw new Error(`there is no clause ${id}`);
      const outcome = await runClause(
        clause,
        (context) => (of === 'queues' ? amqpQueueHarness(context, kind, make) : amqpBindingHarness(context, make)),
        patienceMs,
      ).catch((error: unknown) => error);
      expect(outcome).toSatisfy(isAssertion);
    },
    60_000,
  );
});

const isAssertion = (failure: unknown): boolean =>
  failure instanceof AssertionError || (failure instanceof Error && failure.name === 'AssertionError');

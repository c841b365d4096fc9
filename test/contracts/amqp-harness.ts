import { setTimeout as wait } from 'node:timers/promises';
import { type AmqpSettings, amqpSettings } from '../../src/adapters/inbound/amqp/amqp-settings.ts';
import { createAmqpSource } from '../../src/adapters/inbound/amqp/amqp-source.ts';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import { parseTopicPattern } from '../../src/domain/topic-pattern.ts';
import { type AmqpAdmin, amqpAdmin } from '../support/amqp-admin.ts';
import { type AmqpTap, createAmqpTap } from '../support/amqp-tap.ts';
import { amqpUrl, amqpUrlAt } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import type {
  DeadLetter,
  EventSourceHarness,
  HarnessContext,
  PublishedMessage,
  SourceFaults,
} from './event-source-harness.ts';
import { neverAborts } from './test-data.ts';

/** What makes the source; a broken one, to prove that the contract sees it. */
export type MakeAmqpSource = typeof createAmqpSource;

const inFlightMax = 4;
const redeliverDelayMs = 20;

type Way = AsyncDisposable & {
  /** How long nothing goes over the wire when nothing is going to (ms). */
  readonly silentMs: number;
  readonly url: string;
  readonly tap: AmqpTap;
  readonly cut: NonNullable<SourceFaults['cutConnection']>;
};

/** From the source: a proxy that can be cut, then a tap, then the broker. */
async function makeWay(silentMs = 25): Promise<Way> {
  const resources = new AsyncDisposableStack();
  const tap = resources.use(await createAmqpTap(amqpUrl));
  const proxy = resources.use(await createTcpProxy(tap.port));
  return {
    silentMs,
    url: amqpUrlAt(proxy.port),
    tap,
    async cut() {
      proxy.cut();
      return { restore: async () => proxy.restore() };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const settingsOf = (url: string, settings: object): AmqpSettings =>
  amqpSettings.parse({
    urls: [url],
    inFlightMax,
    redeliverDelayMs,
    reconnectMsMin: 40,
    reconnectMsMax: 100,
    ...settings,
  });

/** Nothing has gone over the wire for a moment. */
async function untilSilent({ tap, silentMs }: Way): Promise<void> {
  for (let before = -1; tap.frames !== before || tap.cancelling > 0; ) {
    before = tap.frames;
    await wait(silentMs);
  }
}

/** Longer than a retried message waits. */
async function quiet(way: Way): Promise<void> {
  await wait(redeliverDelayMs * 4);
  await untilSilent(way);
}

async function publish(admin: AmqpAdmin, exchange: string, message: PublishedMessage): Promise<void> {
  const { payload, key = '', id, attributes } = message;
  await admin.publish(exchange, key, payload, {
    ...(id === undefined ? {} : { messageId: id }),
    ...(attributes === undefined ? {} : { headers: Object.fromEntries(attributes) }),
  });
}

const secretsOf = (url: string): readonly string[] => [decodeURIComponent(new URL(url).password)];

export type QueueKind = {
  /** How many; each has the messages of some keys. */
  readonly count: number;
  readonly options: Record<string, unknown>;
  readonly settings: { readonly ordered?: boolean; readonly deadLetter?: object };
};

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** Queues, and sources that consume from them. */
export async function amqpQueueHarness(
  context: HarnessContext,
  { count, options, settings }: QueueKind,
  make: MakeAmqpSource = createAmqpSource,
): Promise<EventSourceHarness> {
  const resources = new AsyncDisposableStack();
  const admin = resources.use(await amqpAdmin());
  // Quorum queues write each step to the disk before they take the next.
  const way = resources.use(await makeWay(options['x-queue-type'] === 'quorum' ? 200 : undefined));
  const exchanges: string[] = [];
  const deadLetters = await admin.exchange('fanout');
  const deadLetterQueue = await admin.queue();
  await admin.channel.bindQueue(deadLetterQueue, deadLetters, '');
  const letters = await admin.collect(deadLetterQueue);
  const queues: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const [exchange, queue] = [await admin.exchange(), await admin.queue({ durable: true, arguments: options })];
    await admin.channel.bindQueue(queue, exchange, '#');
    exchanges.push(exchange);
    queues.push(queue);
  }
  const exchangeOf = (key: string): string => exchanges[sumOf([...Buffer.from(key)]) % count] ?? '';
  const sources: EventSource[] = [];
  resources.defer(async () => {
    for (const source of sources) await source.drain(AbortSignal.abort());
  });
  function makeSource(from = queues): EventSource {
    const chosen = settingsOf(way.url, { queues: from, deadLetter: { exchange: deadLetters }, ...settings });
    const source = make('amqp', chosen, context);
    sources.push(source);
    return source;
  }
  return {
    source: makeSource(),
    secondSource: () => makeSource(),
    publish: (message) => publish(admin, exchangeOf(message.key ?? ''), message),
    async backlog() {
      await untilSilent(way);
      return sumOf(await Promise.all(queues.map((queue) => admin.ready(queue)))) + way.tap.unsettled;
    },
    deadLettered: async () =>
      letters.map(
        ({ content, properties }): DeadLetter => ({
          payload: content,
          attributes: new Map(Object.entries(properties.headers ?? {}).map(([name, value]) => [name, String(value)])),
        }),
      ),
    quiet: () => quiet(way),
    inFlightMax,
    secrets: secretsOf(amqpUrl),
    faults: {
      cutConnection: way.cut,
      closeChannel: async () => way.tap.closeConsumingChannel(),
      deleteQueue: async () => void (await admin.channel.deleteQueue(queues[0] ?? '')),
      missingTopology() {
        const missing = admin.name('missing');
        return { source: makeSource([missing]), missing };
      },
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** An exchange of which everything is bound. */
export async function amqpBindingHarness(
  context: HarnessContext,
  make: MakeAmqpSource = createAmqpSource,
): Promise<EventSourceHarness> {
  const resources = new AsyncDisposableStack();
  const admin = resources.use(await amqpAdmin());
  const way = resources.use(await makeWay());
  const exchange = await admin.exchange();
  const everything = parseTopicPattern('#');
  const sources: EventSource[] = [];
  resources.defer(async () => {
    for (const source of sources) await source.drain(AbortSignal.abort());
  });
  function makeSource(): EventSource {
    const source = make('amqp', settingsOf(way.url, { bindings: { [exchange]: 'topic' } }), context);
    // Rejects when the source is drained before it was started.
    if ('bind' in source && everything.ok) source.bind(exchange, everything.value, neverAborts()).catch(() => {});
    sources.push(source);
    return source;
  }
  return {
    source: makeSource(),
    secondSource: makeSource,
    async publish(message) {
      // A drain that has begun is with the broker before this is: nothing but the order of the two says what is new.
      await untilSilent(way);
      await publish(admin, exchange, message);
    },
    backlog: async () => 0,
    deadLettered: async () => [],
    quiet: () => quiet(way),
    inFlightMax,
    secrets: secretsOf(amqpUrl),
    faults: {
      cutConnection: way.cut,
      closeChannel: async () => way.tap.closeConsumingChannel(),
      async deleteQueue() {
        const queue = await eventually(() => {
          const name = way.tap.declared.at(-1);
          if (name === undefined) throw new Error('no queue yet');
          return name;
        });
        way.tap.deleteQueue(queue);
      },
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

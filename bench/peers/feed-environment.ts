import type { PublisherSpec } from '../load/publisher.ts';
import type { Feed } from './peer.ts';

/** Messages that may be unsettled at once, alike for all consumers. */
const prefetch = '256';

/** What a server is told of its feed: the config of Edgeward and the servers of the bench's own read the same names. */
export function feedEnvironment(feed: Feed | undefined): Readonly<Record<string, string>> {
  if (!feed) return {};
  if (feed.kind === 'amqp') {
    return { BENCH_AMQP_URL: feed.url, BENCH_AMQP_QUEUE: feed.queue, BENCH_PREFETCH: prefetch };
  }
  return {
    BENCH_PUBSUB_EMULATOR: feed.emulator,
    BENCH_PUBSUB_PROJECT: feed.project,
    BENCH_PUBSUB_SUBSCRIPTION: `${feed.topic}:${feed.subscription}`,
    BENCH_PREFETCH: prefetch,
  };
}

export const publisherOf = (feed: Feed): PublisherSpec =>
  feed.kind === 'amqp'
    ? { kind: 'amqp', url: feed.url, exchange: feed.exchange }
    : { kind: 'pubsub', emulator: feed.emulator, project: feed.project, topic: feed.topic };

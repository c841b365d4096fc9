import { amqpFeeds, type FeedKind } from '../peers/feeds.ts';
import type { PeerKind } from '../peers/peer.ts';
import type { Figure } from '../report/scenario-report.ts';
import { type Comparison, compare, type Situation } from './compare.ts';
import type { Bench } from './scenario.ts';
import { payloadBytes } from './situations.ts';

export type Backlogs = {
  readonly peers: readonly PeerKind[];
  readonly clients: Comparison['clients'];
  readonly situations: readonly Situation[];
  readonly feeds?: FeedKind;
};

/** Compares servers that take their events from a broker, each from a queue of its own. */
export async function compareBacklogs(
  bench: Bench,
  { peers, clients, situations, feeds = amqpFeeds }: Backlogs,
): Promise<readonly Figure[]> {
  const lack = feeds.lack();
  if (lack !== undefined) {
    return situations.map(({ name }) => ({ situation: name, peer: feeds.name, values: {}, error: lack }));
  }
  bench.progress(`${feeds.name} starts`);
  const broker = await bench.brokerOf(feeds);
  const settingsOf = async () => ({ payloadBytes, feed: await broker.next() });
  return await compare(bench, { peers, clients, situations, settingsOf });
}

import type { FeedBroker, FeedKind } from '../peers/feeds.ts';
import type { ScenarioReport } from '../report/scenario-report.ts';

export type Bench = {
  /** Whether only to see that it works: small and short, figures that mean nothing. */
  readonly quick: boolean;
  readonly rounds: number;
  /** Whether a peer is to be measured. */
  isWanted(peer: string): boolean;
  /** A broker that stays until the bench ends, so that it starts once. */
  brokerOf(kind: FeedKind): Promise<FeedBroker>;
  /** What is under way, for whoever waits. */
  progress(text: string): void;
};

export type Scenario = {
  readonly name: string;
  /** In one line. */
  readonly summary: string;
  run(bench: Bench): Promise<ScenarioReport>;
};

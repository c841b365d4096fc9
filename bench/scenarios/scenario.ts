import type { ScenarioReport } from '../report/scenario-report.ts';

export type Bench = {
  /** Whether only to see that it works: small and short, figures that mean nothing. */
  readonly quick: boolean;
  readonly rounds: number;
  /** What is under way, for whoever waits. */
  progress(text: string): void;
};

export type Scenario = {
  readonly name: string;
  /** In one line. */
  readonly summary: string;
  run(bench: Bench): Promise<ScenarioReport>;
};

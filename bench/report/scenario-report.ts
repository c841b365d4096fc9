import type { Spread } from '../measure/statistics.ts';

export type Column = { readonly key: string; readonly title: string; readonly digits: number };

/** What was measured of one peer in one case. */
export type Figure = {
  readonly situation: string;
  readonly peer: string;
  readonly values: Readonly<Record<string, Spread>>;
  /** Why there are no values, or why they do not count. */
  readonly error?: string;
};

/** What is to be reached, and whether it is. */
export type TargetReport = {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  /** Whether the value may not be above the limit, or not below it. */
  readonly is: 'at most' | 'at least';
  readonly met: boolean;
};

export type ScenarioReport = {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly figures: readonly Figure[];
  readonly targets: readonly TargetReport[];
  readonly notes: readonly string[];
};

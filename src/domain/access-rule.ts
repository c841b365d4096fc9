import type { Condition } from './condition.ts';

/** What must hold: the condition, and every check. */
export type AccessRule = {
  readonly when?: Condition | undefined;
  readonly checks: readonly string[];
  /** The condition reads the answers of the checks itself, and so decides alone what they mean. */
  readonly readsChecks?: boolean;
};

import type { Condition } from './condition.ts';

/** What must hold: the condition, and every check. */
export type AccessRule = {
  readonly when?: Condition | undefined;
  readonly checks: readonly string[];
  /** The condition reads the answers of the checks itself, and so decides alone what they mean. */
  readonly readsChecks?: boolean;
  /** Beside that, where it can be evaluated without answers, it says what it would say with any. */
  readonly decidesEarly?: boolean;
};

/** What a check has answered: yes or no, or a list of text, such as roles, which says yes unless it is empty. */
export type CheckAnswer = boolean | readonly string[];

export const isAllowing = (answer: CheckAnswer | undefined): boolean =>
  typeof answer === 'boolean' ? answer : answer !== undefined && answer.length > 0;

import type { CheckAnswer } from '../../domain/access-rule.ts';
import type { Variables } from '../../domain/variables.ts';

/** What is asked about: the variables for the question, and the tokens to relay by credential name. */
export type CheckQuestion = {
  readonly variables: Variables;
  readonly tokens: ReadonlyMap<string, string>;
  /** When the first of the tokens ends, in milliseconds since the epoch: no answer is remembered for longer. */
  readonly expiresAt?: number | undefined;
  /** It is asked anew, whatever is remembered. */
  readonly fresh?: boolean | undefined;
};

/** Somebody else is asked whether this may be, or for a list, such as of roles, that conditions read. */
export interface AccessCheck {
  readonly name: string;
  /** Rejects with a `Fault` of the disposition `retry` when there is no telling now. */
  check(question: CheckQuestion, signal: AbortSignal): Promise<CheckAnswer>;
}

/** Somebody else is asked which permissions a credential has, beyond those that its token and the config give. */
export interface PermissionSource {
  /** The kind of token that it knows. */
  readonly credential: string;
  permissions(question: CheckQuestion, signal: AbortSignal): Promise<readonly string[]>;
}

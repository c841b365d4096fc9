import type { CheckAnswer } from '../domain/access-rule.ts';
import type { AccessDecision } from '../domain/ports/access-control.ts';
import type { AccessCheck, CheckQuestion } from './ports/access-check.ts';

type Decided<T> = Exclude<AccessDecision<T>, { kind: 'ask' }>;

/**
 * Puts a question to the domain, runs the checks that it asks for, and puts it again with their answers. The answers are
 * kept in `answers`, so that a check runs once for a connection. Rejects with a `Fault` when a check cannot tell now.
 */
export async function decideWithChecks<T>(
  decide: () => AccessDecision<T>,
  answers: Map<string, CheckAnswer>,
  checks: ReadonlyMap<string, AccessCheck>,
  question: CheckQuestion,
  signal: AbortSignal,
): Promise<Decided<T>> {
  for (;;) {
    const decision = decide();
    if (decision.kind !== 'ask') return decision;
    await Promise.all(
      decision.checks.map(async (name) => {
        // A check that does not exist denies; the config loader has refused such a name long before.
        answers.set(name, (await checks.get(name)?.check(question, signal)) ?? false);
      }),
    );
  }
}

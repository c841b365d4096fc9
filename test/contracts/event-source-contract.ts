import { afterAll, describe, test } from 'vitest';
import { type Clause, runClause } from './clause.ts';
import { drainClauses } from './drain-clauses.ts';
import type { MakeEventSourceHarness } from './event-source-harness.ts';
import { faultClauses } from './fault-clauses.ts';
import { lifeClauses } from './life-clauses.ts';
import { messageClauses } from './message-clauses.ts';
import { settlementClauses } from './settlement-clauses.ts';

/** What every event source promises (`src/application/ports/event-source.ts`), clause by clause. */
export const eventSourceClauses: readonly Clause[] = [
  ...settlementClauses,
  ...messageClauses,
  ...lifeClauses,
  ...drainClauses,
  ...faultClauses,
];

/** Some clauses wait for an ack deadline twice, and all of them begin at once. */
const slowMsMax = 90_000;

/**
 * Runs the whole contract on one adapter. A clause is skipped only for a trait that the source says it lacks or a fault
 * that the harness cannot cause, and every skipped clause is printed with what it lacked.
 *
 * @param options.sideBySide for brokers that take their time: clauses run at once, but for those that must be alone.
 */
export function eventSourceContract(
  name: string,
  makeHarness: MakeEventSourceHarness,
  { sideBySide = false }: { readonly sideBySide?: boolean } = {},
): void {
  describe(`event source contract: ${name}`, () => {
    const skipped: string[] = [];
    const clauses = sideBySide ? eventSourceClauses.toSorted(aloneFirst) : eventSourceClauses;

    for (const clause of clauses) {
      const options = sideBySide ? { concurrent: !clause.alone, timeout: slowMsMax } : {};
      test(`${clause.id}: ${clause.promise}`, options, async ({ skip }) => {
        const lacking = await runClause(clause, makeHarness);
        if (lacking.length === 0) return;
        skipped.push(`  ${clause.id} ${clause.promise} (lacks ${lacking.join(', ')})`);
        skip(`lacks ${lacking.join(', ')}`);
      });
    }

    afterAll(() => {
      if (skipped.length === 0) return;
      process.stdout.write(`Not tested on the ${name} source:\n${skipped.toSorted().join('\n')}\n`);
    });
  });
}

const aloneFirst = (a: Clause, b: Clause): number => Number(b.alone ?? false) - Number(a.alone ?? false);

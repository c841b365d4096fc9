import { AssertionError } from 'node:assert';
import { describe, expect, test } from 'vitest';
import { type Clause, runClause } from '../contracts/clause.ts';
import { eventSourceClauses } from '../contracts/event-source-contract.ts';
import type { HarnessContext, MakeEventSourceHarness } from '../contracts/event-source-harness.ts';
import { faultClauses } from '../contracts/fault-clauses.ts';
import { memoryHarness } from '../contracts/memory-harness.ts';
import { drainMutants } from './drain-mutants.ts';
import { lifeMutants } from './life-mutants.ts';
import { type LinkFlaws, linkedMemoryHarness } from './linked-memory-harness.ts';
import { messageMutants } from './message-mutants.ts';
import { settlementMutants } from './settlement-mutants.ts';

/** How long a clause waits for what a broken source never does. What does happen takes a small part of it. */
const patienceMs = 200;

type Broken = {
  readonly name: string;
  readonly fails: readonly string[];
  readonly makeHarness: MakeEventSourceHarness;
};

const linked = (name: string, fails: readonly string[], flaws: LinkFlaws): Broken => ({
  name,
  fails,
  makeHarness: (context) => linkedMemoryHarness(context, flaws),
});

const broken: readonly Broken[] = [
  ...[...settlementMutants, ...messageMutants, ...lifeMutants, ...drainMutants].map(({ name, fails, make }) => ({
    name,
    fails,
    makeHarness: async (context: HarnessContext) => ({
      ...(await memoryHarness(context, make)),
      // A broken source may not end at all, and holds nothing that must be given back.
      async [Symbol.asyncDispose]() {},
    }),
  })),
  linked('a cut connection is never made again', ['S8.1', 'S8.2', 'S9'], { staysCut: true }),
  linked('what is in hand when the connection is cut counts as done', ['S9'], { settlesWhenCut: true }),
  linked('a closed channel is never opened again', ['S10'], { channelStaysClosed: true }),
  linked('trouble is not observed', ['S8.2', 'S10', 'S11'], { silent: true }),
  linked('the deletion of the queue goes unnoticed', ['S11'], { ignoresDeletion: true }),
  linked('a missing queue is created', ['S15'], { createsTopology: true }),
  linked('the fault does not say what is missing', ['S15'], { namesNothing: true }),
];

const clauseOf = (id: string): Clause => {
  const clause = eventSourceClauses.find((each) => each.id === id);
  if (!clause) throw new Error(`there is no clause ${id}`);
  return clause;
};

/** The clause itself must say no; a mutant that breaks the machinery around it proves nothing. */
async function failureOf(clause: Clause, makeHarness: MakeEventSourceHarness): Promise<unknown> {
  try {
    const lacking = await runClause(clause, makeHarness, patienceMs);
    return lacking.length === 0 ? 'nothing: the clause holds' : `nothing: skipped for want of ${lacking.join(', ')}`;
  } catch (error) {
    return error;
  }
}

test.each(eventSourceClauses)('clause $id has a broken source that it must reject: $promise', ({ id }) => {
  expect(broken.filter(({ fails }) => fails.includes(id))).not.toHaveLength(0);
});

test('the ids of clauses are unique', () => {
  expect(new Set(eventSourceClauses.map(({ id }) => id)).size).toBe(eventSourceClauses.length);
});

const pairs = broken.flatMap(({ name, fails, makeHarness }) =>
  fails.map((id) => ({ id, name, makeHarness, clause: clauseOf(id) })),
);
const runsAlone = ({ clause }: { readonly clause: Clause }) => clause.alone === true;

describe('a clause rejects a source that breaks it', () => {
  test.concurrent.each(pairs.filter((pair) => !runsAlone(pair)))('$id: $name', async ({ clause, makeHarness }) => {
    expect(await failureOf(clause, makeHarness)).toSatisfy(isAssertion);
  });

  test.each(pairs.filter(runsAlone))('$id: $name', async ({ clause, makeHarness }) => {
    expect(await failureOf(clause, makeHarness)).toSatisfy(isAssertion);
  });
});

describe('a source that is not broken passes', () => {
  test.each(eventSourceClauses.filter((clause) => !faultClauses.includes(clause)))('$id', async (clause) => {
    expect(await runClause(clause, (context) => memoryHarness(context))).toEqual([]);
  });

  test.each(faultClauses)('$id', async (clause) => {
    expect(await runClause(clause, (context) => linkedMemoryHarness(context))).toEqual([]);
  });
});

const isAssertion = (failure: unknown): boolean =>
  failure instanceof AssertionError || (failure instanceof Error && failure.name === 'AssertionError');

import { expect } from 'vitest';
import type { Clock } from '../../src/application/ports/clock.ts';
import type { EventSource, SourceTraits } from '../../src/application/ports/event-source.ts';
import { countingClock } from '../support/counting-clock.ts';
import { eventually, eventuallyMsMax } from '../support/eventually.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import type { EventSourceHarness, MakeEventSourceHarness, SourceFaults } from './event-source-harness.ts';

/** What a source or its harness must have for a clause to make sense. */
export type Need =
  | 'redelivers'
  | 'ordered'
  | 'deadLetters'
  | 'inheritsBacklog'
  | 'settles'
  | 'survivesReconnect'
  | 'holdsBacklog'
  | keyof SourceFaults;

/** One promise of the port, as a plain function: the suite of an adapter runs it, and so does the table of mutants. */
export type Clause = {
  readonly id: string;
  readonly promise: string;
  readonly needs?: readonly Need[];
  /** It looks at the whole process, so no other may run beside it. */
  readonly alone?: boolean;
  /** Rejects with an assertion error when the promise is not kept. */
  run(bench: Bench): Promise<void>;
};

export type Bench = {
  readonly harness: EventSourceHarness;
  readonly source: EventSource;
  readonly clock: Clock & { readonly pending: number };
  readonly observer: ReturnType<typeof recordingObserver>;
  /** Tries an assertion until it holds. */
  readonly eventually: (assertion: () => void | Promise<void>) => Promise<void>;
  /** The value of a promise that must come soon. */
  readonly soon: <T>(promise: Promise<T>) => Promise<T>;
};

/** Runs a clause on a harness of its own. @returns what it needs and does not find, in which case it has not been run. */
export async function runClause(
  clause: Clause,
  makeHarness: MakeEventSourceHarness,
  patienceMs = eventuallyMsMax,
): Promise<readonly Need[]> {
  const clock = countingClock();
  const observer = recordingObserver();
  await using harness = await makeHarness({ clock, observer });
  const lacking = (clause.needs ?? []).filter((need) => !has(harness, need));
  if (lacking.length > 0) return lacking;
  await clause.run({
    harness,
    source: harness.source,
    clock,
    observer,
    eventually: (assertion) => eventually(assertion, patienceMs),
    soon: (promise) => soon(promise, patienceMs),
  });
  return [];
}

function has({ source, faults }: EventSourceHarness, need: Need): boolean {
  switch (need) {
    case 'redelivers':
    case 'ordered':
    case 'deadLetters':
    case 'inheritsBacklog':
    case 'settles':
    case 'survivesReconnect':
      return source.traits[need];
    case 'holdsBacklog':
      return holdsBacklog(source.traits);
    case 'cutConnection':
    case 'closeChannel':
    case 'deleteQueue':
    case 'missingTopology':
      return faults?.[need] !== undefined;
  }
}

/** What waits is with the source alone: it is the broker itself, or the broker has done with what it has sent. */
const holdsBacklog = ({ keepsBacklog, inheritsBacklog, settles }: SourceTraits): boolean =>
  !keepsBacklog && (inheritsBacklog || !settles);

async function soon<T>(promise: Promise<T>, patienceMs: number): Promise<T> {
  let pending = true;
  const done = () => {
    pending = false;
  };
  promise.then(done, done);
  await eventually(() => expect(pending, 'still waiting').toBe(false), patienceMs);
  return promise;
}

import type { RunSpec } from '../load/run-spec.ts';
import { spreadOf } from '../measure/statistics.ts';
import type { PeerKind, PeerSettings } from '../peers/peer.ts';
import type { Figure } from '../report/scenario-report.ts';
import type { Bench } from './scenario.ts';
import { measureRun, openStand, type RunFigures, type Stand } from './stand.ts';

export type Situation = { readonly name: string; readonly spec: RunSpec };

export type Comparison = {
  readonly peers: readonly PeerKind[];
  readonly clients: number;
  readonly situations: readonly Situation[];
  /** Of each peer, so that what it takes from is its own. */
  settingsOf(peer: PeerKind): Promise<PeerSettings> | PeerSettings;
};

/**
 * All peers stand at once with their clients, and are measured one after another, round by round, so that whatever else
 * the machine does meets them all. One that fails is told as an error, and the others go on.
 */
export async function compare(bench: Bench, comparison: Comparison): Promise<readonly Figure[]> {
  await using stands = new AsyncDisposableStack();
  const courses: Course[] = [];
  for (const kind of comparison.peers) {
    bench.progress(`${kind.name}: ${comparison.clients} clients`);
    courses.push(await begin(kind, comparison, stands));
  }
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const { name, spec } of comparison.situations) {
      for (const course of courses) {
        bench.progress(`round ${round} of ${bench.rounds}, ${name}: ${course.kind.name}`);
        // The first round is for the compiler to see what it has to do.
        await step(course, name, round === 0 ? { ...spec, ms: spec.ms / 2 } : spec, round > 0);
      }
    }
  }
  return comparison.situations.flatMap(({ name }) => courses.map((course) => figureOf(course, name)));
}

type Course = {
  readonly kind: PeerKind;
  readonly stand: Stand | undefined;
  readonly runs: Map<string, RunFigures[]>;
  error: string | undefined;
};

async function begin(kind: PeerKind, comparison: Comparison, stands: AsyncDisposableStack): Promise<Course> {
  const runs = new Map(comparison.situations.map(({ name }) => [name, [] as RunFigures[]]));
  const lack = kind.lack();
  if (lack !== undefined) return { kind, stand: undefined, runs, error: lack };
  try {
    const stand = stands.use(await openStand(kind, await comparison.settingsOf(kind), comparison.clients));
    return { kind, stand, runs, error: undefined };
  } catch (error) {
    return { kind, stand: undefined, runs, error: describe(error) };
  }
}

async function step(course: Course, name: string, spec: RunSpec, counts: boolean): Promise<void> {
  if (!course.stand || course.error !== undefined) return;
  try {
    const figures = await measureRun(course.stand, spec);
    if (counts) course.runs.get(name)?.push(figures);
  } catch (error) {
    course.error = describe(error);
  }
}

function figureOf({ kind, runs, error }: Course, situation: string): Figure {
  const all = runs.get(situation) ?? [];
  const keys = Object.keys(all[0] ?? {});
  const values = Object.fromEntries(keys.map((key) => [key, spreadOf(all.map((run) => run[key] ?? NaN))]));
  return { situation, peer: kind.name, values, ...(error === undefined ? {} : { error }) };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

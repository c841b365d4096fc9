import type { RunSpec } from '../load/run-spec.ts';
import { spreadOf } from '../measure/statistics.ts';
import { stockPeer } from '../peers/node-peer.ts';
import type { PeerKind, PeerSettings } from '../peers/peer.ts';
import type { Figure } from '../report/scenario-report.ts';
import { withRatios } from '../report/target.ts';
import type { Measure, RunFigures } from './measure-run.ts';
import type { Bench } from './scenario.ts';
import { openStand, type Stand } from './stand.ts';

export type Situation = {
  readonly name: string;
  /** The peer that does nothing but to write as much, where it is measured. */
  readonly floor?: string;
  /** How one run is made; a shorter one before the first, for the compiler to see what it has to do. */
  readonly measure: Measure;
  readonly warmUp: Measure;
};

export type Comparison = {
  readonly peers: readonly PeerKind[];
  readonly clients: number | ((peer: PeerKind) => number);
  readonly situations: readonly Situation[];
  /** Of each server before its clients come. */
  readonly warmUp?: RunSpec;
  /** Of each peer, so that what it takes from is its own. */
  readonly settingsOf: (peer: PeerKind) => Promise<PeerSettings> | PeerSettings;
};

/**
 * All peers stand at once with their clients, and are measured one after another, round by round, so that whatever else
 * the machine does meets them all. One that fails is told as an error, and the others go on.
 */
export async function compare(bench: Bench, comparison: Comparison): Promise<readonly Figure[]> {
  await using stands = new AsyncDisposableStack();
  const courses: Course[] = [];
  for (const kind of comparison.peers.filter(({ name }) => bench.isWanted(name))) {
    const clients = typeof comparison.clients === 'number' ? comparison.clients : comparison.clients(kind);
    bench.progress(`${kind.name}: ${clients} clients`);
    courses.push(await begin(kind, clients, comparison, stands));
  }
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const { name, measure, warmUp } of comparison.situations) {
      for (const course of courses) {
        bench.progress(`round ${round} of ${bench.rounds}, ${name}: ${course.kind.name}`);
        const figures = await attempt(course, round === 0 ? warmUp : measure);
        if (figures && round > 0) course.runs.get(name)?.push(figures);
      }
    }
  }
  return comparison.situations.flatMap(({ name, floor }) =>
    withRatios(
      courses.map((course) => figureOf(course, name)),
      'cpuMicros',
      { toStock: stockPeer.name, toFloor: floor },
    ),
  );
}

type Course = {
  readonly kind: PeerKind;
  readonly stand: Stand | undefined;
  readonly runs: Map<string, RunFigures[]>;
  error: string | undefined;
};

async function begin(
  kind: PeerKind,
  clients: number,
  { situations, settingsOf, warmUp }: Comparison,
  stands: AsyncDisposableStack,
): Promise<Course> {
  const runs = new Map(situations.map(({ name }) => [name, [] as RunFigures[]]));
  const lack = kind.lack();
  if (lack !== undefined) return { kind, stand: undefined, runs, error: lack };
  try {
    const stand = stands.use(await openStand(kind, await settingsOf(kind), clients, warmUp && { warmUp }));
    return { kind, stand, runs, error: undefined };
  } catch (error) {
    return { kind, stand: undefined, runs, error: describeFailure(error) };
  }
}

async function attempt(course: Course, measure: Measure): Promise<RunFigures | undefined> {
  if (!course.stand || course.error !== undefined) return undefined;
  try {
    return await measure(course.stand);
  } catch (error) {
    course.error = describeFailure(error);
    return undefined;
  }
}

function figureOf({ kind, runs, error }: Course, situation: string): Figure {
  return figureFrom(situation, kind.name, runs.get(situation) ?? [], error);
}

/** The median of several runs, and their spread. */
export function figureFrom(
  situation: string,
  peer: string,
  runs: readonly RunFigures[],
  error: string | undefined,
): Figure {
  const keys = Object.keys(runs[0] ?? {});
  const values = Object.fromEntries(keys.map((key) => [key, spreadOf(runs.map((run) => run[key] ?? NaN))]));
  return { situation, peer, values, ...(error === undefined ? {} : { error }) };
}

export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

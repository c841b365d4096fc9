import { setTimeout as wait } from 'node:timers/promises';
import { createPubSubTopologies } from '../adapters/inbound/pubsub/pubsub-topology.ts';
import type { TopologySource } from '../adapters/inbound/pubsub/pubsub-topology-plan.ts';
import { Fault } from '../application/fault.ts';
import type { Topology, TopologyStep } from '../application/ports/topology.ts';
import { type CommandIo, complain } from './cli/command-io.ts';
import { type ExitName, exitCodes } from './cli/exit-codes.ts';
import { below } from './cli/option-values.ts';
import type { TopologyAction, TopologyOptions } from './cli/topology-command.ts';
import { outcomeJsonLine, outcomeLines, outcomeSummary, type StepOutcome } from './cli/topology-lines.ts';
import type { Config } from './config/edgeward-config.ts';
import { readConfig } from './read-config.ts';

/** How long connections have to end; whatever they wait for then ends with the process. */
const closeMsMax = 1000;

/** `edgeward topology apply FILE`. */
export const applyTopology: TopologyAction = async (file, options, io) => {
  const config = await readConfig(file, io.env);
  if (!config.ok) {
    io.stderr(`${config.reason}\n`);
    return exitCodes.config.code;
  }
  const topologies = topologiesOf(config.value, options);
  if (topologies.length === 0) {
    io.stderr(`edgeward: ${file} names no broker that anything could be made at; there is nothing to do\n`);
    return exitCodes.ok.code;
  }
  const run: Run = { options, io, outcomes: [], exits: [] };
  for (const topology of topologies) await applyAll(topology, run);
  if (!options.json) io.stdout(`${outcomeSummary(run.outcomes)}${options.dryRun ? '; nothing was changed' : ''}\n`);
  return exitCodes[exitOf(run)].code;
};

/** What a config needs of its brokers. The embedded sources need nothing. */
function topologiesOf({ sources, identity }: Config, { pushUrl, pushAccount }: TopologyOptions): readonly Topology[] {
  const url = pushUrl && below(pushUrl, '');
  const pubsub = sources.flatMap((source): readonly TopologySource[] => {
    if (source.kind === 'pubsub') return [source];
    if (source.kind !== 'pubsubPush') return [];
    const kinds = source.settings.credentials.flatMap(({ accepts }) => accepts);
    return [{ ...source, target: { url, account: pushAccount, audiences: audiencesOf(kinds, identity) } }];
  });
  return createPubSubTopologies(pubsub);
}

/** None where tokens of one of the kinds may be for anybody. */
function audiencesOf(kinds: readonly string[], { tokens }: Config['identity']): readonly string[] {
  const audiences = kinds.map((kind) => tokens[kind]?.audiences ?? []);
  return audiences.some((each) => each.length === 0) ? [] : audiences.flat();
}

type Run = {
  readonly options: TopologyOptions;
  readonly io: CommandIo;
  readonly outcomes: StepOutcome[];
  /** Of what went wrong, in that order. */
  readonly exits: ExitName[];
};

async function applyAll(topology: Topology, run: Run): Promise<void> {
  const { steps, notes } = topology;
  try {
    for (const [done, step] of steps.entries()) {
      if (await applyOne(step, run)) continue;
      run.outcomes.push(...steps.slice(done + 1).map(() => 'skipped' as const));
      return;
    }
    for (const note of notes) run.io.stderr(`edgeward: ${note}\n`);
  } finally {
    await closed(topology);
  }
}

/** @returns whether there is any use in the next one. */
async function applyOne(step: TopologyStep, { options, io, outcomes, exits }: Run): Promise<boolean> {
  try {
    const outcome = await step.apply(options.dryRun ? 'look' : 'make', io.interrupted);
    io.stdout((options.json ? outcomeJsonLine : outcomeLines)(step, outcome));
    outcomes.push(outcome.kind);
    return true;
  } catch (error) {
    const { exit, isForAll } = consequenceOf(error, io);
    outcomes.push('failed');
    exits.push(exit);
    return !isForAll;
  }
}

async function closed(topology: Topology): Promise<void> {
  const done = new AbortController();
  const late = wait(closeMsMax, undefined, { signal: done.signal }).catch(() => undefined);
  await Promise.race([topology.close(), late]);
  done.abort();
}

/** How the command ends after a fault, and whether it would meet the same one with everything else at that broker. */
const consequences: ReadonlyMap<string, Consequence> = new Map<string, Consequence>([
  ['pubsub_unreachable', { exit: 'unreachable', isForAll: true }],
  ['pubsub_quota_exhausted', { exit: 'tryLater', isForAll: true }],
  ['pubsub_credentials_missing', { exit: 'refused', isForAll: true }],
  ['pubsub_credentials_refused', { exit: 'refused', isForAll: true }],
  ['pubsub_permission_missing', { exit: 'refused', isForAll: false }],
]);

type Consequence = { readonly exit: ExitName; readonly isForAll: boolean };

function consequenceOf(error: unknown, io: CommandIo): Consequence {
  if (io.interrupted.aborted) return { exit: 'interrupted', isForAll: true };
  if (!(error instanceof Fault)) throw error;
  const consequence = consequences.get(error.code) ?? { exit: 'failed', isForAll: false };
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  complain(io, { exit: consequence.exit, message: `${error.message}${cause}` });
  return consequence;
}

function exitOf({ outcomes, exits }: Run): ExitName {
  const [first] = exits;
  if (exits.includes('interrupted')) return 'interrupted';
  if (first !== undefined) return first;
  return outcomes.includes('differs') || outcomes.includes('missing') ? 'differs' : 'ok';
}

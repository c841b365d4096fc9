import { parseArgs } from 'node:util';
import { cores, moveToCore } from './measure/cores.ts';
import { BrokerPool } from './peers/broker-pool.ts';
import { updatePerformancePage } from './report/performance-page.ts';
import { writeResult } from './report/result-file.ts';
import { reportText } from './report/table-text.ts';
import { scenarios } from './scenarios/catalogue.ts';
import type { Bench, Scenario } from './scenarios/scenario.ts';

/**
 * `npm run bench [-- NAME... [--quick] [--rounds N] [--peer TEXT]... [--list]]`: measures the built Edgeward beside its peers. Tables go to the
 * standard output and, as JSON, to `bench/results/` and from there to docs/performance.md, unless it is quick or some peers
 * only; what is under way goes to the standard error.
 */
const usage = 'usage: npm run bench -- [NAME...] [--quick] [--rounds N] [--peer TEXT]... [--list]';

function progressOf(name: string, begin: number): (text: string) => void {
  const { stderr } = process;
  return (text) => {
    const line = `[${((performance.now() - begin) / 1000).toFixed(0).padStart(4)} s] ${name}: ${text}`;
    stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
}

type Asked = {
  readonly scenarios: readonly Scenario[];
  readonly quick: boolean;
  readonly rounds: number;
  /** Parts of the names of the peers to be measured; none: all of them. */
  readonly peers: readonly string[];
};

/** What is asked for on the command line; nothing where that is only which scenarios there are. */
function readAsked(): Asked | undefined {
  const { values, positionals } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      list: { type: 'boolean' },
      rounds: { type: 'string' },
      peer: { type: 'string', multiple: true },
    },
    allowPositionals: true,
  });
  if (values.list) return undefined;
  const names = scenarios.map(({ name }) => name);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Error(`no scenario is called ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  const quick = values.quick ?? false;
  const rounds = Number(values.rounds ?? (quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error('--rounds is no number of 1 to 100');
  const chosen = positionals.length === 0 ? scenarios : scenarios.filter(({ name }) => positionals.includes(name));
  return { scenarios: chosen, quick, rounds, peers: values.peer ?? [] };
}

function tellFailure(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}

async function measure({ scenarios: chosen, quick, rounds, peers }: Asked): Promise<void> {
  let isSomeoneWanted = false;
  const isWanted = (peer: string): boolean => {
    const wanted = peers.length === 0 || peers.some((text) => peer.includes(text));
    isSomeoneWanted ||= wanted;
    return wanted;
  };
  // So that the core of the server has nothing else to do.
  moveToCore(cores.load, process.pid);
  await using brokers = new BrokerPool();
  const begin = performance.now();
  for (const scenario of chosen) {
    const bench: Bench = {
      quick,
      rounds,
      isWanted,
      brokerOf: (kind) => brokers.get(kind),
      progress: progressOf(scenario.name, begin),
    };
    try {
      const report = await scenario.run(bench);
      const isPartial = quick || peers.length > 0;
      bench.progress(`is in ${await writeResult(report, isPartial)}\n`);
      process.stdout.write(`${reportText(report)}\n`);
      if (!isPartial) updatePerformancePage();
    } catch (error) {
      // The others can still be measured.
      tellFailure(error);
    }
  }
  if (!isSomeoneWanted) tellFailure(`--peer: no peer of these scenarios has ${peers.join(' or ')} in its name`);
}

// Whoever reads no further has seen enough.
process.stdout.on('error', () => process.exit());

// Whatever was started ends with this process: its channel to it closes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

let asked: Asked | undefined;
try {
  asked = readAsked();
  if (!asked) for (const { name, summary } of scenarios) process.stdout.write(`${name.padEnd(12)} ${summary}\n`);
} catch (error) {
  tellFailure(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
}
try {
  if (asked) await measure(asked);
} catch (error) {
  tellFailure(error);
}

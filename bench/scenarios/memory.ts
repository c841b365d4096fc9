import { setTimeout as pause } from 'node:timers/promises';
import { spreadOf } from '../measure/statistics.ts';
import { relayPeer, signalrPeer, socketioPeer, spacesPeer } from '../peers/edgeward.ts';
import { rawWsPeer, stockPeer } from '../peers/node-peer.ts';
import type { PeerKind } from '../peers/peer.ts';
import type { Column, Figure, TargetReport } from '../report/scenario-report.ts';
import { medianAt, target, withRatios } from '../report/target.ts';
import { describeFailure } from './compare.ts';
import { stockColumn } from './delivery-columns.ts';
import type { Bench, Scenario } from './scenario.ts';
import { payloadBytes } from './situations.ts';
import { openStand } from './stand.ts';

const columns: readonly Column[] = [
  { key: 'rssBytes', title: 'RSS bytes a connection', digits: 0 },
  stockColumn,
  { key: 'heapBytes', title: 'heap and external bytes a connection', digits: 0 },
  { key: 'baseMegabytes', title: 'RSS before, MB', digits: 0 },
];
const peers = [socketioPeer, relayPeer, signalrPeer, spacesPeer, stockPeer, rawWsPeer];
const stepsOf = ({ quick }: Bench): readonly number[] => (quick ? [200, 500] : [1000, 5000, 10_000, 15_000]);
const warmUpClients = 200;
const settleMs = 300;
const situationOf = (clients: number): string => `${clients} connections`;

export const memory: Scenario = {
  name: 'memory',
  summary: 'memory of an idle connection, with 1,000 to 15,000 of them',
  async run(bench) {
    const figures: Figure[] = [];
    const wanted = peers.filter(({ name }) => bench.isWanted(name));
    for (const kind of wanted) figures.push(...(await measureMemory(bench, kind)));
    const order = stepsOf(bench).map(situationOf);
    return {
      name: 'memory',
      title: 'Memory of an idle connection',
      columns,
      figures: [...withRatios(figures, 'rssBytes', { toStock: stockPeer.name })].sort(
        (one, other) => order.indexOf(one.situation) - order.indexOf(other.situation),
      ),
      targets: targetsOf(figures),
      notes: [
        'What the process has more than before the first client, over their number, after garbage collection where it is Node. RSS is what the system gives the process; the kernel’s own buffers are not in it.',
        'One run: memory does not depend on what else the machine does.',
      ],
    };
  },
};

/** The clients that warm it up are gone before anything is measured, so that code and tables of a first client do not count. */
async function measureMemory(bench: Bench, kind: PeerKind): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const fail = (error: string): readonly Figure[] =>
    stepsOf(bench)
      .slice(figures.length)
      .map((clients) => ({ situation: situationOf(clients), peer: kind.name, values: {}, error }));
  const lack = kind.lack();
  if (lack !== undefined) return fail(lack);
  try {
    bench.progress(`${kind.name} starts`);
    await using stand = await openStand(kind, { payloadBytes }, warmUpClients);
    const { peer, load } = stand;
    await load.closeClients();
    await pause(settleMs);
    const base = await peer.memory();
    const size = stepsOf(bench).at(-1) ?? 0;
    for (const clients of stepsOf(bench)) {
      bench.progress(`${kind.name}: ${clients} connections`);
      await load.open(peer.clients, clients, size);
      await pause(settleMs);
      const { rssBytes, heapBytes } = await peer.memory();
      const heap = heapBytes !== undefined && base.heapBytes !== undefined ? heapBytes - base.heapBytes : NaN;
      const values = {
        rssBytes: spreadOf([(rssBytes - base.rssBytes) / clients]),
        heapBytes: spreadOf([heap / clients]),
        baseMegabytes: spreadOf([base.rssBytes / 1_000_000]),
      };
      figures.push({ situation: situationOf(clients), peer: kind.name, values });
    }
    return figures;
  } catch (error) {
    return [...figures, ...fail(describeFailure(error))];
  }
}

const targetsOf = (figures: readonly Figure[]): readonly TargetReport[] =>
  [
    { peer: socketioPeer.name, limit: 12_000 },
    { peer: relayPeer.name, limit: 8000 },
    { peer: signalrPeer.name, limit: 8000 },
  ].flatMap(({ peer, limit }) => {
    const bytes = medianAt(figures, { situation: situationOf(10_000), peer, key: 'rssBytes' });
    return target(`RSS bytes a connection of ${peer}, 10000 connected`, bytes, 'at most', limit);
  });

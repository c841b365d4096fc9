import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from '../measure/load-process.ts';
import { relayPeer, signalrPeer, socketioPeer } from '../peers/edgeward.ts';
import { stockPeer } from '../peers/node-peer.ts';
import type { Peer, PeerKind } from '../peers/peer.ts';
import type { Column, Figure } from '../report/scenario-report.ts';
import { ratioAt, target, withRatios } from '../report/target.ts';
import { createTokenIssuer } from './client-tokens.ts';
import { describeFailure, figureFrom } from './compare.ts';
import { stockColumn } from './delivery-columns.ts';
import type { RunFigures } from './measure-run.ts';
import type { Bench, Scenario } from './scenario.ts';

const columns: readonly Column[] = [
  { key: 'cpuMicros', title: 'CPU µs a connect', digits: 0 },
  stockColumn,
  { key: 'userMicros', title: 'user', digits: 0 },
  { key: 'systemMicros', title: 'system', digits: 0 },
  { key: 'perSecond', title: 'connects a second', digits: 0 },
];
const situations = ['first connect', 'connect again'] as const;
const peers = [socketioPeer, relayPeer, signalrPeer, stockPeer];
const settleMs = 100;

type Runs = Readonly<Record<(typeof situations)[number], RunFigures[]>>;
type Course = { readonly kind: PeerKind; readonly peer?: Peer; readonly runs: Runs; error?: string };

export const connects: Scenario = {
  name: 'connects',
  summary: 'connects a second with RS256 tokens, new ones and those seen before',
  async run(bench) {
    const figures = await measureConnects(bench);
    const [first, again] = situations;
    const { name } = socketioPeer;
    // Connects a second of one core are the inverse of what one costs.
    const faster = (situation: string): number =>
      ratioAt(figures, { situation, peer: stockPeer.name, key: 'cpuMicros' }, name);
    return {
      name: 'connects',
      title: 'Connects with RS256 tokens',
      columns,
      figures,
      targets: [
        ...target(`${first}: connects of ${name} / stock and jose, by CPU`, faster(first), 'at least', 1),
        ...target(`${again}: connects of ${name} / stock and jose, by CPU`, faster(again), 'at least', 3),
      ],
      notes: [
        'Stock is socket.io with jose in a middleware of its namespace. The CPU holds all that a connect is: TCP, HTTP, the upgrade, the token, the rooms, the answer.',
      ],
    };
  },
};

async function measureConnects(bench: Bench): Promise<readonly Figure[]> {
  await using started = new AsyncDisposableStack();
  const issuer = started.use(await createTokenIssuer());
  const courses: Course[] = [];
  for (const kind of peers.filter(({ name }) => bench.isWanted(name))) {
    bench.progress(`${kind.name} starts`);
    const runs: Runs = { 'first connect': [], 'connect again': [] };
    try {
      const peer = started.use(await kind.start({ payloadBytes: 0, pemFile: issuer.pemFile }));
      courses.push({ kind, peer, runs });
    } catch (error) {
      courses.push({ kind, runs, error: describeFailure(error) });
    }
  }
  const count = bench.quick ? 100 : 1000;
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const course of courses) {
      bench.progress(`round ${round} of ${bench.rounds}: ${course.kind.name}`);
      await attempt(course, issuer.next(count), round > 0);
    }
  }
  return situations.flatMap((situation) =>
    withRatios(
      courses.map(({ kind, runs, error }) => figureFrom(situation, kind.name, runs[situation], error)),
      'cpuMicros',
      { toStock: stockPeer.name },
    ),
  );
}

async function attempt(course: Course, tokens: readonly string[], counts: boolean): Promise<void> {
  if (!course.peer || course.error !== undefined) return;
  try {
    for (const situation of situations) {
      const figures = await connectAll(course.peer, tokens);
      if (counts) course.runs[situation].push(figures);
    }
  } catch (error) {
    course.error = describeFailure(error);
  }
}

async function connectAll(peer: Peer, tokens: readonly string[]): Promise<RunFigures> {
  await using load = await startLoad(`connects-${peer.name}`);
  const before = await peer.processorTime();
  const elapsedMs = await load.open({ ...peer.clients, tokens }, tokens.length);
  const after = await peer.processorTime();
  await load.closeClients();
  // So that what the closed connections cost is in no other figure.
  await pause(settleMs);
  return {
    cpuMicros: (after.totalMicros - before.totalMicros) / tokens.length,
    userMicros: (after.userMicros - before.userMicros) / tokens.length,
    systemMicros: (after.systemMicros - before.systemMicros) / tokens.length,
    perSecond: (tokens.length * 1000) / elapsedMs,
  };
}

import { relayPeer, signalrPeer, socketioPeer, spacesPeer } from '../peers/edgeward.ts';
import { floorJoinedPeer, floorSinglePeer, rawWsPeer, stockPeer } from '../peers/node-peer.ts';
import type { PeerKind } from '../peers/peer.ts';
import { mosquittoPeer, natsPeer, webStompPeer } from '../peers/system-peers.ts';
import type { Figure, ScenarioReport, TargetReport } from '../report/scenario-report.ts';
import { ratioAt, target } from '../report/target.ts';
import { compare, type Situation } from './compare.ts';
import { deliveryColumns } from './delivery-columns.ts';
import type { Bench, Scenario } from './scenario.ts';
import { burstSituation, httpWarmUp, payloadBytes } from './situations.ts';

const everywhere: readonly PeerKind[] = [
  socketioPeer,
  relayPeer,
  signalrPeer,
  stockPeer,
  floorSinglePeer,
  floorJoinedPeer,
  natsPeer,
];
/** What would take the time of the others with ten times as many. */
const onlySmall: readonly PeerKind[] = [spacesPeer, rawWsPeer, mosquittoPeer, webStompPeer];

export const broadcast: Scenario = {
  name: 'broadcast',
  summary: 'every event to all of 1,000 and 10,000 clients, one by one and in bursts of 10',
  async run(bench): Promise<ScenarioReport> {
    const figures: Figure[] = [];
    for (const clients of bench.quick ? [200] : [1000, 10_000]) {
      const peers = clients > 1000 ? everywhere : [...everywhere, ...onlySmall];
      const situations = situationsFor(clients, bench);
      // What takes a tenth of the time is done more often.
      const more = clients > 1000 ? -1 : 2;
      const rounds = bench.quick ? bench.rounds : Math.max(1, bench.rounds + more);
      // What one event costs weighs little among many clients.
      const warmUp = httpWarmUp(bench, clients > 1000 ? 300 : undefined);
      figures.push(
        ...(await compare(
          { ...bench, rounds },
          { peers, clients, situations, warmUp, settingsOf: () => ({ payloadBytes }) },
        )),
      );
    }
    return {
      name: 'broadcast',
      title: 'Broadcast: every event to every client',
      columns: deliveryColumns,
      figures,
      targets: [...new Set(figures.map(({ situation }) => situation))].flatMap((each) => targetsOf(figures, each)),
      notes: [`Payloads of ${payloadBytes} bytes of JSON, published over HTTP except to brokers.`],
    };
  },
};

const situationsFor = (clients: number, bench: Bench): readonly Situation[] =>
  [1, 10].map((burst) => {
    const name = `${clients} clients, ${burst === 1 ? 'one by one' : 'bursts of 10'}`;
    return burstSituation(name, { to: 'all', payloadBytes: [payloadBytes] }, burst, bench);
  });

function targetsOf(figures: readonly Figure[], situation: string): readonly TargetReport[] {
  const isBurst = situation.includes('bursts');
  const ratio = (peer: string, other: string, limit: number): readonly TargetReport[] =>
    target(
      `${situation}: CPU of ${peer} / ${other}`,
      ratioAt(figures, { situation, peer, key: 'cpuMicros' }, other),
      'at most',
      limit,
    );
  const socketio = isBurst
    ? [
        ...ratio('edgeward socketio', 'stock socket.io', 0.2),
        ...ratio('edgeward socketio', 'NATS', 1),
        ...ratio('edgeward socketio', 'floor, joined', 1.5),
      ]
    : [...ratio('edgeward socketio', 'stock socket.io', 0.75), ...ratio('edgeward socketio', 'floor, single', 1.3)];
  const others = ['edgeward relay', 'edgeward signalr'].flatMap((peer) =>
    isBurst ? ratio(peer, 'floor, joined', 1.5) : ratio(peer, 'floor, single', 1.2),
  );
  return [...socketio, ...others];
}

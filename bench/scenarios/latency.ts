import { socketioPeer } from '../peers/edgeward.ts';
import { stockPeer } from '../peers/node-peer.ts';
import type { Column } from '../report/scenario-report.ts';
import { medianAt, ratioAt, target } from '../report/target.ts';
import { compare, type Situation } from './compare.ts';
import { measureRun } from './measure-run.ts';
import type { Scenario } from './scenario.ts';
import { burstSituation, httpWarmUp, payloadBytes } from './situations.ts';

const columns: readonly Column[] = [
  { key: 'eventsPerSecond', title: 'events a second', digits: 0 },
  { key: 'cpuMicros', title: 'CPU µs a delivery', digits: 2 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'p999Ms', title: 'p99.9 ms', digits: 2 },
];
const audience = { to: 'all', payloadBytes: [payloadBytes] } as const;
const greatest = 'greatest rate of stock';

export const latency: Scenario = {
  name: 'latency',
  summary: 'from publishing to the client, at half of the greatest rate of stock Socket.IO',
  async run(bench) {
    const clients = bench.quick ? 200 : 1000;
    const settingsOf = () => ({ payloadBytes });
    const warmUp = httpWarmUp(bench);
    const sought = { peers: [stockPeer], clients, settingsOf, warmUp };
    const found = await compare(bench, { ...sought, situations: [burstSituation(greatest, audience, 1, bench)] });
    const most = medianAt(found, { situation: greatest, peer: stockPeer.name, key: 'eventsPerSecond' });
    const perSecond = Math.max(1, Math.round(most / 2));
    const half = `${perSecond} events a second to ${clients} clients`;
    const spec = { ...audience, burst: 1, perSecond, ms: bench.quick ? 300 : 4000, eventsMin: 10 };
    const situation: Situation = {
      name: half,
      measure: (stand) => measureRun(stand, spec),
      async warmUp(stand) {
        const figures = await measureRun(stand, { ...spec, ms: spec.ms / 4 });
        // Collects the garbage of the start, which would come in some run of some peer.
        await stand.peer.memory();
        return figures;
      },
    };
    const peers = [socketioPeer, stockPeer];
    const figures = await compare(bench, { peers, clients, settingsOf, warmUp, situations: [situation] });
    const ratio = ratioAt(figures, { situation: half, peer: socketioPeer.name, key: 'p99Ms' }, stockPeer.name);
    return {
      name: 'latency',
      title: 'Latency at half of the greatest rate of stock Socket.IO',
      columns,
      figures: [...found, ...figures],
      targets: target(`p99 of ${socketioPeer.name} / stock socket.io`, ratio, 'at most', 1),
      notes: [
        'From just before the publisher sends the request to when a client has read it, of up to 200 of the clients. The greatest rate is that at which the next event is published when all have the one before.',
      ],
    };
  },
};

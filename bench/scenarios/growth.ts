import { edgeward } from '../peers/edgeward.ts';
import type { PeerKind } from '../peers/peer.ts';
import type { Figure } from '../report/scenario-report.ts';
import { ratioAt, target } from '../report/target.ts';
import { compareBacklogs } from './backlogs.ts';
import { costColumns } from './delivery-columns.ts';
import type { Scenario } from './scenario.ts';
import { backlogSituation, payloadBytes } from './situations.ts';

type Size = { readonly clients: number; readonly topics: number };

/** What grows ten-fold, with everything else as it was. */
type Growth = { readonly what: string; readonly endpoint: 'socketio' | 'relay'; readonly sizes: readonly [Size, Size] };

const [few, many] = [1000, 10_000];
const growths: readonly Growth[] = [
  {
    what: 'connections',
    endpoint: 'socketio',
    sizes: [
      { clients: few, topics: 0 },
      { clients: many, topics: 0 },
    ],
  },
  {
    what: 'rooms of as many connections',
    endpoint: 'socketio',
    sizes: [
      { clients: few, topics: 9 },
      { clients: few, topics: 90 },
    ],
  },
  {
    what: 'distinct patterns, one a connection',
    endpoint: 'relay',
    sizes: [
      { clients: few, topics: 0 },
      { clients: many, topics: 0 },
    ],
  },
];
const names = ['as it was', 'ten-fold'] as const;

export const growth: Scenario = {
  name: 'growth',
  summary: 'the cost of a delivery as connections, rooms and patterns grow ten-fold',
  async run(bench) {
    const figures: Figure[] = [];
    for (const each of growths) {
      const clientsOf = new Map(each.sizes.map((size, index) => [peerOf(each, size, index), size.clients]));
      const situations = [backlogSituation(each.what, { to: 'each', payloadBytes: [payloadBytes] }, bench)];
      const clients = (peer: PeerKind): number => Math.ceil((clientsOf.get(peer) ?? 0) / (bench.quick ? 10 : 1));
      // Differences of a tenth are looked for, and runs differ by more.
      const rounds = bench.rounds + (bench.quick ? 0 : 2);
      figures.push(
        ...(await compareBacklogs({ ...bench, rounds }, { peers: [...clientsOf.keys()], clients, situations })),
      );
    }
    return {
      name: 'growth',
      title: 'Growth: each event from AMQP to one client, of ever more',
      columns: costColumns,
      figures,
      targets: growths.flatMap((each) => {
        const [one, ten] = names;
        const place = { situation: each.what, peer: nameOf(each, ten), key: 'cpuMicros' };
        return target(
          `${each.what}: CPU ten-fold / as it was`,
          ratioAt(figures, place, nameOf(each, one)),
          'at most',
          1.1,
        );
      }),
      notes: [
        `Connections: ${few} and ${many}. Patterns: as many connections with one each. Rooms: ${few} connections in 12 and in 93 rooms each, of which no two share more than two.`,
      ],
    };
  },
};

const nameOf = ({ endpoint }: Growth, size: string): string => `edgeward ${endpoint}, ${size}`;

const peerOf = (each: Growth, { topics }: Size, index: number): PeerKind =>
  edgeward({
    endpoint: each.endpoint,
    name: nameOf(each, names[index] ?? ''),
    clients: { topics, ownPattern: true },
  });

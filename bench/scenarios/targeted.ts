import { signalrPeer, socketioPeer } from '../peers/edgeward.ts';
import { bareConsumerPeer, floorSinglePeer, rawWsPeer, stockPeer } from '../peers/node-peer.ts';
import type { Figure } from '../report/scenario-report.ts';
import { ratioAt, target } from '../report/target.ts';
import { compareBacklogs } from './backlogs.ts';
import { costColumns } from './delivery-columns.ts';
import type { Scenario } from './scenario.ts';
import { backlogNote, backlogSituation, payloadBytes } from './situations.ts';

const peers = [socketioPeer, stockPeer];
const onlyFew = [signalrPeer, rawWsPeer, floorSinglePeer, bareConsumerPeer];
const [few, many] = [1000, 10_000];
const situationOf = (clients: number): string => `one of ${clients} clients`;

export const targeted: Scenario = {
  name: 'targeted',
  summary: 'every event from AMQP to one of 1,000 and 10,000 clients',
  async run(bench) {
    const figures: Figure[] = [];
    for (const clients of [few, many]) {
      const audience = { to: 'each', payloadBytes: [payloadBytes] } as const;
      const situations = [backlogSituation(situationOf(clients), audience, bench)];
      const opened = clients / (bench.quick ? 10 : 1);
      const chosen = clients === few ? [...peers, ...onlyFew] : peers;
      figures.push(...(await compareBacklogs(bench, { peers: chosen, clients: opened, situations })));
    }
    const { name } = socketioPeer;
    const place = { situation: situationOf(many), peer: name, key: 'cpuMicros' };
    return {
      name: 'targeted',
      title: 'Targeted: every event from AMQP to one client',
      columns: costColumns,
      figures,
      targets: [
        ...target(`CPU of ${name} / ${stockPeer.name}`, ratioAt(figures, place, stockPeer.name), 'at most', 0.7),
      ],
      notes: [
        `${backlogNote} Prefetch 256 everywhere. The CPU is that of intake and delivery.`,
        'The bare consumer is amqplib that acknowledges and does nothing.',
      ],
    };
  },
};

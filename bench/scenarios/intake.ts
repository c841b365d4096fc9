import { socketioPeer } from '../peers/edgeward.ts';
import { amqpFeeds, pubsubFeeds } from '../peers/feeds.ts';
import { bareConsumerPeer, stockPeer } from '../peers/node-peer.ts';
import type { Column, Figure } from '../report/scenario-report.ts';
import { ratioAt, target } from '../report/target.ts';
import { compareBacklogs } from './backlogs.ts';
import { stockColumn } from './delivery-columns.ts';
import type { Scenario } from './scenario.ts';
import { backlogNote, backlogSituation, payloadBytes } from './situations.ts';

const columns: readonly Column[] = [
  { key: 'eventsPerSecond', title: 'events a second', digits: 0 },
  { key: 'cpuMicrosPerEvent', title: 'CPU µs an event', digits: 1 },
  stockColumn,
  { key: 'userMicros', title: 'user', digits: 1 },
  { key: 'systemMicros', title: 'system', digits: 1 },
];
const feeds = [
  { kind: amqpFeeds, name: 'AMQP' },
  { kind: pubsubFeeds, name: 'Pub/Sub' },
];
const clients = 100;

export const intake: Scenario = {
  name: 'intake',
  summary: 'events from AMQP and Pub/Sub to one client each, beside a consumer that does nothing',
  async run(bench) {
    const figures: Figure[] = [];
    for (const { kind, name } of feeds) {
      const situations = [backlogSituation(name, { to: 'each', payloadBytes: [payloadBytes] }, bench)];
      const peers = [socketioPeer, stockPeer, bareConsumerPeer];
      figures.push(...(await compareBacklogs(bench, { peers, clients, situations, feeds: kind })));
    }
    return {
      name: 'intake',
      title: 'Intake: from the broker to one client each',
      columns,
      figures,
      targets: feeds.flatMap(({ name: situation }) => {
        const place = { situation, peer: socketioPeer.name, key: 'eventsPerSecond' };
        const share = ratioAt(figures, place, bareConsumerPeer.name);
        return target(`${situation}: rate of ${socketioPeer.name} / bare consumer`, share, 'at least', 0.7);
      }),
      notes: [
        `${backlogNote} Prefetch, or messages in flight, 256 everywhere.`,
        'The broker has the core of the clients: where it is slower than the consumer, compare the CPU.',
      ],
    };
  },
};

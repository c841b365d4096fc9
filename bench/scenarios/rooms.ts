import { signalrPeer, socketioPeer } from '../peers/edgeward.ts';
import { bareConsumerPeer, floorSinglePeer, rawWsPeer, stockPeer } from '../peers/node-peer.ts';
import { compareBacklogs } from './backlogs.ts';
import { costColumns } from './delivery-columns.ts';
import type { Scenario } from './scenario.ts';
import { backlogNote, backlogSituation, payloadBytes } from './situations.ts';

const clients = 1000;

export const rooms: Scenario = {
  name: 'rooms',
  summary: 'every event from AMQP to a room of 10, of 100 rooms',
  async run(bench) {
    const audience = { to: 'groups', payloadBytes: [payloadBytes] } as const;
    const situations = [backlogSituation('rooms of 10', audience, bench)];
    const peers = [socketioPeer, signalrPeer, stockPeer, rawWsPeer, floorSinglePeer, bareConsumerPeer];
    return {
      name: 'rooms',
      title: 'Rooms: every event from AMQP to a room of 10',
      columns: costColumns,
      figures: await compareBacklogs(bench, { peers, clients, situations }),
      targets: [],
      notes: [`${clients} clients. ${backlogNote} Of the bare consumer the figures are those of a message.`],
    };
  },
};

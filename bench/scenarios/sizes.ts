import { relayPeer, signalrPeer, socketioPeer } from '../peers/edgeward.ts';
import { floorJoinedPeer, floorSinglePeer, rawWsPeer, stockPeer } from '../peers/node-peer.ts';
import { compare } from './compare.ts';
import { deliveryColumns } from './delivery-columns.ts';
import type { Scenario } from './scenario.ts';
import { burstSituation, httpWarmUp } from './situations.ts';

const sizesInTurn = [100, 400, 1600, 6400, 25_600, 64_000];
const clients = 200;

export const sizes: Scenario = {
  name: 'sizes',
  summary: 'payloads of 100 bytes to 64 kB in turn, to all of 200 clients',
  async run(bench) {
    const audience = { to: 'all', payloadBytes: sizesInTurn } as const;
    const situations = [
      burstSituation('one by one', audience, 1, bench),
      burstSituation('bursts of 6', audience, sizesInTurn.length, bench),
    ];
    const peers = [socketioPeer, relayPeer, signalrPeer, stockPeer, rawWsPeer, floorSinglePeer, floorJoinedPeer];
    return {
      name: 'sizes',
      title: 'Mixed sizes: 100 bytes to 64 kB',
      columns: deliveryColumns,
      figures: await compare(bench, {
        peers,
        clients,
        situations,
        warmUp: httpWarmUp(bench),
        settingsOf: () => ({ payloadBytes: 0 }),
      }),
      targets: [],
      notes: [`Payloads of ${sizesInTurn.join(', ')} bytes in turn.`],
    };
  },
};

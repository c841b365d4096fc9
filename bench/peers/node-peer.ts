import type { ClientKind } from '../load/client-spec.ts';
import { cores } from '../measure/cores.ts';
import { startNodeProcess } from '../measure/node-process.ts';
import { feedEnvironment, publisherOf } from './feed-environment.ts';
import type { Peer, PeerKind, PeerSettings } from './peer.ts';
import { serverUse } from './server-use-of.ts';

type NodeServer = {
  readonly name: string;
  readonly clients: ClientKind;
  /** Its file in `bench/servers`. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it only consumes. */
  readonly isBare?: boolean;
};

/** A server of the bench's own in Node: what somebody would write by hand. */
const nodePeer = ({ name, clients, file, env = {}, isBare = false }: NodeServer): PeerKind => ({
  name,
  lack: () => undefined,
  async start({ payloadBytes, feed, pemFile }: PeerSettings): Promise<Peer> {
    const keys = pemFile === undefined ? {} : { BENCH_PEM_FILE: pemFile };
    const started = await startNodeProcess({
      core: cores.server,
      script: new URL(`../servers/${file}`, import.meta.url),
      preload: new URL('../measure/probe.ts', import.meta.url),
      env: { ...env, ...keys, ...feedEnvironment(feed) },
      ready: /^listening (\d+)$/,
      name,
    });
    const port = Number(started.found);
    return {
      name,
      pid: started.pid,
      clients: { kind: clients, port, payloadBytes },
      publisher: feed ? publisherOf(feed) : { kind: 'http', port, stream: 'bench', tenant: 'bench' },
      ...serverUse(started),
      ...(isBare ? { consumed: async () => Number(await started.calls.ask('consumed')) } : {}),
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    };
  },
});

export const stockPeer = nodePeer({ name: 'stock socket.io', clients: 'socketio', file: 'stock-socketio.ts' });
export const rawWsPeer = nodePeer({ name: 'raw ws', clients: 'websocket', file: 'raw-ws.ts' });
export const floorSinglePeer = nodePeer({
  name: 'floor, single',
  clients: 'websocket',
  file: 'floor.ts',
  env: { FLOOR: 'single' },
});
export const floorJoinedPeer = nodePeer({
  name: 'floor, joined',
  clients: 'websocket',
  file: 'floor.ts',
  env: { FLOOR: 'joined' },
});

/** A client of the broker that acknowledges and does nothing. */
export const bareConsumerPeer = nodePeer({
  name: 'bare consumer',
  clients: 'websocket',
  file: 'bare-consumer.ts',
  isBare: true,
});

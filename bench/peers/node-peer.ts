import type { ClientKind } from '../load/client-spec.ts';
import { cores } from '../measure/cores.ts';
import { startNodeProcess } from '../measure/node-process.ts';
import type { MemoryUse, ProcessorTime } from '../measure/server-use.ts';
import type { Peer, PeerKind, PeerSettings } from './peer.ts';

export const prefetch = 256;

type NodeServer = {
  readonly name: string;
  readonly clients: ClientKind;
  /** Its file in `bench/servers`. */
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** A server of the bench's own in Node: what somebody would write by hand. */
export const nodePeer = ({ name, clients, file, env = {} }: NodeServer): PeerKind => ({
  name,
  lack: () => undefined,
  async start({ payloadBytes, amqp }: PeerSettings): Promise<Peer> {
    const feed = amqp ? { AMQP_URL: amqp.url, AMQP_QUEUE: amqp.queue, AMQP_PREFETCH: String(prefetch) } : {};
    const started = await startNodeProcess({
      core: cores.server,
      script: new URL(`../servers/${file}`, import.meta.url),
      preload: new URL('../measure/probe.ts', import.meta.url),
      env: { ...env, ...feed },
      ready: /^listening (\d+)$/,
      name,
    });
    const port = Number(started.found);
    return {
      name,
      clients: { kind: clients, port, payloadBytes },
      publisher: amqp
        ? { kind: 'amqp', url: amqp.url, exchange: amqp.exchange }
        : { kind: 'http', port, stream: 'bench', tenant: 'bench' },
      processorTime: async () => (await started.calls.ask('processorTime')) as ProcessorTime,
      memory: async () => (await started.calls.ask('memory')) as MemoryUse,
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

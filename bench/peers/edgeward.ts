import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ClientKind, ClientSpec } from '../load/client-spec.ts';
import { cores } from '../measure/cores.ts';
import { startNodeProcess } from '../measure/node-process.ts';
import { feedEnvironment, publisherOf } from './feed-environment.ts';
import type { Peer, PeerKind, PeerSettings } from './peer.ts';
import { serverUse } from './server-use-of.ts';

const program = new URL('../../dist/bootstrap/cli/main.js', import.meta.url);
const config = (name: string): string => fileURLToPath(new URL(`../configs/${name}.yaml`, import.meta.url));

export type EdgewardOptions = {
  readonly endpoint: ClientKind;
  /** How it is called, where that is not enough. */
  readonly name?: string;
  readonly clients?: Partial<ClientSpec>;
};

/** The built Edgeward, started as a user would. */
export const edgeward = ({ endpoint, name = `edgeward ${endpoint}`, clients = {} }: EdgewardOptions): PeerKind => ({
  name,
  lack: () => (existsSync(program) ? undefined : 'Edgeward is not built: npm run build'),
  async start({ payloadBytes, feed, pemFile }: PeerSettings): Promise<Peer> {
    const started = await startNodeProcess({
      core: cores.server,
      script: program,
      args: ['start', pemFile === undefined ? config('edgeward') : config('edgeward-rs256')],
      preload: new URL('../measure/probe.ts', import.meta.url),
      env: { ...feedEnvironment(feed), ...(pemFile === undefined ? {} : { BENCH_PEM_FILE: pemFile }) },
      ready: /listens on http:\/\/127\.0\.0\.1:(\d+)/,
      name,
    });
    const port = Number(started.found);
    const token = pemFile === undefined ? await developmentToken(port) : '';
    // What a queue brings has the name of the exchange that it was published to.
    const stream = feed?.kind === 'amqp' ? feed.exchange : endpoint === 'spaces' ? 'spaces' : 'bench';
    const tenant = endpoint === 'spaces' ? {} : { tenant: 'bench' };
    return {
      name,
      pid: started.pid,
      clients: { kind: endpoint, port, token, payloadBytes, stream, ...clients },
      publisher: feed ? publisherOf(feed) : { kind: 'http', port, token, stream, ...tenant },
      ...serverUse(started),
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    };
  },
});

export const socketioPeer = edgeward({ endpoint: 'socketio' });
export const relayPeer = edgeward({ endpoint: 'relay' });
export const signalrPeer = edgeward({ endpoint: 'signalr' });
export const spacesPeer = edgeward({ endpoint: 'spaces' });

async function developmentToken(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/development/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      tenant: 'bench',
      user: 'bench',
      roles: ['edgeward.client', 'edgeward.publisher'],
      expiresInMs: 7_200_000,
    }),
  });
  if (answer.status !== 201) throw new Error(`no token was issued: ${answer.status} ${await answer.text()}`);
  const { token } = (await answer.json()) as { readonly token: string };
  return token;
}

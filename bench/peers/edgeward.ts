import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ClientKind } from '../load/client-spec.ts';
import { cores } from '../measure/cores.ts';
import { startNodeProcess } from '../measure/node-process.ts';
import type { MemoryUse, ProcessorTime } from '../measure/server-use.ts';
import { prefetch } from './node-peer.ts';
import type { Peer, PeerKind, PeerSettings } from './peer.ts';

const program = new URL('../../dist/bootstrap/cli/main.js', import.meta.url);
const config = fileURLToPath(new URL('../configs/edgeward.yaml', import.meta.url));

/** The built Edgeward, started as a user would. @param endpoint the one that its clients come to. */
export const edgewardPeer = (endpoint: ClientKind): PeerKind => ({
  name: `edgeward ${endpoint}`,
  lack: () => (existsSync(program) ? undefined : 'Edgeward is not built: npm run build'),
  async start({ payloadBytes, amqp }: PeerSettings): Promise<Peer> {
    const feed = amqp
      ? { BENCH_AMQP_URL: amqp.url, BENCH_AMQP_QUEUE: amqp.queue, BENCH_PREFETCH: String(prefetch) }
      : {};
    const started = await startNodeProcess({
      core: cores.server,
      script: program,
      args: ['start', config],
      preload: new URL('../measure/probe.ts', import.meta.url),
      env: feed,
      ready: /listens on http:\/\/127\.0\.0\.1:(\d+)/,
      name: `edgeward ${endpoint}`,
    });
    const port = Number(started.found);
    const token = await developmentToken(port);
    const stream = endpoint === 'spaces' ? 'spaces' : 'bench';
    return {
      name: `edgeward ${endpoint}`,
      clients: { kind: endpoint, port, token, payloadBytes, stream },
      publisher: amqp
        ? { kind: 'amqp', url: amqp.url, exchange: amqp.exchange }
        : { kind: 'http', port, token, stream, ...(endpoint === 'spaces' ? {} : { tenant: 'bench' }) },
      processorTime: async () => (await started.calls.ask('processorTime')) as ProcessorTime,
      memory: async () => (await started.calls.ask('memory')) as MemoryUse,
      [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
    };
  },
});

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

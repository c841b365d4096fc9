import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { type HttpSettings, httpSettings } from '../../src/adapters/inbound/http/http-settings.ts';
import {
  createHttpSource,
  type HttpDependencies,
  type HttpSource,
} from '../../src/adapters/inbound/http/http-source.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { recordingObserver } from './recording-observer.ts';

export type PublishingServer = AsyncDisposable & {
  readonly source: HttpSource;
  readonly app: FastifyInstance;
  readonly port: number;
  readonly url: string;
  readonly observer: ReturnType<typeof recordingObserver>;
};

/** A source on a listening server of its own. */
export async function publishingServer(
  settings: Partial<HttpSettings> = {},
  dependencies: Partial<HttpDependencies> = {},
): Promise<PublishingServer> {
  const observer = recordingObserver();
  const source = createHttpSource(
    'http',
    { ...httpSettings.parse({}), ...settings },
    {
      clock: systemClock,
      observer,
      admission: { mayPublish: async () => ({ kind: 'allowed' }) },
      ...dependencies,
    },
  );
  const app = fastify();
  await app.register(source.routes);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    source,
    app,
    port,
    url: `http://127.0.0.1:${port}/v1/events`,
    observer,
    async [Symbol.asyncDispose]() {
      await source.drain(AbortSignal.abort());
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: unknown };

/** Posts on a connection of its own, so that none is left open. */
export function post(
  url: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string | string[]>> = { 'content-type': 'application/json' },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type']?.includes('json');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: isJson ? JSON.parse(text) : text,
        });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

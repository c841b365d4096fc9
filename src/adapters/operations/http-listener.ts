import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { HttpSurface, RequestHandler, UpgradeHandler } from '../../application/ports/http-surface.ts';
import type { Observer } from '../../application/ports/observer.ts';
import { type ConnectionTracker, trackConnections } from './connection-tracker.ts';
import { createHttpApp } from './http-app.ts';
import { listenFault } from './listen-fault.ts';
import type { ListenSettings } from './listen-settings.ts';
import { createNodeServer, hasSeveralHosts, isWebSocketUpgrade } from './node-server.ts';
import { createPathTable, pathOf } from './path-table.ts';
import { closingDetail, problem, problemContentType, retryAfterSeconds, writeProblem } from './problem.ts';

/** Connections that the kernel holds before they are accepted: after a restart all clients come at once. */
const backlog = 4096;

export type ListenAddress = {
  readonly host: string;
  readonly port: number;
  /** As somebody on this machine reaches it; `https` where the settings say TLS. */
  readonly url: string;
};

export type HttpListener = HttpSurface & {
  /** Adds routes; only before `listen`. */
  register(routes: FastifyPluginAsync): void;
  /** Resolves once connections are taken; rejects with a `Fault` that says what keeps it from that. */
  listen(): Promise<ListenAddress>;
  /**
   * Takes no new connection, ends those without a request in progress, answers 503 to what still comes on the others,
   * and waits for the rest, upgraded ones too. Those still open when the signal aborts are cut. Idempotent, never
   * rejects.
   */
  close(deadline: AbortSignal): Promise<void>;
};

export type HttpListenerOptions = {
  readonly settings: ListenSettings;
  /** Where the settings stand in the config: `listen` or `listen.operations`. */
  readonly section: string;
  readonly observer: Observer;
};

/** One server for everything that speaks HTTP. Throws a `Fault` for a certificate or key that cannot be used. */
export function createHttpListener({ settings, section, observer }: HttpListenerOptions): HttpListener {
  const upgrades = createPathTable<UpgradeHandler>();
  const requests = createPathTable<RequestHandler>();
  const guard = createGuard(observer);
  let closing: Promise<void> | undefined;

  const onRequest: RequestListener = (request, response) => {
    tracker.requested(response);
    if (closing) return answerEnding(response, 503, closingDetail, { 'Retry-After': retryAfterSeconds });
    if (hasSeveralHosts(request)) return answerEnding(response, 400, severalHostsDetail);
    const handler = requests.above(pathOf(request.url));
    if (!handler) return app.routing(request, response);
    guard(request.socket, () => handler(request, response));
  };
  const server = createNodeServer(settings, section, onRequest);
  const tracker = trackConnections(server, settings.tls !== undefined);
  const app = createHttpApp(server, observer);

  server.on('upgrade', (request, socket, head) => {
    // Without a listener a peer that resets the connection would end the process.
    socket.on('error', destroyThis);
    tracker.upgraded(socket);
    // Before Node 24.9 every kind of upgrade comes here.
    const handler = isWebSocketUpgrade(request.headers.upgrade) ? upgrades.at(pathOf(request.url)) : undefined;
    if (closing) return writeProblem(socket, 503, closingDetail, { 'Retry-After': String(retryAfterSeconds) });
    if (hasSeveralHosts(request)) return writeProblem(socket, 400, severalHostsDetail);
    if (!handler) return writeProblem(socket, 404);
    guard(socket, () => handler(request, socket, head));
  });
  server.on('drop', () => observer.observe({ kind: 'listener-full', connectionsMax: settings.connectionsMax }));

  return {
    onUpgrade: (path, handler) => upgrades.add(path, handler),
    onRequest: (pathPrefix, handler) => requests.add(pathPrefix, handler),
    register: (routes) => void app.register(routes),
    async listen() {
      await app.ready();
      try {
        await bind(server, settings);
      } catch (error) {
        throw listenFault(error, { section, host: settings.host, port: settings.port });
      }
      server.on('error', (error) => observer.observe({ kind: 'listener-fault', error }));
      return addressOf(server, settings);
    },
    close(deadline) {
      closing ??= close(server, app, tracker, deadline).catch((error: unknown) => {
        observer.observe({ kind: 'listener-fault', error });
      });
      return closing;
    },
  };
}

/** No closure of the upgrade's: that would keep its request, with its tokens, as long as the connection lasts. */
function destroyThis(this: Duplex): void {
  this.destroy();
}

/** A handler that throws in spite of its promise loses its own connection and no other. */
const createGuard =
  (observer: Observer) =>
  (socket: Duplex, handle: () => void): void => {
    try {
      handle();
    } catch (error) {
      observer.observe({ kind: 'listener-fault', error });
      socket.destroy();
    }
  };

const severalHostsDetail = 'The request must have one Host.';

/** Answers a request in the place of its routes, and ends the connection. */
function answerEnding(
  response: ServerResponse,
  status: number,
  detail: string,
  headers: Readonly<Record<string, number>> = {},
): void {
  response
    .writeHead(status, { 'Content-Type': problemContentType, Connection: 'close', ...headers })
    .end(JSON.stringify(problem(status, detail)));
}

function bind(server: Server, { host, port }: ListenSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function addressOf(server: Server, { host, tls }: ListenSettings): ListenAddress {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A listening TCP server has an address.');
  const near = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address.address] ?? address.address;
  const shown = near.includes(':') ? `[${near}]` : near;
  return { host, port: address.port, url: `${tls ? 'https' : 'http'}://${shown}:${address.port}` };
}

async function close(
  server: Server,
  app: FastifyInstance,
  tracker: ConnectionTracker,
  deadline: AbortSignal,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // An error here says that the server does not listen, which is what is wanted.
    server.close(() => resolve());
  });
  tracker.endIdle();
  const cut = () => tracker.cutAll();
  if (deadline.aborted) cut();
  else deadline.addEventListener('abort', cut, { once: true });
  await closed;
  deadline.removeEventListener('abort', cut);
  await app.close();
}

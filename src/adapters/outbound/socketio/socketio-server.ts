import { type IncomingMessage, ServerResponse } from 'node:http';
import { Server as Engine } from 'engine.io';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';
import { deflateOptions } from '../websocket-server.ts';
import { briefParser } from './brief-parser.ts';
import type { EngineSettings } from './engine-settings.ts';

/**
 * Engine.IO keeps the request of an upgrade until its socket closes, for middlewares that might ask for it. Here it goes
 * once the middlewares are done: that is 6 of the 16 kB of heap that a connection takes, and the tokens in its URL.
 */
class LeanEngine extends Engine {
  protected override _applyMiddlewares(
    request: IncomingMessage,
    response: ServerResponse,
    callback: (error?: unknown) => void,
  ): void {
    super._applyMiddlewares(request, response, (error: unknown) => {
      callback(error);
      // For an upgrade it is no ServerResponse, but something that stands for one.
      if (!(response instanceof ServerResponse)) (response as { req: unknown }).req = undefined;
    });
  }
}

/** A Socket.IO server on an Engine.IO one that listens nowhere: requests and upgrades are handed to the engine. */
export function createSocketioServer(settings: EngineSettings): { readonly io: Server; readonly engine: Engine } {
  const { allowPolling, corsOrigins, pingIntervalMs, pingTimeoutMs, pollingMsMax, frameBytesMax, perMessageDeflate } =
    settings;
  const engine = new LeanEngine({
    transports: allowPolling ? ['polling', 'websocket'] : ['websocket'],
    allowUpgrades: allowPolling,
    upgradeTimeout: pollingMsMax,
    allowEIO3: false,
    pingInterval: pingIntervalMs,
    pingTimeout: pingTimeoutMs,
    maxHttpBufferSize: frameBytesMax,
    perMessageDeflate: perMessageDeflate && deflateOptions,
    httpCompression: false,
    cookie: false,
    ...(corsOrigins.length > 0 ? { cors: { origin: corsOrigins.includes('*') ? '*' : corsOrigins } } : {}),
    // The ws that Engine.IO brings along answers any number of pings to a client that reads none of the answers.
    wsEngine: WebSocketServer,
  });
  const io = new Server({
    serveClient: false,
    connectTimeout: settings.connectTimeoutMs,
    cleanupEmptyChildNamespaces: false,
    parser: briefParser,
  });
  io.bind(engine);
  return { io, engine };
}

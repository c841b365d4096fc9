import { Server } from 'socket.io';
import { deflateOptions } from '../websocket-server.ts';
import { briefParser } from './brief-parser.ts';
import type { EngineSettings } from './engine-settings.ts';
import { LeanEngine } from './lean-engine.ts';

/** A Socket.IO server on an Engine.IO one that listens nowhere: requests and upgrades are handed to the engine. */
export function createSocketioServer(settings: EngineSettings): { readonly io: Server; readonly engine: LeanEngine } {
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

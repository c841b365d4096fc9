import { type Server, type ServerOptions, WebSocketServer } from 'ws';
import { deflatedBytesMin } from './deflated-frame.ts';
import { DirectWebSocket } from './direct-websocket.ts';

/** How long a client has to answer a close frame before its connection is cut. */
export const closingMsMax = 1000;

/**
 * For ws. Every message is compressed by itself, so that one can be compressed for all clients, and no connection keeps
 * the windows of zlib.
 */
export const deflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  threshold: deflatedBytesMin,
};

/** Takes over upgrades that it is handed, and listens nowhere. A larger message than this ends its connection (1009). */
export function createWebSocketServer(
  frameBytesMax: number,
  perMessageDeflate: boolean,
): Server<typeof DirectWebSocket> {
  // `closeTimeout` is not in the types of ws 8.18 yet.
  const options: ServerOptions<typeof DirectWebSocket> & { readonly closeTimeout: number } = {
    noServer: true,
    WebSocket: DirectWebSocket,
    clientTracking: false,
    perMessageDeflate: perMessageDeflate && deflateOptions,
    maxPayload: frameBytesMax,
    closeTimeout: closingMsMax,
  };
  return new WebSocketServer<typeof DirectWebSocket>(options);
}

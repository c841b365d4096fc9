import { type ServerOptions, WebSocketServer } from 'ws';

/** How long a client has to answer a close frame before its connection is cut. */
export const closingMsMax = 1000;

/** Takes over upgrades that it is handed, and listens nowhere. A larger message than this ends its connection (1009). */
export function createWebSocketServer(frameBytesMax: number): WebSocketServer {
  // `closeTimeout` is not in the types of ws 8.18 yet.
  const options: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: frameBytesMax,
    closeTimeout: closingMsMax,
  };
  return new WebSocketServer(options);
}

import { type IncomingMessage, ServerResponse } from 'node:http';
import { Server as Engine, type Socket as EngineSocket, type Transport } from 'engine.io';
import { type Server, type ServerOptions, WebSocketServer } from 'ws';
import { DirectWebSocket } from '../direct-websocket.ts';
import { closingMsMax } from '../websocket-server.ts';
import { DirectTransport, type UpgradeRequest } from './direct-transport.ts';

/**
 * The ws that Engine.IO brings along answers any number of pings to a client that reads none of the answers. And it
 * waits half a minute for one that has said or been told that it ends, and does not: still admitted, or counted nowhere.
 */
class DirectWebSocketServer extends WebSocketServer<typeof DirectWebSocket> {
  constructor(options: ServerOptions<typeof DirectWebSocket>) {
    // `closeTimeout` is not in the types of ws 8.18 yet.
    const own = { ...options, closeTimeout: closingMsMax, WebSocket: DirectWebSocket };
    super(own);
  }

  /** The answer to the upgrade is held for Engine.IO's first packet, and leaves with it in one system call. */
  override handleUpgrade(
    ...[request, socket, head, done]: Parameters<Server<typeof DirectWebSocket>['handleUpgrade']>
  ): void {
    socket.cork();
    // For one that polled before, and has no such packet to come. What is refused leaves with the end of the socket.
    setImmediate(() => socket.uncork());
    super.handleUpgrade(request, socket, head, done);
  }
}

/**
 * Engine.IO with less to keep for each connection (docs/performance.md). What it uses of Engine.IO 6.6 beyond its
 * documentation is here and in `DirectTransport`.
 */
export class LeanEngine extends Engine {
  constructor(options: ConstructorParameters<typeof Engine>[0]) {
    super({ ...options, wsEngine: DirectWebSocketServer });
    this.on('connection', (engineSocket: EngineSocket) => {
      // Engine.IO's own, which does what `forget` does.
      engineSocket.removeAllListeners('close');
      const { transport, request } = engineSocket;
      if (!(transport instanceof DirectTransport)) {
        engineSocket.once('upgrade', serveUpgraded);
        return;
      }
      transport.serve(engineSocket);
      // Else Engine.IO would let a second WebSocket take its place.
      engineSocket.upgraded = true;
      // The first packet has been written by now.
      request.socket.uncork();
    });
  }

  /** To be called when a connection has closed. */
  forget(engineSocket: EngineSocket): void {
    const { id } = engineSocket as unknown as { readonly id: string };
    delete this.clients[id];
    this.clientsCount -= 1;
  }

  protected override createTransport(
    name: Parameters<Engine['createTransport']>[0],
    request: IncomingMessage,
  ): Transport {
    if (name === 'websocket') return new DirectTransport(request as UpgradeRequest);
    return super.createTransport(name, request);
  }

  /**
   * Engine.IO keeps the request of an upgrade until its socket closes, for middlewares that might ask for it, and tells
   * them when that is. Here that goes once the middlewares are done: the request is 6 kB, and has the tokens of its URL.
   */
  protected override _applyMiddlewares(
    request: IncomingMessage,
    response: ServerResponse,
    callback: (error?: unknown) => void,
  ): void {
    // For an upgrade it is no ServerResponse, but something that stands for one, and has just begun to listen.
    const isUpgrade = !(response instanceof ServerResponse);
    const listener = isUpgrade ? request.socket.rawListeners('close').at(-1) : undefined;
    super._applyMiddlewares(request, response, (error: unknown) => {
      callback(error);
      if (isUpgrade) (response as { req: unknown }).req = undefined;
      if (listener) request.socket.off('close', listener as () => void);
    });
  }
}

function serveUpgraded(this: EngineSocket, transport: Transport): void {
  if (transport instanceof DirectTransport) transport.serve(this);
}

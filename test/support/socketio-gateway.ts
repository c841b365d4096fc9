import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

/** What a client is refused with, as `err.data`. */
export type Refusal = { readonly code: string; readonly retryAfterMs?: number };

/** The stock Socket.IO server, saying to its clients what a test wants said. */
export type SocketioGateway = AsyncDisposable & {
  readonly url: string;
  readonly io: Server;
  /** Those that were let in, in order. */
  readonly clients: readonly Socket[];
  /** How many tokens it has issued. */
  readonly tokensIssued: () => number;
};

export type SocketioGatewayOptions = {
  /** Whether it has a development issuer. Its tokens are `token-1`, `token-2`, … */
  readonly issues?: boolean;
  readonly admit?: (socket: Socket) => Refusal | undefined;
  /** While it is, no transport can be opened. */
  readonly isDown?: () => boolean;
};

export async function startSocketioGateway({
  issues = false,
  admit = () => undefined,
  isDown = () => false,
}: SocketioGatewayOptions = {}): Promise<SocketioGateway> {
  let issued = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (!issues || request.url !== '/v1/development/tokens') return response.writeHead(404).end();
    issued += 1;
    return response.writeHead(201).end(JSON.stringify({ token: `token-${issued}` }));
  });
  const io = new Server(server, {
    transports: ['websocket'],
    serveClient: false,
    allowRequest: (_request, answer) => answer(null, !isDown()),
  });
  const clients: Socket[] = [];
  io.use((socket, next) => {
    const data = admit(socket);
    next(data ? Object.assign(new Error('Not you'), { data }) : undefined);
  });
  io.on('connection', (socket) => void clients.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    io,
    clients,
    tokensIssued: () => issued,
    [Symbol.asyncDispose]: async () => {
      // The transport alone, which is what lets clients come back.
      for (const client of clients) client.conn.close();
      await io.close();
    },
  };
}

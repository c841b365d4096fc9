import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as TcpSocket } from 'node:net';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { type Socket as ClientSocket, io as connect, type ManagerOptions, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { type AdapterOptions, createAdapter } from '../../src/adapters/outbound/socketio/create-adapter.ts';
import { eventually } from './eventually.ts';

type ClientOptions = Partial<ManagerOptions & SocketOptions> & { readonly nsp?: string };

/** An event and its arguments, without acknowledgement callbacks. */
type Received = readonly unknown[];

export type AdapterClient = {
  readonly socket: ClientSocket;
  readonly received: Received[];
  /** What the server has of it. */
  readonly server: Socket;
};

/** What of a WebSocket connection is shut, listened to and counted. */
type WithTcpSocket = {
  readonly transport: {
    readonly socket?: { readonly _socket: TcpSocket };
    readonly ws?: { readonly _socket: TcpSocket };
  };
};

/** The server's end of the connection of a client that is on WebSocket. */
export const tcpSocketOf = ({ server }: AdapterClient): TcpSocket => {
  const socket = (server.conn as unknown as WithTcpSocket).transport.socket?._socket;
  if (!socket) throw new Error('is on no WebSocket');
  return socket;
};

/** The client's end. */
export const clientEndOf = ({ socket }: AdapterClient): TcpSocket => {
  const end = (socket.io.engine as unknown as WithTcpSocket).transport.ws?._socket;
  if (!end) throw new Error('is on no WebSocket');
  return end;
};

/** A stock Socket.IO server with the adapter. All is gone when the test is over. */
export async function startAdapter(options: AdapterOptions = {}, serverOptions: Partial<ServerOptions> = {}) {
  const http = createServer();
  const io = new Server(http, serverOptions);
  io.adapter(createAdapter(options));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  onTestFinished(async () => {
    await io.close();
    http.closeAllConnections();
  });
  const logOf = (socket: ClientSocket): Received[] => {
    const received: Received[] = [];
    socket.onAny((...args: unknown[]) => received.push(args.filter((value) => typeof value !== 'function')));
    return received;
  };
  const clientIn = async (socket: ClientSocket, nsp: string): Promise<AdapterClient> => {
    onTestFinished(() => void socket.disconnect());
    const received = logOf(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    const server = await eventually(() => {
      const found = io.of(nsp).sockets.get(socket.id ?? '');
      if (!found) throw new Error('is not connected');
      return found;
    });
    return { socket, received, server };
  };
  const client = ({ nsp = '/', ...clientOptions }: ClientOptions = {}): Promise<AdapterClient> =>
    clientIn(
      connect(`${url}${nsp}`, { transports: ['websocket'], forceNew: true, reconnection: false, ...clientOptions }),
      nsp,
    );
  return { io, http, port, url, client, clientIn };
}

export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

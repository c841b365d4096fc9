import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Which connections of a server are doing what, so that it can be closed without waiting for those that do nothing. */
export type ConnectionTracker = {
  /** A request has come; it is in progress until its response is out or its connection gone. */
  requested(response: ServerResponse): void;
  /** The connection is no longer the HTTP server's. */
  upgraded(socket: Duplex): void;
  /** Ends connections without a request in progress, and the others as soon as theirs is answered. */
  endIdle(): void;
  /** Ends every connection, upgraded ones too. */
  cutAll(): void;
};

/** What is used of Node's TLS sockets that their types do not show: the TCP socket inside. */
type TlsSocketInsides = Socket & { readonly _parent?: Socket };

/** @param secure whether the server speaks TLS, which has a socket of its own around each TCP socket. */
export function trackConnections(server: Server, secure: boolean): ConnectionTracker {
  const tcpSockets = new Set<Duplex>();
  /** Of those, the ones that have not agreed on TLS yet. */
  const agreeing = new Set<Duplex>();
  /** Of the connections that are the HTTP server's, how many requests. */
  const inProgress = new Map<Duplex, number>();
  let ending = false;

  server.on('connection', (socket: Socket) => {
    tcpSockets.add(socket);
    if (secure) agreeing.add(socket);
    socket.on('close', forget);
  });
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    const { _parent } = socket as TlsSocketInsides;
    if (_parent) agreeing.delete(_parent);
    inProgress.set(socket, 0);
    if (secure) socket.on('close', forget);
    if (ending) socket.destroy();
  });

  // One listener for all connections: `this` is the one that has closed.
  function forget(this: Duplex): void {
    tcpSockets.delete(this);
    agreeing.delete(this);
    inProgress.delete(this);
  }

  const count = (socket: Duplex, by: number): number => {
    const left = (inProgress.get(socket) ?? 0) + by;
    if (inProgress.has(socket)) inProgress.set(socket, left);
    return left;
  };

  return {
    requested(response) {
      const { socket } = response.req;
      count(socket, 1);
      response.once('close', () => {
        if (count(socket, -1) === 0 && ending) socket.destroySoon();
      });
    },
    upgraded: (socket) => void inProgress.delete(socket),
    endIdle() {
      ending = true;
      for (const [socket, requests] of inProgress) {
        if (requests === 0) socket.destroy();
      }
      // Nothing has been asked for, and the server would wait for them.
      for (const socket of agreeing) socket.destroy();
    },
    cutAll() {
      ending = true;
      for (const socket of tcpSockets) socket.destroy();
    },
  };
}

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket as EngineSocket } from 'engine.io';
import type { DisconnectReason, Namespace, Socket } from 'socket.io';
import type { Admission } from '../../../application/ports/admission.ts';
import type { DenialCode } from '../../../domain/denial.ts';
import { isOldClient } from './engine-transport.ts';
import type { Admitted, ConnectionHome, SocketioConnection } from './socketio-connection.ts';
import { letInBare } from './socketio-hall.ts';
import { connectRefusal, refusalText } from './socketio-refusal.ts';

export type AdmittingDependencies = {
  readonly home: ConnectionHome;
  readonly connections: ReadonlyMap<EngineSocket, SocketioConnection>;
  readonly connectionsMax: number;
  /** Clients of Engine.IO 3: let in like others, told a text when they are not; or let into `/` only, to no effect. */
  readonly oldClients: 'admit' | 'bare';
  readonly isOpen: () => boolean;
  /** Asks who it is, from what the client has sent. */
  readonly ask: (socket: Socket, signal: AbortSignal) => Promise<Admission>;
  /** Somebody is in; `connection` is admitted already. */
  readonly onAdmitted?: (socket: Socket, connection: SocketioConnection, admission: Admitted) => void;
};

/** For a client that cannot be let in now. Mostly its connection has ended already, and nobody reads it. */
const comeBackSoon: Admission = { kind: 'try-later', retryAfterMs: 1000 };

/**
 * Asks the application about everybody who connects to the namespace. It is done in the namespace's middleware, since
 * only from there does a client learn why it is refused.
 */
export function admitSockets(namespace: Namespace, dependencies: AdmittingDependencies): void {
  const { connections, home, oldClients } = dependencies;
  const granted = new WeakMap<Socket, Admitted>();
  const isBare = (socket: Socket): boolean => oldClients === 'bare' && isOldClient(socket.conn);

  namespace.use((socket, next) => {
    if (isBare(socket)) {
      next(namespace.name === '/' ? undefined : new Error('Invalid namespace'));
      return;
    }
    void decide(socket, dependencies).then((admission) => {
      if (admission.kind === 'admitted') granted.set(socket, admission);
      // Called even when the connection has ended: until then Socket.IO keeps the socket.
      next(admission.kind === 'admitted' ? undefined : refusalFor(socket, admission));
    });
  });

  namespace.on('connection', (socket) => {
    if (isBare(socket)) {
      letInBare(socket);
      return;
    }
    const connection = connections.get(socket.conn);
    const admission = granted.get(socket);
    granted.delete(socket);
    if (!admission || !connection?.is('admitting') || !connection.belongsTo(home)) return;
    forgetHandshake(socket);
    forgetUnused(socket);
    socket.on('disconnect', endIfLeft);
    connection.admit(connectionId(socket), admission, home);
    dependencies.onAdmitted?.(socket, connection, admission);
  });

  /** A client that leaves the one namespace that it is in has no use for its connection. */
  function endIfLeft(this: Socket, reason: DisconnectReason): void {
    if (reason !== 'client namespace disconnect') return;
    connections.get(this.conn)?.leave('client_left');
  }
}

/** What the connection is called. The id of an old client's socket is made of the one that its session is kept by. */
export function connectionId(socket: Socket): string {
  if (!isOldClient(socket.conn)) return socket.id;
  const data = socket.data as { id?: string };
  data.id ??= randomUUID();
  return data.id;
}

/** Old clients are handed what stands in the error's data, and programs written for them expect a text. */
const refusalFor = (socket: Socket, admission: Exclude<Admission, { kind: 'admitted' }>): Error =>
  isOldClient(socket.conn) ? new Error(refusalText(admission)) : connectRefusal(admission);

async function decide(socket: Socket, dependencies: AdmittingDependencies): Promise<Admission> {
  const { home, connections, connectionsMax, isOpen } = dependencies;
  const { endpoint, observer, counts } = home;
  const connection = connections.get(socket.conn);
  const denied = (code: DenialCode, reason: string): Admission => {
    observer.observe({ kind: 'access-denied', endpoint, connection: connectionId(socket), code, reason });
    return { kind: 'denied', denial: { code, reason } };
  };
  if (!connection || connection.is('ended') || !isOpen()) return comeBackSoon;
  if (!connection.is('waiting')) {
    if (!connection.belongsTo(home)) return denied('connection_in_use', 'its connection is in another namespace');
    if (connection.is('admitting')) connection.comeBack('connect_twice');
    return comeBackSoon;
  }
  if (counts.admitting + counts.admitted >= connectionsMax) {
    return denied('connections_too_many', `there are ${connectionsMax} connections already`);
  }
  const signal = connection.beginAdmission(home);
  const admission = await askSafely(socket, dependencies, signal);
  if (admission.kind !== 'admitted') connection.refuse();
  return admission;
}

async function askSafely(
  socket: Socket,
  { ask, home }: AdmittingDependencies,
  signal: AbortSignal,
): Promise<Admission> {
  try {
    return await ask(socket, signal);
  } catch (error) {
    home.observer.observe({ kind: 'access-unknown', endpoint: home.endpoint, connection: connectionId(socket), error });
    return comeBackSoon;
  }
}

/**
 * Socket.IO keeps the first request and a copy of what is in it, tokens included, as long as the connection lasts.
 * https://socket.io/docs/v4/memory-usage/
 */
function forgetHandshake(socket: Socket): void {
  (socket.conn as { request: IncomingMessage | null }).request = null;
  (socket as { handshake: unknown }).handshake = undefined;
}

/** Nobody is asked for an acknowledgement through Socket.IO, and no packet has flags. */
const noAcks = new Map();
const noFlags = {};

/** What Socket.IO keeps for what no endpoint does. */
function forgetUnused(socket: Socket): void {
  // It puts everybody into a room of its own; nothing is ever sent there.
  socket.nsp.adapter.delAll(socket.id);
  Object.assign(socket, { acks: noAcks, flags: noFlags });
}

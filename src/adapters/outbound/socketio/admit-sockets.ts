import type { IncomingMessage } from 'node:http';
import type { Socket as EngineSocket } from 'engine.io';
import type { DisconnectReason, Namespace, Socket } from 'socket.io';
import type { Admission, ConnectionAdmission } from '../../../application/ports/admission.ts';
import { askAdmission } from '../ask-admission.ts';
import { presentedBy } from '../presented-by.ts';
import type { Admitted, ConnectionHome, SocketioConnection } from './socketio-connection.ts';
import { connectRefusal } from './socketio-refusal.ts';

export type AdmittingDependencies = {
  readonly home: ConnectionHome;
  readonly connections: ReadonlyMap<EngineSocket, SocketioConnection>;
  readonly connectionsMax: number;
  readonly admission: ConnectionAdmission;
};

/** For a client that cannot be let in now. Mostly its connection has ended already, and nobody reads it. */
const comeBackSoon: Admission = { kind: 'try-later', retryAfterMs: 1000 };

/**
 * Asks the application about everybody who connects to the namespace. It is done in the namespace's middleware, since
 * only from there does a client learn why it is refused.
 */
export function admitSockets(namespace: Namespace, dependencies: AdmittingDependencies): void {
  const { connections } = dependencies;
  const granted = new WeakMap<Socket, Admitted>();

  namespace.use((socket, next) => {
    void decide(socket, dependencies).then((admission) => {
      if (admission.kind === 'admitted') granted.set(socket, admission);
      // Called even when the connection has ended: until then Socket.IO keeps the socket.
      next(admission.kind === 'admitted' ? undefined : connectRefusal(admission));
    });
  });

  namespace.on('connection', (socket) => {
    const connection = connections.get(socket.conn);
    const admission = granted.get(socket);
    if (!admission || !connection?.is('admitting')) return;
    forgetHandshake(socket);
    // Socket.IO puts everybody into a room of its own; nothing is ever sent there.
    void socket.leave(socket.id);
    socket.on('disconnect', endIfLeft);
    connection.admit(socket.id, admission);
  });

  /** A client that leaves the one namespace there is has no use for its connection. */
  function endIfLeft(this: Socket, reason: DisconnectReason): void {
    if (reason !== 'client namespace disconnect') return;
    connections.get(this.conn)?.end('client_left');
    this.conn.close();
  }
}

async function decide(socket: Socket, dependencies: AdmittingDependencies): Promise<Admission> {
  const { home, connections, connectionsMax } = dependencies;
  const { endpoint, observer, counts } = home;
  const connection = connections.get(socket.conn);
  if (!connection || connection.is('ended')) return comeBackSoon;
  if (connection.is('admitting')) {
    connection.comeBack('connect_twice');
    return comeBackSoon;
  }
  if (counts.admitting + counts.admitted >= connectionsMax) {
    const denial = { code: 'connections_too_many', reason: `there are ${connectionsMax} connections already` } as const;
    observer.observe({ kind: 'access-denied', endpoint, connection: socket.id, ...denial });
    return { kind: 'denied', denial };
  }
  const signal = connection.beginAdmission();
  const admission = await ask(socket, dependencies, signal);
  if (admission.kind !== 'admitted') connection.refuse();
  return admission;
}

async function ask(
  socket: Socket,
  { admission, home }: AdmittingDependencies,
  signal: AbortSignal,
): Promise<Admission> {
  const { request, handshake } = socket;
  const presented = presentedBy({ url: request.url ?? '', headers: request.headersDistinct, auth: handshake.auth });
  return askAdmission({ ...home, admission }, socket.id, presented, signal);
}

/**
 * Socket.IO keeps the first request and a copy of what is in it, tokens included, as long as the connection lasts.
 * https://socket.io/docs/v4/memory-usage/
 */
function forgetHandshake(socket: Socket): void {
  (socket.conn as { request: IncomingMessage | null }).request = null;
  (socket as { handshake: unknown }).handshake = undefined;
}

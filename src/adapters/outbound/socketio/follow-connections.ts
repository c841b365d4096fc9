import type { Socket as EngineSocket } from 'engine.io';
import type { Clock } from '../../../application/ports/clock.ts';
import type { EngineSettings } from './engine-settings.ts';
import { dropUnsent, isOldClient, isPolling } from './engine-transport.ts';
import type { LeanEngine } from './lean-engine.ts';
import { SocketioConnection } from './socketio-connection.ts';

/** A refused client may try another token on its connection, but not go on and on. */
const connectsMax = 10;
/** A CONNECT packet of whatever namespace. */
const connectPacket = '0';

/**
 * Follows every connection of an engine from its opening to its end. What the map holds is open or about to close.
 *
 * @param isOpen whether new connections are taken.
 */
export function followConnections(
  engine: LeanEngine,
  { pollingMsMax, connectTimeoutMs }: EngineSettings,
  clock: Clock,
  isOpen: () => boolean,
): ReadonlyMap<EngineSocket, SocketioConnection> {
  const connections = new Map<EngineSocket, SocketioConnection>();
  engine.on('connection', (engineSocket: EngineSocket) => {
    const connection = new SocketioConnection(engineSocket, clock);
    connections.set(engineSocket, connection);
    if (isPolling(engineSocket)) connection.limitPolling(pollingMsMax);
    // Socket.IO's own limit is for those that are in no namespace, and an old client is in `/` unasked.
    if (isOldClient(engineSocket)) connection.limitWaiting(connectTimeoutMs);
    engineSocket.on('data', countConnects);
    engineSocket.on('close', forget);
    // Between its request and now the gateway may have begun to close.
    if (!isOpen()) connection.comeBack('gateway_closing');
  });
  return connections;

  // One listener for all connections: `this` is the one that has something to say.
  function countConnects(this: EngineSocket, packet: unknown): void {
    if (typeof packet !== 'string' || !packet.startsWith(connectPacket)) return;
    const connection = connections.get(this);
    if (connection && connection.countConnect() > connectsMax) connection.comeBack('connects_too_many');
  }

  function forget(this: EngineSocket, reason: string): void {
    connections.get(this)?.end(reason.replaceAll(' ', '_'));
    connections.delete(this);
    engine.forget(this);
    dropUnsent(this);
  }
}

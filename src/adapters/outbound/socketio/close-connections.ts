import type { ConnectionHome } from './socketio-connection.ts';
import type { SocketioHall } from './socketio-hall.ts';

/** Writes what the connections of an endpoint are owed, then ends each of them so that its client comes back. */
export async function closeConnections(
  hall: SocketioHall,
  home: ConnectionHome,
  deadline: AbortSignal,
): Promise<{ flushed: number; cut: number }> {
  hall.beginToClose();
  for (const connection of hall.connections.values()) {
    if (connection.belongsTo(home) && connection.is('admitting')) connection.comeBack('gateway_closing');
  }
  await home.queues.flushed(deadline);
  const result = { flushed: 0, cut: 0 };
  for (const connection of hall.connections.values()) {
    if (!connection.belongsTo(home)) continue;
    if (connection.is('admitted')) result[connection.isBehind ? 'cut' : 'flushed'] += 1;
    if (connection.isBehind) connection.observeCut(connection.queuedBytes);
    connection.comeBack('gateway_closing');
  }
  // Those who came while this endpoint closed, and were told to come back.
  hall.beginToClose();
  return result;
}

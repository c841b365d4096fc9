import { once } from 'node:events';
import type { Server } from 'node:http';

/** Ends a test's server with the connections that it has; nothing to do when it does not listen. */
export async function stopServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { consumeFeed } from './consume-feed.ts';
import type { IncomingEvent } from './incoming-event.ts';

/**
 * An HTTP server that takes lists of events at `POST /v1/events`, as little as it can do for that, and hands each over in
 * its turn. Where the environment names a
 * broker it takes them from there as well.
 */
export function createEventServer(take: (event: IncomingEvent) => void): Server {
  return createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      for (const event of JSON.parse(Buffer.concat(parts).toString()) as IncomingEvent[]) take(event);
      response.writeHead(202).end();
    });
  });
}

/** Says on the standard output where it listens. */
export async function listen(server: Server, take: (event: IncomingEvent) => void): Promise<void> {
  await consumeFeed(({ stream, text, attributes }) => take({ stream, data: JSON.parse(text()), attributes }));
  // As many may wait as the bench opens at once.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 });
  await once(server, 'listening');
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`);
}

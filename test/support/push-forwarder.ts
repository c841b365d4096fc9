import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { post } from './http-publishing.ts';
import { stopServer } from './stop-server.ts';

/**
 * Stands between the emulator and a push source. It adds what Pub/Sub itself sends and the emulator leaves out: the
 * signed token, and the ordering key. It adds nothing else, and neither loses nor repeats a push.
 */
export type PushForwarder = {
  readonly url: string;
  /** Where pushes go from here on. */
  forwardTo(url: string): void;
  /** Of a message that is about to be pushed. */
  keyOf(id: string, key: string): void;
  /** Holds pushes back until the promise is settled: a push may be faster than the answer to who published it. */
  holdUntil(promise: Promise<unknown>): void;
  /** Ids of messages that were published or pushed, and not acknowledged since. */
  readonly unacknowledged: ReadonlySet<string>;
  /** When the last one came in of those that wait for an answer, by `Date.now()`. */
  readonly waitingSince: number | undefined;
  /** Statuses that were passed on, in order. */
  readonly statuses: readonly number[];
  close(): Promise<void>;
};

export async function startPushForwarder(authorization: () => Promise<string>): Promise<PushForwarder> {
  const keys = new Map<string, string>();
  const unacknowledged = new Set<string>();
  const waiting = new Map<IncomingMessage, number>();
  const statuses: number[] = [];
  let target = '';
  let held: Promise<unknown> = Promise.resolve();

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    waiting.set(request, Date.now());
    const push = JSON.parse((await request.toArray()).join(''));
    await held;
    const { messageId } = push.message;
    unacknowledged.add(messageId);
    const orderingKey = keys.get(messageId);
    const message = orderingKey ? { ...push.message, orderingKey } : push.message;
    const headers = { 'content-type': 'application/json', authorization: await authorization() };
    const { status } = await post(target, JSON.stringify({ ...push, message }), headers);
    waiting.delete(request);
    statuses.push(status);
    if (status === 204) unacknowledged.delete(messageId);
    else unacknowledged.add(messageId);
    response.writeHead(status, { connection: 'close' }).end();
  }

  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.writeHead(502, { connection: 'close' }).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    unacknowledged,
    statuses,
    get waitingSince() {
      return waiting.size === 0 ? undefined : Math.max(...waiting.values());
    },
    forwardTo(url) {
      target = url;
    },
    keyOf(id, key) {
      keys.set(id, key);
      unacknowledged.add(id);
    },
    holdUntil(promise) {
      const before = held;
      held = promise.then(
        () => before,
        () => before,
      );
    },
    close: () => stopServer(server),
  };
}

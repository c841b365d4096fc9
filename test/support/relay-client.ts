import { once } from 'node:events';
import { expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** An event as brainlife's clients get it. */
export type RelayFrame = {
  readonly headers: Record<string, unknown>;
  readonly dinfo: Record<string, unknown>;
  readonly msg: unknown;
};

/** A bare WebSocket client that keeps what it receives. */
export type RelayClient = {
  readonly socket: WebSocket;
  /** Messages as they came. */
  readonly texts: readonly string[];
  /** The same, parsed. */
  readonly messages: readonly unknown[];
  /** Those that are events. */
  readonly frames: readonly RelayFrame[];
  /** Those that are errors. */
  readonly errors: readonly unknown[];
  /** How it ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(message: unknown): void;
  bind(ex: string, key: string): void;
  /** Resolves when the answer says that it is bound. */
  bound(ex: string, key: string): Promise<void>;
};

const isFrame = (message: unknown): message is RelayFrame =>
  typeof message === 'object' && message !== null && 'dinfo' in message;

/** Follows a socket from its making on. */
export function followRelay(socket: WebSocket): RelayClient {
  const texts: string[] = [];
  const messages: unknown[] = [];
  let ids = 0;
  socket.on('message', (data) => {
    // One Buffer, whatever the types say: `binaryType` is left as it is.
    const text = (data as Buffer).toString();
    texts.push(text);
    messages.push(JSON.parse(text));
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  const send = (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  return {
    socket,
    texts,
    messages,
    get frames() {
      return messages.filter(isFrame);
    },
    get errors() {
      return messages.filter((message) => typeof message === 'object' && message !== null && 'error' in message);
    },
    closed,
    send,
    bind: (ex, key) => send({ bind: { ex, key } }),
    async bound(ex, key) {
      ids += 1;
      const id = `bound-${ids}`;
      send({ bind: { ex, key, id } });
      await eventually(() => expect(messages).toContainEqual({ bound: { ex, key, id } }));
    },
  };
}

/** @param url `ws://…`, with the token in it. Resolves once the upgrade is done; nothing says whether it is admitted. */
export async function openRelay(url: string): Promise<RelayClient> {
  const client = followRelay(new WebSocket(url));
  onTestFinished(() => client.socket.terminate());
  await once(client.socket, 'open');
  return client;
}

/** For what must not have come: whatever was on its way has come by then, since the client's own pong is behind it. */
export async function settled({ socket }: Pick<RelayClient, 'socket'>): Promise<void> {
  const pong = once(socket, 'pong');
  socket.ping();
  await pong;
}

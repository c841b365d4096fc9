import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** The end of a record. */
export const end = '\x1e';

/** A client of a hub that says exactly what a test wants said, and keeps what it receives. */
export type HubClient = {
  readonly socket: WebSocket;
  /** Messages as they came: text as text, bytes as bytes. */
  readonly frames: readonly (string | Buffer)[];
  /** The records of text messages, without their ends. */
  readonly records: readonly string[];
  /** How it ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  /** Sends one message; text as text, bytes as bytes. */
  send(data: string | Uint8Array): void;
  /** Sends a record of JSON. */
  say(record: unknown): void;
  /** Shakes hands, for JSON. */
  greet(): Promise<void>;
};

/** @param url `ws://…`. Resolves once the upgrade is done. */
export async function openHub(url: string, options: ClientOptions = {}): Promise<HubClient> {
  const socket = new WebSocket(url, options);
  const frames: (string | Buffer)[] = [];
  socket.on('message', (data, isBinary) => frames.push(isBinary ? (data as Buffer) : (data as Buffer).toString()));
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  await once(socket, 'open');
  const send = (data: string | Uint8Array) => socket.send(data);
  return {
    socket,
    frames,
    get records() {
      return frames.flatMap((frame) => (typeof frame === 'string' ? frame.split(end).slice(0, -1) : []));
    },
    closed,
    send,
    say: (record) => send(`${JSON.stringify(record)}${end}`),
    async greet() {
      send(`{"protocol":"json","version":1}${end}`);
      await eventually(() => expect(frames[0]).toBe(`{}${end}`));
    },
  };
}

export type UpgradeAnswer = {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
};

/** What an upgrade is refused with. */
export async function refusedUpgrade(url: string, options: ClientOptions = {}): Promise<UpgradeAnswer> {
  const socket = new WebSocket(url, options);
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  const [, response] = await once(socket, 'unexpected-response');
  const body = await text(response);
  return { status: response.statusCode, headers: response.headers, body };
}

import { createRequire } from 'node:module';
import { expect, onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/** What all versions of the client have in common. */
export type AnySocket = {
  readonly connected: boolean;
  on(name: string, listener: (...args: unknown[]) => void): void;
  emit(name: string, ...args: unknown[]): void;
  disconnect(): void;
  readonly io: { readonly engine: { close(): void } };
};

type Connect = (url: string, options: object) => AnySocket;

const require = createRequire(import.meta.url);
const connectOf = (loaded: unknown): Connect =>
  typeof loaded === 'function' ? (loaded as Connect) : (loaded as { readonly io: Connect }).io;

/** The libraries that are in the field (avaya-spaces section 1), and the newest. */
export const libraries = {
  '1.7.3': connectOf(require('socket.io-client-1')),
  '2.0.4': connectOf(require('socket.io-client-2.0')),
  '2.4.0': connectOf(require('socket.io-client-2.4')),
  newest: connectOf(require('socket.io-client')),
} as const;
export type Version = keyof typeof libraries;
export const oldVersions = ['1.7.3', '2.0.4', '2.4.0'] as const;

export type Body = Readonly<Record<string, unknown>>;
export type SpacesEvent = readonly [name: string, body: Body];

const heard = [
  ...['connect', 'error', 'connect_error', 'disconnect'],
  ...['CHANNEL_SUBSCRIBED', 'SUBSCRIBE_CHANNEL_FAILED', 'CHANNEL_UNSUBSCRIBED', 'MESSAGE_SENT', 'SEND_MESSAGE_FAILED'],
  ...['PRESENCE_EVENT_RESPONSE', 'MEDIA_SESSION_RESPONSE', 'APP_PAIRING_AUTHORIZED'],
] as const;
export type Heard = (typeof heard)[number];

/** A client of Spaces, which keeps what it hears. */
export type SpacesClient = {
  readonly socket: AnySocket;
  readonly events: SpacesEvent[];
  /** Everything of one name. */
  of(name: Heard): readonly Body[];
  emit(name: string, body: unknown): void;
  subscribe(space: string, more?: Body): Promise<Body>;
  say(space: string, bodyText: string, more?: Body): void;
  /** The texts of the messages of a space. */
  texts(space: string): readonly string[];
  /** Ends its connection without a word. */
  vanish(): void;
};

export type ClientOptions = {
  readonly version?: Version;
  readonly query?: Body | string;
  readonly transports?: readonly string[] | undefined;
  readonly path?: string;
  readonly namespace?: string;
};

/** Not connected yet. */
export function spacesClient(url: string, options: ClientOptions = {}): SpacesClient {
  const { version = '1.7.3', query, transports = ['websocket'], path = '/socket.io/', namespace = '/chat' } = options;
  const socket = libraries[version](url + namespace, {
    transports,
    query,
    path,
    forceNew: true,
    reconnectionDelay: 50,
  });
  onTestFinished(() => socket.disconnect());
  const events: SpacesEvent[] = [];
  for (const name of heard) socket.on(name, (body) => void events.push([name, body as Body]));
  const client: SpacesClient = {
    socket,
    events,
    of: (name) => events.filter(([each]) => each === name).map(([, body]) => body),
    emit: (name, body) => socket.emit(name, body),
    async subscribe(space, more = {}) {
      const before = client.of('CHANNEL_SUBSCRIBED').length;
      client.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: space, ...more } });
      return eventually(() => {
        const answer = client.of('CHANNEL_SUBSCRIBED')[before];
        if (!answer) throw new Error(`no answer in ${JSON.stringify(events)}`);
        return answer;
      });
    },
    say(space, bodyText, more = {}) {
      client.emit('SEND_MESSAGE', { content: { bodyText }, category: 'chat', topicId: space, ...more });
    },
    texts: (space) =>
      client
        .of('MESSAGE_SENT')
        .filter(({ topicId }) => topicId === space)
        .map(({ content }) => String((content as Body)['bodyText'])),
    vanish: () => socket.io.engine.close(),
  };
  return client;
}

/** Resolves when it is let in. */
export async function connectedSpacesClient(url: string, options: ClientOptions = {}): Promise<SpacesClient> {
  const client = spacesClient(url, options);
  await eventually(() => expect(client.events.map(([name]) => name)).toContain('connect'));
  return client;
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { SendBudget } from '../../src/adapters/outbound/send-budget.ts';
import { createSocketioEndpoint } from '../../src/adapters/outbound/socketio/socketio-endpoint.ts';
import { socketioSettings } from '../../src/adapters/outbound/socketio/socketio-settings.ts';
import type { Admission, Presented } from '../../src/application/ports/admission.ts';
import type { HttpSurface } from '../../src/application/ports/http-surface.ts';
import { anonymous } from '../../src/domain/principal.ts';
import type { RoomName } from '../../src/domain/room.ts';
import { eventually } from './eventually.ts';
import { startListener } from './listener-fixture.ts';
import { ManualClock } from './manual-clock.ts';
import { openRawConnection, type RawConnection } from './raw-connection.ts';

/** Lets somebody into rooms. */
export const admitted = (rooms: readonly string[], closesAt?: number): Admission => ({
  kind: 'admitted',
  session: { connection: '', principal: anonymous, variables: new Map(), tokens: new Map() },
  rooms: rooms as readonly RoomName[],
  closesAt,
});

export const toRooms = (...rooms: readonly string[]) => ({ rooms: rooms as readonly RoomName[], patterns: [] });

/** What a `ConnectionAdmission` does. */
type Admit = (connection: string, presented: Presented, signal: AbortSignal) => Promise<Admission>;

/** Everybody gets the rooms that they ask for with `auth.rooms`, by comma. */
const roomsOnDemand: Admit = async (_, presented) =>
  admitted(presented.read('auth.rooms').flatMap((text) => text.split(',')));

/** A listener with one Socket.IO endpoint that is open. All is gone when the test is over. */
export async function startEndpoint(
  settings: Readonly<Record<string, unknown>> = {},
  admit: Admit = roomsOnDemand,
  queuesBytesMax = Number.MAX_SAFE_INTEGER,
) {
  const { listener, address, observer, [Symbol.asyncDispose]: stop } = await startListener();
  onTestFinished(stop);
  const clock = new ManualClock();
  const pressure: boolean[] = [];
  const upgrades: WeakRef<IncomingMessage>[] = [];
  const sockets: Duplex[] = [];
  /** What happens right after an upgrade was handed over. */
  const hooks = { upgraded: () => {} };
  const surface: HttpSurface = {
    onUpgrade: (path, handler) =>
      listener.onUpgrade(path, (request, socket, head) => {
        upgrades.push(new WeakRef(request));
        sockets.push(socket);
        handler(request, socket, head);
        hooks.upgraded();
      }),
    onRequest: (path, handler) => listener.onRequest(path, handler),
  };
  const budget = new SendBudget(queuesBytesMax, clock, (paused) => pressure.push(paused));
  const start = async (name: string, own: Readonly<Record<string, unknown>>) => {
    const endpoint = createSocketioEndpoint(name, socketioSettings.parse(own), {
      admission: { admit },
      observer,
      clock,
      surface,
      budget,
    });
    await endpoint.open();
    onTestFinished(() => void endpoint.close(AbortSignal.abort()));
    return endpoint;
  };
  const endpoint = await start('socketio', settings);
  return { endpoint, start, ...address, observer, clock, budget, pressure, upgrades, sockets, hooks };
}

export type Received = readonly [name: string, data: unknown, meta: Readonly<Record<string, unknown>>];
export type StockClient = { readonly socket: Socket; readonly received: Received[] };

/** The stock client as documented, which keeps what it receives; not connected yet. */
export function stockClient(url: string, options: Partial<ManagerOptions & SocketOptions> = {}): StockClient {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, ...options });
  onTestFinished(() => void socket.disconnect());
  const received: Received[] = [];
  socket.onAny((...args: [string, unknown, Record<string, unknown>]) => received.push(args));
  return { socket, received };
}

export async function connectedClient(
  url: string,
  rooms: readonly string[],
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<StockClient> {
  const client = stockClient(url, { auth: { rooms: rooms.join() }, ...options });
  await new Promise<void>((resolve, reject) => {
    client.socket.once('connect', resolve);
    client.socket.once('connect_error', reject);
  });
  return client;
}

export type ConnectError = Error & { readonly data?: Readonly<Record<string, unknown>> };

/** What the stock client learns when it is not let in. */
export const connectError = (client: StockClient): Promise<ConnectError> =>
  new Promise((resolve, reject) => {
    client.socket.once('connect_error', resolve);
    client.socket.once('connect', () => reject(new Error('was let in')));
  });

/** A client that speaks in WebSocket messages. */
export type RawClient = {
  readonly websocket: WebSocket;
  readonly messages: string[];
  readonly closed: Promise<number>;
  send(message: string): void;
  receives(pattern: RegExp): Promise<string>;
};

export async function rawClient(
  url: string,
  query = 'EIO=4&transport=websocket',
  path = '/socket.io/',
): Promise<RawClient> {
  const websocket = new WebSocket(`${url.replace('http', 'ws')}${path}?${query}`, { perMessageDeflate: false });
  onTestFinished(() => websocket.terminate());
  const messages: string[] = [];
  websocket.on('message', (data: Buffer) => void messages.push(data.toString()));
  const closed = new Promise<number>((resolve) => websocket.on('close', resolve));
  await new Promise<void>((resolve, reject) => {
    websocket.once('open', resolve);
    websocket.once('error', reject);
  });
  websocket.on('error', () => undefined);
  return {
    websocket,
    messages,
    closed,
    send: (message) => websocket.send(message),
    receives: (pattern) =>
      eventually(() => {
        const found = messages.find((message) => pattern.test(message));
        if (found === undefined) throw new Error(`${pattern} is not in ${JSON.stringify(messages)}`);
        return found;
      }),
  };
}

const upgradeRequest =
  'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A text frame with a mask of zeros (RFC 6455 section 5.2), for texts below 126 bytes. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.of(0x81, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

/** A client that is a bare TCP connection, admitted to rooms: it answers nothing and reads only while it is told to. */
export async function tcpClient(port: number, rooms: readonly string[]): Promise<RawConnection> {
  const connection = await openRawConnection(port);
  onTestFinished(() => connection[Symbol.asyncDispose]());
  connection.send(upgradeRequest);
  await connection.receives(/\r\n\r\n.*0\{"sid"/s);
  connection.send(clientFrame(`40${JSON.stringify({ rooms: rooms.join() })}`));
  await connection.receives(/40\{"sid"/);
  return connection;
}

/** Remembers what was read from each client. */
export function recordingAdmission(places: readonly string[]) {
  const seen: Record<string, readonly string[]>[] = [];
  const admit = async (_: string, presented: Presented): Promise<Admission> => {
    seen.push(Object.fromEntries(places.map((place) => [place, presented.read(place)])));
    return admitted([]);
  };
  return { seen, admit };
}

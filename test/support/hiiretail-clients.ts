import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** What a handler is called with: the event's name, and every argument that came with it. */
export type ReceivedEvent = readonly [name: string, ...args: unknown[]];

/** What a client presents; as in the real system's samples, tokens are bare. */
export type Presents = {
  readonly token?: unknown;
  readonly query?: Readonly<Record<string, unknown>>;
};

/** A client that was let in, and keeps what it receives. */
export type HiiretailClient = Disposable & {
  /** Socket.IO's id of the connection, which is the connection id of the rooms. */
  readonly id: string;
  readonly received: readonly ReceivedEvent[];
};

export type StockClient = HiiretailClient & { readonly socket: Socket };

/** What a client that was not let in learns. */
export type ConnectRefusal = {
  readonly message: string;
  readonly data: { readonly code?: string; readonly retryAfterMs?: number } | undefined;
};

/** The stock client, as the real system's page shows it, not yet connected. */
export const stockSocket = (url: string, { token, query = {} }: Presents): Socket =>
  io(url, {
    transports: ['websocket'],
    ...(token === undefined ? {} : { auth: { token } }),
    query: { ...query },
    forceNew: true,
  });

/** Rejects with the refusal when the gateway refuses. */
export async function connectStock(url: string, presents: Presents): Promise<StockClient> {
  const socket = stockSocket(url, presents);
  const received: ReceivedEvent[] = [];
  socket.onAny((...event: [string, ...unknown[]]) => received.push(event));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
  const { id = '' } = socket;
  return { socket, id, received, [Symbol.dispose]: () => void socket.disconnect() };
}

/** Why the stock client is not let in; rejects when it is. */
export async function refusalOf(url: string, presents: Presents): Promise<ConnectRefusal> {
  const socket = stockSocket(url, presents);
  try {
    return await new Promise((resolve, reject) => {
      socket.once('connect_error', ({ message, ...error }) =>
        resolve({ message, data: (error as { data?: ConnectRefusal['data'] }).data }),
      );
      socket.once('connect', () => reject(new Error('was let in')));
    });
  } finally {
    socket.disconnect();
  }
}

/** `let in`, or the code of the refusal. */
export async function outcomeOf(url: string, presents: Presents): Promise<string> {
  try {
    using _ = await connectStock(url, presents);
    return 'let in';
  } catch (error) {
    return (error as Partial<ConnectRefusal>).data?.code ?? String(error);
  }
}

/** A client that writes the query of its URL itself, and keeps every packet as it came. */
export type RawClient = HiiretailClient & {
  readonly packets: readonly string[];
  send(packet: string): void;
};

/** Speaks Engine.IO and Socket.IO by hand. Rejects with the packet `44` when the gateway refuses. */
export async function connectRaw(url: string, query: string, token: string): Promise<RawClient> {
  const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${query}`;
  const websocket = new WebSocket(address, { perMessageDeflate: false });
  const packets: string[] = [];
  const received: ReceivedEvent[] = [];
  websocket.on('message', (data: Buffer) => {
    const packet = data.toString();
    packets.push(packet);
    if (packet === '2') websocket.send('3');
    if (packet.startsWith('0')) websocket.send(`40${JSON.stringify({ token })}`);
    if (packet.startsWith('42[')) received.push(JSON.parse(packet.slice(2)));
  });
  await new Promise<void>((resolve, reject) => {
    websocket.once('open', resolve);
    websocket.once('error', reject);
  });
  const answer = await eventually(() => {
    const packet = packets.find((each) => /^4[04]\{/.test(each));
    if (packet === undefined) throw new Error(`no answer to CONNECT in ${JSON.stringify(packets)}`);
    return packet;
  });
  if (answer.startsWith('44')) {
    websocket.terminate();
    throw new Error(answer);
  }
  const { sid } = JSON.parse(answer.slice(2)) as { sid: string };
  return {
    id: sid,
    received,
    packets,
    send: (packet) => websocket.send(packet),
    [Symbol.dispose]: () => websocket.terminate(),
  };
}

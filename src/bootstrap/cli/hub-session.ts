import type { ReceivedEvent } from './event-line.ts';

/** How one connection to a hub ended. `lost`: it may be made again. `refused`: not by itself. */
export type HubEnd = { readonly kind: 'enough' } | { readonly kind: 'lost' | 'refused'; readonly reason: string };

export type HubSession = {
  /** `ws://…`, with its query and the id that was negotiated. */
  readonly url: string;
  readonly token: string | undefined;
  readonly onConnected: () => void;
  readonly onEvent: (event: ReceivedEvent) => 'more' | 'enough';
};

const separator = '\x1e';
const handshake = `{"protocol":"json","version":1}${separator}`;
const ping = `{"type":6}${separator}`;
const bye = `{"type":7}${separator}`;
/** As the official clients (signalr-protocol 5). */
const pingIntervalMs = 15_000;
const serverTimeoutMs = 30_000;

/** Is a client of a hub until the connection ends, there were enough events, or the signal aborts. Never rejects. */
export function followHubOnce(session: HubSession, signal: AbortSignal): Promise<HubEnd> {
  const { url, token } = session;
  const socket = new WebSocket(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  const { promise, resolve } = Promise.withResolvers<HubEnd>();
  const lost = (reason: string) => resolve({ kind: 'lost', reason });
  let isGreeted = false;
  const silence = setTimeout(() => lost('the server was silent'), serverTimeoutMs);
  const pings = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(ping), pingIntervalMs);
  const abort = () => resolve({ kind: 'enough' });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();

  function take(record: string): void {
    const message = parsed(record);
    if (!message) {
      lost('the server sent what is no record');
    } else if (!isGreeted) {
      isGreeted = true;
      if (typeof message['error'] === 'string') resolve({ kind: 'refused', reason: message['error'] });
      else session.onConnected();
    } else {
      const end = endAfter(message, session.onEvent);
      if (end) resolve(end);
    }
  }

  socket.addEventListener('open', () => socket.send(handshake));
  socket.addEventListener('message', ({ data }) => {
    silence.refresh();
    for (const record of String(data).split(separator).slice(0, -1)) take(record);
  });
  socket.addEventListener('error', () => lost('the WebSocket failed'));
  socket.addEventListener('close', ({ code }) => lost(`closed with ${code}`));
  return promise.finally(() => {
    clearTimeout(silence);
    clearInterval(pings);
    signal.removeEventListener('abort', abort);
    if (socket.readyState === WebSocket.OPEN) socket.send(bye);
    socket.close();
  });
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(record: string): Fields | undefined {
  try {
    const message: unknown = JSON.parse(record);
    return typeof message === 'object' && message !== null ? (message as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function endAfter({ type, target, arguments: args, allowReconnect, error }: Fields, onEvent: HubSession['onEvent']) {
  if (type === 1 && typeof target === 'string' && Array.isArray(args)) {
    return onEvent({ name: target, args: args.map(shownArgument) }) === 'enough'
      ? ({ kind: 'enough' } as const)
      : undefined;
  }
  if (type !== 7) return undefined;
  const reason = typeof error === 'string' ? error : 'the server has closed the connection';
  return { kind: allowReconnect === true ? 'lost' : 'refused', reason } as const;
}

/** A text that is JSON is shown as what it means. */
function shownArgument(argument: unknown): unknown {
  if (typeof argument !== 'string') return argument;
  try {
    return JSON.parse(argument);
  } catch {
    return argument;
  }
}

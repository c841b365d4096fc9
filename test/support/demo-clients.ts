import { io, type Socket } from 'socket.io-client';

export type TokenRequest = {
  readonly tenant?: string;
  readonly businessUnit?: string;
  readonly workstation?: string;
  readonly user?: string;
  readonly roles?: readonly string[];
  readonly claims?: Readonly<Record<string, unknown>>;
};

/** A token of the development issuer of a running gateway. */
export async function developmentToken(url: string, request: TokenRequest): Promise<string> {
  const answer = await fetch(`${url}/v1/development/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  const { token } = (await answer.json()) as { token: string };
  return token;
}

export type Received = { readonly name: string; readonly data: unknown; readonly meta: Record<string, unknown> };

/** The stock client, connected; keeps what it receives. */
export type DemoClient = Disposable & {
  readonly socket: Socket;
  readonly received: readonly Received[];
};

/** Rejects with the refusal when the gateway refuses. */
export async function connectClient(
  url: string,
  token: string,
  query: Readonly<Record<string, unknown>> = {},
): Promise<DemoClient> {
  const received: Received[] = [];
  const socket = io(url, { transports: ['websocket'], auth: { token }, query: { ...query }, forceNew: true });
  socket.onAny((name: string, data: unknown, meta: Record<string, unknown>) => received.push({ name, data, meta }));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.disconnect();
      reject(error);
    });
  });
  return { socket, received, [Symbol.dispose]: () => void socket.disconnect() };
}

export type PublishedEvent = {
  readonly stream: string;
  readonly key?: string;
  readonly data?: unknown;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly id?: string;
};

/** Publishes over HTTP. */
export const publish = (
  url: string,
  token: string,
  events: PublishedEvent | readonly PublishedEvent[],
): Promise<Response> =>
  fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(events),
  });

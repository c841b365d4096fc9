import { setTimeout as wait } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import type { TokenSubject } from '../../adapters/identity/sign-token.ts';
import type { CommandIo, Complaint } from './command-io.ts';
import type { ReceivedEvent } from './event-line.ts';
import { shown, unreachable } from './gateway-request.ts';
import { type ObtainedToken, obtainToken, tokenHint } from './obtain-token.ts';

export type FollowOptions = {
  readonly gateway: URL;
  readonly namespace: string;
  /** The token that was given, if one was. */
  readonly token?: string | undefined;
  /** Whom a token is asked for, where none was given. */
  readonly subject: TokenSubject;
  readonly query: Readonly<Record<string, string>>;
  readonly onEvent: (event: ReceivedEvent) => 'more' | 'enough';
  /** What happens to the connection, for people. */
  readonly onNote: (note: string) => void;
};

const connectTimeoutMs = 10_000;
const reconnectDelayMsMin = 500;
const reconnectDelayMsMax = 5000;
/** What a gateway may ask for that says "try later". */
const comeBackMsMax = 60_000;
const comeBackMsDefault = 1000;

/**
 * Is a client of a gateway until there were enough events; connects again by itself. A gateway that was never reached is
 * not waited for.
 *
 * @returns why it ended, when it was not enough events.
 */
export async function followEvents(io: CommandIo, options: FollowOptions): Promise<Complaint | undefined> {
  const { gateway, namespace, query, subject } = options;
  const given = { url: gateway, ...(options.token === undefined ? {} : { token: options.token }) };
  const first = await obtainToken(io, given, subject);
  if (!first.ok) return first.reason;
  let current = first.value;

  const { io: createSocket } = await import('socket.io-client');
  const socket = createSocket(`${gateway.origin}/${namespace.replace(/^\//, '')}`, {
    path: `${gateway.pathname.replace(/\/$/, '')}/socket.io/`,
    transports: ['websocket'],
    auth: (answer) => answer(current.token === undefined ? {} : { token: current.token }),
    query: { ...query },
    timeout: connectTimeoutMs,
    reconnectionDelay: reconnectDelayMsMin,
    reconnectionDelayMax: reconnectDelayMsMax,
    forceNew: true,
    autoConnect: false,
  });
  const ended = new AbortController();
  try {
    return await new Promise<Complaint | undefined>((resolve) => {
      io.interrupted.addEventListener('abort', () => resolve(interrupted), { signal: ended.signal });
      if (io.interrupted.aborted) resolve(interrupted);
      watch(socket, options, {
        end: resolve,
        ended: ended.signal,
        token: () => current,
        async renew() {
          const next = await obtainToken(io, given, subject);
          if (next.ok) current = next.value;
          return next.ok ? undefined : next.reason;
        },
      });
      socket.connect();
    });
  } finally {
    ended.abort();
    socket.disconnect();
    socket.offAny();
    socket.off();
  }
}

const interrupted: Complaint = { exit: 'interrupted', message: 'interrupted' };

type Session = {
  /** Ends it all; only the first call counts. */
  readonly end: (complaint?: Complaint) => void;
  /** Aborts when it has. */
  readonly ended: AbortSignal;
  readonly token: () => ObtainedToken;
  /** Another token, such as after a restart of a gateway that issues its own. @returns why there is none. */
  readonly renew: () => Promise<Complaint | undefined>;
};

function watch(socket: Socket, { gateway, onEvent, onNote }: FollowOptions, session: Session): void {
  let connectedBefore = false;
  let renewed = false;
  let troubled = false;

  const reconnectAfter = (delayMs: number) =>
    wait(delayMs, undefined, { signal: session.ended }).then(
      () => void socket.connect(),
      () => undefined,
    );
  socket.onAny((name: string, ...args: unknown[]) => {
    if (onEvent({ name, args }) === 'enough') session.end();
  });
  socket.on('connect', () => {
    connectedBefore = true;
    renewed = false;
    troubled = false;
    onNote(`connected to ${shown(gateway)}`);
  });
  socket.on('disconnect', (reason) => {
    if (reason === 'io client disconnect') return;
    if (reason === 'io server disconnect') {
      session.end({ exit: 'refused', message: `${shown(gateway)} has ended the connection for good.` });
      return;
    }
    onNote(`connection lost (${reason}); connecting again`);
  });
  socket.on('connect_error', (error) => {
    if (socket.active) {
      if (!connectedBefore) session.end(unreachable(gateway, transportReason(error)));
      else if (!troubled) onNote(`cannot reach ${shown(gateway)} (${transportReason(error)}); trying again`);
      troubled = true;
      return;
    }
    const refusal = refusalOf(error);
    if (refusal.code === 'try_later') {
      onNote(`the gateway cannot tell now (try_later); coming back in ${refusal.retryAfterMs} ms`);
      void reconnectAfter(refusal.retryAfterMs);
    } else if (
      connectedBefore &&
      !renewed &&
      refusal.code.startsWith('token_') &&
      session.token().from === 'development'
    ) {
      renewed = true;
      onNote(`the token is no longer taken (${refusal.code}); asking for another one`);
      void session.renew().then((complaint) => (complaint ? session.end(complaint) : reconnectAfter(0)));
    } else {
      session.end(refusedConnection(gateway, refusal, session.token()));
    }
  });
}

function refusedConnection(gateway: URL, { code, message }: Refusal, { from }: ObtainedToken): Complaint {
  const hint = from === 'nowhere' && code === 'token_missing' ? ` ${tokenHint}` : '';
  return { exit: 'refused', message: `${shown(gateway)} refuses the connection: ${code}: ${message}.${hint}` };
}

type Refusal = { readonly code: string; readonly message: string; readonly retryAfterMs: number };

/** What is in a CONNECT_ERROR: `data` is `{code, retryAfterMs?}`, `message` for people. */
function refusalOf(error: Error): Refusal {
  const data: unknown = 'data' in error ? error.data : undefined;
  const fields = typeof data === 'object' && data !== null ? data : {};
  const code = 'code' in fields && typeof fields.code === 'string' ? fields.code : 'refused';
  const asked = 'retryAfterMs' in fields ? Number(fields.retryAfterMs) : Number.NaN;
  const retryAfterMs = asked >= 0 ? Math.min(asked, comeBackMsMax) : comeBackMsDefault;
  return { code, message: error.message, retryAfterMs };
}

/** The transport's own words ("websocket error") say nothing; what ws said hangs on the error. */
function transportReason(error: Error): string {
  const description: unknown = 'description' in error ? error.description : undefined;
  const said = typeof description === 'object' && description !== null && 'message' in description;
  return said && typeof description.message === 'string' && description.message !== ''
    ? description.message
    : error.message;
}

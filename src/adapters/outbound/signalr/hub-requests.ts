import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { askAdmission, type Door } from '../ask-admission.ts';
import { presentedBy, queryOf } from '../presented-by.ts';
import { allowsOrigin, corsHeaders, preflightHeaders } from './cross-origin.ts';
import { forbiddenOrigin, type HubRefusal, hubRefusal, textRefusal, unavailable } from './hub-refusal.ts';
import { negotiateAnswer, negotiateError, negotiateVersion } from './negotiate-answer.ts';
import { callerOf, type Negotiations } from './negotiations.ts';
import type { SignalrSettings } from './signalr-settings.ts';

export type RequestDependencies = Door & {
  readonly settings: Pick<SignalrSettings, 'negotiate' | 'corsOrigins'>;
  readonly negotiations: Negotiations;
  /** Whether somebody may connect now. */
  readonly isOpen: () => boolean;
};

const notFound = textRefusal(404, '');
const notAllowed = (allow: string, body = ''): HubRefusal => textRefusal(405, body, { Allow: allow });
const idRequired = textRefusal(400, 'Connection ID required');

/** Answers what comes to a hub and is no WebSocket (signalr-protocol 7 and 9). Never rejects. */
export async function answerHubRequest(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  dependencies: RequestDependencies,
): Promise<void> {
  const { settings, negotiations } = dependencies;
  const url = request.url ?? '';
  const { origin } = request.headers;
  // Nothing that a body could say is of any use.
  request.resume();
  const below = pathBelow(url, path);
  const isNegotiate = below === '/negotiate' && settings.negotiate;
  if (below !== '' && !isNegotiate) return end(response, notFound);
  if (request.method === 'OPTIONS') {
    response.writeHead(204, preflightHeaders(settings.corsOrigins, origin)).end();
    return;
  }
  const headers = corsHeaders(settings.corsOrigins, origin);
  if (!isNegotiate) return end(response, bareRefusal(request.method, idOf(url), negotiations), headers);
  if (request.method !== 'POST') return end(response, notAllowed('POST, OPTIONS'), headers);
  if (!allowsOrigin(settings.corsOrigins, origin)) return end(response, forbiddenOrigin, headers);
  await negotiate(request, response, headers, dependencies);
}

/** A negotiated connection's token. */
export const idOf = (url: string): string | undefined => queryOf(url).find(([name]) => name === 'id')?.[1];

/** What is no upgrade: another transport, or nothing that SignalR knows. */
function bareRefusal(method: string | undefined, id: string | undefined, negotiations: Negotiations): HubRefusal {
  if (method !== 'GET' && method !== 'POST') return notAllowed('GET, POST, OPTIONS');
  if (id === undefined) return idRequired;
  if (negotiations.connectionOf(id) === undefined) return noSuchConnection;
  return method === 'GET'
    ? notFound
    : notAllowed('GET, OPTIONS', 'POST requests are not allowed for WebSocket connections.');
}

export const noSuchConnection = textRefusal(404, 'No Connection with that ID');

async function negotiate(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  dependencies: RequestDependencies,
): Promise<void> {
  const { negotiations, isOpen } = dependencies;
  if (!isOpen()) return end(response, unavailable, headers);
  const url = request.url ?? '';
  const connection = randomUUID();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const presented = presentedBy({ url, headers: request.headersDistinct, auth: {} });
  const admission = await askAdmission(dependencies, connection, presented, gone.signal);
  if (admission.kind !== 'admitted') return end(response, hubRefusal(admission), headers);
  const version = negotiateVersion(queryOf(url).find(([name]) => name === 'negotiateVersion')?.[1]);
  if (typeof version === 'object') return endJson(response, negotiateError(version.error), headers);
  const negotiated = isOpen()
    ? negotiations.begin(connection, version, callerOf(admission.session.principal))
    : undefined;
  if (!negotiated) return end(response, unavailable, headers);
  endJson(response, negotiateAnswer(version, negotiated), headers);
}

function end(response: ServerResponse, { status, headers, body }: HubRefusal, more = {}): void {
  response.writeHead(status, { ...headers, ...more, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

function endJson(response: ServerResponse, answer: unknown, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers });
  response.end(JSON.stringify(answer));
}

/** Nothing is decoded, as where the path was looked up; a slash at the end is no difference. */
function pathBelow(target: string, path: string): string {
  const [asked = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/);
  return asked.replace(/\/$/, '').slice(path.replace(/\/$/, '').length);
}

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectionAdmission, SpaceAdmission } from '../../../application/ports/admission.ts';
import type { History, HistoryRange } from '../../../application/ports/history.ts';
import type { HttpSurface } from '../../../application/ports/http-surface.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { DenialCode } from '../../../domain/denial.ts';
import type { RoomName } from '../../../domain/room.ts';
import { expand, type RoomTemplate } from '../../../domain/room-template.ts';
import type { SpaceId } from '../../../domain/space.ts';
import type { HistoryLosses } from './history-losses.ts';
import type { Sender } from './spaces-body.ts';
import { payloadOf } from './spaces-event.ts';
import { type HistoryQuery, pageUrl, readHistoryQuery } from './spaces-history-query.ts';
import { spacesPresentedOverHttp } from './spaces-presented.ts';
import type { JsonObject } from './spaces-request.ts';
import { senderOf } from './spaces-sender.ts';
import type { SpacesSettings } from './spaces-settings.ts';
import { type AudienceRules, receiversOf } from './spaces-subscription.ts';

export type HistoryDoor = {
  readonly endpoint: string;
  readonly settings: Pick<SpacesSettings, 'api' | 'sender' | 'message' | 'corsOrigins'>;
  readonly template: RoomTemplate;
  readonly admission: ConnectionAdmission;
  readonly membership: SpaceAdmission;
  readonly history: History;
  readonly losses: HistoryLosses;
  readonly observer: Observer;
};

/** Requests that are looked at or answered at the same time. */
const requestsMax = 200;

type Answer = { readonly status: number; readonly body: unknown; readonly retryAfterMs?: number };

const problem = (status: number, title: string, code: string, retryAfterMs?: number): Answer => ({
  status,
  body: { title, status, code },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/**
 * `GET /api/spaces/{space}/messages`: what was said, page by page, to its members. Returns what takes the route away
 * again.
 */
export function answerHistory(surface: HttpSurface, door: HistoryDoor): () => void {
  let underWay = 0;
  return surface.onRequest(door.settings.api.path, (request, response) => {
    allowOrigin(door.settings.corsOrigins, request, response);
    if (request.method === 'OPTIONS') {
      const headers = 'authorization, content-type, spaces-x-space-password';
      response.writeHead(204, { 'Access-Control-Allow-Methods': 'GET', 'Access-Control-Allow-Headers': headers }).end();
      return;
    }
    if (underWay >= requestsMax) {
      write(response, problem(503, 'Service Unavailable', 'requests_too_many', 1000));
      return;
    }
    underWay += 1;
    void answer(request, response, door)
      .catch((error: unknown) => {
        door.observer.observe({ kind: 'history-failed', endpoint: door.endpoint, error });
        return problem(503, 'Service Unavailable', 'try_later', 1000);
      })
      .then((answered) => {
        underWay -= 1;
        write(response, answered);
      });
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, door: HistoryDoor): Promise<Answer> {
  const { settings, admission, membership } = door;
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return problem(405, 'Method Not Allowed', 'method_not_allowed');
  const query = readHistoryQuery(request.url ?? '', settings.api);
  if (query === 'not-found') return problem(404, 'Not Found', 'not_found');
  if (query === 'invalid') return problem(400, 'Bad Request', 'query_invalid');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const admitted = await admit(admission, request, gone.signal);
  if (admitted.kind === 'try-later') return problem(503, 'Service Unavailable', 'try_later', admitted.retryAfterMs);
  if (admitted.kind === 'denied') return problem(401, 'Unauthorized', admitted.denial.code);
  const { session } = admitted;
  const sender = senderOf(session.principal, settings.sender);
  if (!sender.ok) return problem(401, 'Unauthorized', sender.reason.code);
  const [password] = request.headersDistinct['spaces-x-space-password'] ?? [];
  const member = await membership.mayJoin(session, { space: query.space, password }, gone.signal);
  if (member.kind === 'try-later') return problem(503, 'Service Unavailable', 'try_later', member.retryAfterMs);
  if (member.kind === 'denied') return problem(403, 'Forbidden', member.denial.code);
  return { status: 200, body: await pageOf(query, sender.value, door) };
}

/** The denial is that of the first, but where that one is no token of its kind at all. */
async function admit(admission: ConnectionAdmission, { headersDistinct }: IncomingMessage, gone: AbortSignal) {
  const [first, ...others] = spacesPresentedOverHttp(headersDistinct);
  const admitted = await admission.admit(randomUUID(), first, gone);
  if (admitted.kind !== 'denied' || timeCodes.has(admitted.denial.code)) return admitted;
  for (const other of others) {
    const answer = await admission.admit(randomUUID(), other, gone);
    if (answer.kind !== 'denied') return answer;
  }
  return admitted;
}

/** A token that is known, and not good now. */
const timeCodes: ReadonlySet<DenialCode> = new Set(['token_expired', 'token_not_yet_valid']);

/** `gap`: what the client asks to go on from is not kept any more, and neither may be what came after it. */
async function pageOf(query: HistoryQuery, reader: Sender, { history, losses, settings, template }: HistoryDoor) {
  const { space, size, from } = query;
  const room = roomOf(template, space);
  const position = from === undefined ? undefined : await history.positionOf(room, from.id);
  const page = await history.read(room, rangeOf(from?.direction, position, size));
  const messages = page.entries
    .map(({ event }) => payloadOf(event))
    .filter((body) => isReader(body, reader, settings.message.receivers));
  const link = (direction: 'before' | 'after', more: boolean, at: number): string | null => {
    const id = page.entries.at(at)?.event.id;
    return more && id !== undefined ? pageUrl(settings.api.path, space, size, { direction, id }) : null;
  };
  return {
    data: messages,
    previousPageUrl: link('before', page.hasOlder, 0),
    nextPageUrl: link('after', page.hasNewer, -1),
    gap: from !== undefined && (position === undefined || losses.isIn(room)),
  };
}

/** A page may have fewer messages for it than it has entries. */
const isReader = (body: JsonObject, reader: Sender, receivers: AudienceRules['receivers']): boolean =>
  receivers === 'everybody' || (receiversOf(body, body['sender'])?.includes(reader) ?? true);

function rangeOf(direction: 'before' | 'after' | undefined, position: number | undefined, limit: number): HistoryRange {
  if (direction === undefined) return { from: 'newest', limit };
  if (position === undefined) return { from: direction === 'after' ? 'oldest' : 'newest', limit };
  return direction === 'after' ? { after: position, limit } : { before: position, limit };
}

function roomOf(template: RoomTemplate, space: SpaceId): RoomName {
  const [room] = expand(template, new Map([['space', space]]), 1);
  if (room === undefined) throw new Error('The template of a space has more variables than the space');
  return room;
}

function write(response: ServerResponse, { status, body, retryAfterMs }: Answer): void {
  const isProblem = status >= 400;
  response
    .writeHead(status, {
      'Content-Type': isProblem ? 'application/problem+json; charset=utf-8' : 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
      ...(status === 405 ? { Allow: 'GET, HEAD, OPTIONS' } : {}),
      ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
    })
    .end(JSON.stringify(body));
}

function allowOrigin(origins: readonly string[], { headers }: IncomingMessage, response: ServerResponse): void {
  if (origins.includes('*')) response.setHeader('Access-Control-Allow-Origin', '*');
  else if (origins.length > 0) {
    response.setHeader('Vary', 'Origin');
    const { origin } = headers;
    if (origin !== undefined && origins.includes(origin)) response.setHeader('Access-Control-Allow-Origin', origin);
  }
}

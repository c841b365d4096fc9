import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../../../application/fault.ts';
import type { FindNotifications } from '../../../application/find-notifications.ts';
import type { Caller, CallerIdentification } from '../../../application/ports/caller-identification.ts';
import type { Observer } from '../../../application/ports/observer.ts';
import type { RequestNotification } from '../../../application/request-notification.ts';
import { presentedBy } from '../http-presented.ts';
import { RequestPlaces } from '../request-places.ts';
import { headerRefusal, tokenRefusal } from './bearer-refusal.ts';
import { crossOriginHeaders, preflightHeaders } from './cross-origin.ts';
import { readFindQuery } from './find-query.ts';
import { documentOf } from './notification-document.ts';
import type { NotificationRouteSettings } from './notification-settings.ts';
import { UserPlaces } from './user-places.ts';
import { type ErrorAnswer, encodingUnsupported, errorAnswer, readWish, tooLarge } from './wish-body.ts';

export type NotificationDoor = {
  readonly settings: NotificationRouteSettings;
  readonly callers: CallerIdentification;
  readonly request: RequestNotification;
  readonly find: FindNotifications;
  readonly observer: Observer;
};

/** How many lists of one user may be under way at once: each may hold some megabytes. */
const listsOfUserMax = 2;

/** What `Retry-After` says where nobody knows better. */
const retryAfterSeconds = 5;

/**
 * `POST` and `GET /notification` of brainlife's event service as it was until 2021 (brainlife section 2), with its error
 * bodies.
 */
export function createNotificationRoutes(door: NotificationDoor): FastifyPluginAsync {
  const { settings, callers, observer } = door;
  const { paths, corsOrigins, bodyBytesMax, requestsInFlightMax } = settings;
  const places = new RequestPlaces(requestsInFlightMax, Number.POSITIVE_INFINITY);
  const lists = new UserPlaces(listsOfUserMax);

  const answer = (
    reply: FastifyReply,
    { status, body }: ErrorAnswer,
    delaySeconds = retryAfterSeconds,
  ): FastifyReply => {
    if (status === 503 || status === 429) reply.header('retry-after', String(delaySeconds));
    return reply.code(status).send(body);
  };

  const failed = (reply: FastifyReply, error: unknown): FastifyReply => {
    observer.observe({ kind: 'notification-store-failed', error });
    const isPassing = error instanceof Fault && error.disposition !== 'dead-letter';
    return isPassing
      ? answer(reply, errorAnswer(503, 'notifications cannot be stored or read now; come again later'))
      : answer(reply, errorAnswer(500, 'this cannot be stored or read'));
  };

  /** Before the body is read. Answers by itself when the request goes no further. */
  async function onRequest(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    reply.headers(crossOriginHeaders(corsOrigins, request.headers)).header('cache-control', 'no-store');
    const leave = places.take(0);
    if (!leave) return answer(reply, errorAnswer(503, 'too many requests are under way; come again in a moment'), 1);
    reply.raw.once('close', leave);
    const values = request.raw.headersDistinct['authorization'] ?? [];
    const mistake = headerRefusal(values);
    if (mistake) return reply.code(401).header('www-authenticate', 'Bearer').send(mistake);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const identified = await callers.identify(presentedBy(request.raw), gone.signal);
    if (identified.kind === 'known') {
      request.caller = identified.caller;
      return undefined;
    }
    if (identified.kind === 'try-later') {
      const seconds = Math.ceil(identified.retryAfterMs / 1000);
      return answer(reply, errorAnswer(503, 'nobody can tell now whose token this is; come again later'), seconds);
    }
    const [, token = ''] = (values[0] ?? '').split(' ');
    return reply
      .code(401)
      .header('www-authenticate', 'Bearer error="invalid_token"')
      .send(tokenRefusal(identified.denial, token));
  }

  async function post(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') return answer(reply, encodingUnsupported(encoding));
    const wish = readWish(request.body instanceof Uint8Array ? request.body : new Uint8Array());
    if (!wish.ok) return answer(reply, wish.reason);
    try {
      const { notification, warnings } = await door.request(callerOf(request).userId, wish.value);
      // `status` is what the sample of the original's README looks at.
      return reply.send({ ...documentOf(notification), status: 'ok', ...(warnings.length > 0 ? { warnings } : {}) });
    } catch (error) {
      return failed(reply, error);
    }
  }

  async function list(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = new URLSearchParams(queryOf(request.raw.url ?? ''));
    const caller = callerOf(request);
    const asked = readFindQuery(query, caller, settings.listMax);
    if (!asked.ok) return answer(reply, errorAnswer(400, asked.reason));
    const leave = lists.take(caller.userId);
    if (!leave) return answer(reply, errorAnswer(429, 'too many lists of this user are under way'), 1);
    // Until the answer has gone: a caller who does not read it holds it here.
    reply.raw.once('close', leave);
    try {
      const { notifications, count } = await door.find(asked.value.search);
      return reply.send({ notifications: notifications.map((each) => asked.value.show(documentOf(each))), count });
    } catch (error) {
      return failed(reply, error);
    }
  }

  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.decorateRequest('caller', undefined);
    app.setErrorHandler((error, request, reply) => {
      const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
      // Without it the framework cuts the connection under a caller that is still sending, and the answer with it.
      reply.removeHeader('connection');
      if (status === 413) return answer(reply, tooLarge(bodyBytesMax, lengthOf(request)));
      if (status === 400 || status === 415)
        return answer(reply, errorAnswer(status, 'the body did not arrive as its headers say'));
      throw error;
    });
    for (const url of paths.flatMap((path) => [path, `${path}/`])) {
      app.post(url, { bodyLimit: bodyBytesMax, onRequest }, post);
      app.get(url, { onRequest }, list);
      if (corsOrigins.length === 0) continue;
      app.options(url, async (request, reply) =>
        reply.headers(preflightHeaders(corsOrigins, request.headers)).code(204).send(),
      );
    }
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | undefined;
  }
}

function callerOf({ caller }: FastifyRequest): Caller {
  if (!caller) throw new Error('a request was let in without a caller');
  return caller;
}

/** All behind the first `?`; there may be more of them. */
const queryOf = (url: string): string => (url.includes('?') ? url.slice(url.indexOf('?') + 1) : '');

function lengthOf({ headers }: FastifyRequest): number | undefined {
  const length = Number(headers['content-length']);
  return Number.isSafeInteger(length) ? length : undefined;
}

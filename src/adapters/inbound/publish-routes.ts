import type { IncomingMessage } from 'node:http';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { PublishAdmission, PublishPermission } from '../../application/ports/admission.ts';
import type { Event } from '../../domain/event.ts';
import type { Verdict } from '../../domain/verdict.ts';
import { presentedBy } from './http-presented.ts';
import {
  challengeOf,
  denialProblem,
  type Problem,
  problem,
  problemContentType,
  retryAfterText,
} from './http-problem.ts';
import { RequestPlaces } from './request-places.ts';

export type PublishLimits = {
  /** Of one request. */
  readonly bodyBytesMax: number;
  readonly requestsInFlightMax: number;
  /** Of all requests under way; one is always taken. Absent: `bodyBytesMax` for each of them. */
  readonly bodiesBytesMax?: number;
  /** What `Retry-After` says where nobody knows better. */
  readonly retryAfterMs: number;
};

/** How a request is answered that was taken; without a body where there is nothing to say. */
export type Taken = { readonly status: 202 | 204; readonly body?: unknown };

/** What a source does with the requests to its route. `Posted` is what it reads in one. */
export type PublishDoor<Posted> = {
  readonly path: string;
  readonly limits: PublishLimits;
  readonly admission: PublishAdmission;
  /** Why nothing is taken at the moment, if so; of a request that has been read, why it is not. */
  refusal(posted?: Posted): Problem | undefined;
  /** What is wrong with the request by its headers alone, so that a body for nobody need not be sent. */
  headersRefusal(request: IncomingMessage): Problem | undefined;
  /** Is told why a request of a permitted publisher can never be read, where publishers are no people. */
  unreadable?(refusal: Problem): void;
  read(request: IncomingMessage, body: Uint8Array): Verdict<Posted, Problem>;
  eventsOf(posted: Posted): readonly Event[];
  /** Never rejects. @param gone aborts when nobody is there any more to be answered. */
  take(posted: Posted, gone: AbortSignal): Promise<Verdict<Taken, Problem>>;
};

/** A route that publishers post to, with a body reader and an error page of its own. */
export function createPublishRoutes<Posted>(door: PublishDoor<Posted>): FastifyPluginAsync {
  const { requestsInFlightMax, bodyBytesMax, bodiesBytesMax, retryAfterMs } = door.limits;
  const places = new RequestPlaces(requestsInFlightMax, bodiesBytesMax ?? requestsInFlightMax * bodyBytesMax);
  let requestsUnknown = 0;

  const answer = (reply: FastifyReply, refusal: Problem, delayMs = retryAfterMs): FastifyReply => {
    if (refusal.status === 503) reply.header('retry-after', retryAfterText(delayMs));
    if (refusal.status === 401) reply.header('www-authenticate', challengeOf(refusal));
    if (refusal.code === 'content_encoding_unsupported') reply.header('accept-encoding', 'identity');
    return reply.code(refusal.status).type(problemContentType).send(refusal);
  };

  const answerUnreadable = (reply: FastifyReply, refusal: Problem): FastifyReply => {
    door.unreadable?.(refusal);
    return answer(reply, refusal);
  };

  const answerUnpermitted = (reply: FastifyReply, permission: Exclude<PublishPermission, { kind: 'allowed' }>) =>
    permission.kind === 'denied'
      ? answer(reply, denialProblem(permission.denial.code))
      : answer(
          reply,
          problem('try_later', 'It cannot be decided now whether you may publish. Come back later.'),
          permission.retryAfterMs,
        );

  /** What the headers decide is answered before the body has come: nobody unknown keeps a publisher from its turn. */
  async function onRequest(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const refusal = door.refusal();
    if (refusal) return answer(reply, refusal);
    if (requestsUnknown >= requestsInFlightMax) return answer(reply, tooManyRequests());
    requestsUnknown += 1;
    const gone = goneSignal(reply);
    const permission = await door.admission.mayPublish(presentedBy(request.raw), [], gone);
    requestsUnknown -= 1;
    if (permission.kind !== 'allowed') return answerUnpermitted(reply, permission);
    const mistake = encodingRefusal(request.raw) ?? door.headersRefusal(request.raw);
    if (mistake) return answerUnreadable(reply, mistake);
    // Whoever has gone never closes again, and would keep its turn.
    const leave = gone.aborted ? undefined : places.take(bodyBytesOf(request.raw, bodyBytesMax));
    if (!leave) return answer(reply, tooManyRequests());
    reply.raw.once('close', leave);
    return undefined;
  }

  async function publish(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const posted = door.read(request.raw, bodyOf(request));
    if (!posted.ok) return answerUnreadable(reply, posted.reason);
    const gone = goneSignal(reply);
    const permission = await door.admission.mayPublish(presentedBy(request.raw), door.eventsOf(posted.value), gone);
    if (permission.kind !== 'allowed') return answerUnpermitted(reply, permission);
    const refusal = door.refusal(posted.value);
    if (refusal) return answer(reply, refusal);
    const taken = await door.take(posted.value, gone);
    return taken.ok ? reply.code(taken.value.status).send(taken.value.body) : answer(reply, taken.reason);
  }

  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.setErrorHandler((error, _request, reply) => {
      const refusal = frameworkRefusal(error, bodyBytesMax);
      // What is not the publisher's fault is the listener's to answer and to observe.
      if (!refusal) throw error;
      // The framework would cut the connection, and with it the answer, under a publisher that is still sending. Without
      // that Node reads the rest and drops it, no longer than a request may take.
      reply.removeHeader('connection');
      // Somebody who goes away in the middle of a body has made no mistake.
      return refusal.status === 400 ? answer(reply, refusal) : answerUnreadable(reply, refusal);
    });
    app.post(door.path, { bodyLimit: bodyBytesMax, onRequest }, publish);
  };
}

export const tooManyRequests = (): Problem =>
  problem('requests_too_many', 'Too many requests are under way. Come back in a moment.');

function encodingRefusal({ headers }: IncomingMessage): Problem | undefined {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined;
  return problem('content_encoding_unsupported', 'The body must not be compressed.');
}

/** A body whose length is not announced, or is too large to be read, counts as the largest that is read. */
function bodyBytesOf({ headers }: IncomingMessage, bodyBytesMax: number): number {
  return Math.min(Number(headers['content-length'] ?? bodyBytesMax), bodyBytesMax);
}

/** A request without a body has none that a parser would have seen. */
const bodyOf = ({ body }: FastifyRequest): Uint8Array => (body instanceof Uint8Array ? body : new Uint8Array());

/** Aborts when the publisher goes away. Not fastify's own signal, which aborts as soon as the body has been read. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

function frameworkRefusal(error: unknown, bodyBytesMax: number): Problem | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return problem('body_too_large', `A body may have at most ${bodyBytesMax} bytes.`);
  if (status === 415) return problem('content_type_unsupported', 'The Content-Type is malformed.');
  return status === 400 ? problem('body_invalid', 'The body did not arrive as its headers say.') : undefined;
}

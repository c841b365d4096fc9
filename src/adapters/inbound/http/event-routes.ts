import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { PublishAdmission, PublishPermission } from '../../../application/ports/admission.ts';
import type { Event } from '../../../domain/event.ts';
import type { Intake } from './event-fields.ts';
import { presentedBy } from './http-presented.ts';
import {
  challengeOf,
  denialProblem,
  type EventOutcome,
  type Problem,
  problem,
  problemContentType,
  retryAfterText,
} from './http-problem.ts';
import type { HttpSettings } from './http-settings.ts';
import { formatOf, readRequest } from './read-request.ts';

export type EventDoor = {
  readonly settings: HttpSettings;
  readonly admission: PublishAdmission;
  intake(): Intake;
  /** Why nothing is taken at the moment, if so. */
  refusal(): Problem | undefined;
  /** What became of each event, in order. Never rejects. */
  take(events: readonly Event[]): Promise<readonly EventOutcome[]>;
};

/** The route that publishers post to, with a body reader and an error page of its own. */
export function createEventRoutes(door: EventDoor): FastifyPluginAsync {
  const { settings } = door;
  const { bodyBytesMax, requestsInFlightMax, retryAfterMs } = settings;
  let requestsInFlight = 0;
  let requestsUnknown = 0;

  const answer = (reply: FastifyReply, refusal: Problem, delayMs = retryAfterMs): FastifyReply => {
    if (refusal.status === 503) reply.header('retry-after', retryAfterText(delayMs));
    if (refusal.status === 401) reply.header('www-authenticate', challengeOf(refusal));
    if (refusal.code === 'content_encoding_unsupported') reply.header('accept-encoding', 'identity');
    return reply.code(refusal.status).type(problemContentType).send(refusal);
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
    const format = formatOf(request.raw);
    if (!format.ok) return answer(reply, format.reason);
    if (requestsUnknown >= requestsInFlightMax) return answer(reply, tooManyRequests());
    requestsUnknown += 1;
    const gone = goneSignal(reply);
    const permission = await door.admission.mayPublish(presentedBy(request.raw), [], gone);
    requestsUnknown -= 1;
    if (permission.kind !== 'allowed') return answerUnpermitted(reply, permission);
    // Whoever has gone never closes again, and would keep its turn.
    if (gone.aborted || requestsInFlight >= requestsInFlightMax) return answer(reply, tooManyRequests());
    requestsInFlight += 1;
    reply.raw.once('close', () => {
      requestsInFlight -= 1;
    });
    return undefined;
  }

  async function publish(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const format = formatOf(request.raw);
    if (!format.ok) return answer(reply, format.reason);
    const events = readRequest(request.raw, format.value, bodyOf(request), door.intake());
    if (!events.ok) return answer(reply, events.reason);
    const permission = await door.admission.mayPublish(presentedBy(request.raw), events.value, goneSignal(reply));
    if (permission.kind !== 'allowed') return answerUnpermitted(reply, permission);
    const refusal = door.refusal();
    if (refusal) return answer(reply, refusal);
    const outcomes = await door.take(events.value);
    const failure = failureOf(outcomes);
    if (failure) return answer(reply, failure);
    return reply.code(202).send({ events: outcomes.map(({ id }) => ({ id })) });
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
      return answer(reply, refusal);
    });
    app.post(settings.path, { bodyLimit: bodyBytesMax, onRequest }, publish);
  };
}

const tooManyRequests = (): Problem =>
  problem('requests_too_many', 'Too many requests are under way. Come back in a moment.');

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

function failureOf(events: readonly EventOutcome[]): Problem | undefined {
  if (events.some(({ outcome }) => outcome === 'later')) {
    const detail = 'Publish those events again whose outcome is "later". Those that are "taken" would come twice.';
    return problem('event_not_taken', detail, { events });
  }
  if (events.some(({ outcome }) => outcome === 'refused')) {
    const detail = 'The events whose outcome is "refused" can be delivered to nobody, now or later.';
    return problem('event_refused', detail, { events });
  }
  return undefined;
}

function frameworkRefusal(error: unknown, bodyBytesMax: number): Problem | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return problem('body_too_large', `A body may have at most ${bodyBytesMax} bytes.`);
  if (status === 415) return problem('content_type_unsupported', 'The Content-Type is malformed.');
  return status === 400 ? problem('body_invalid', 'The body did not arrive as its headers say.') : undefined;
}

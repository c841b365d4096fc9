import type { IncomingMessage } from 'node:http';
import type { FastifyPluginAsync } from 'fastify';
import type { PublishAdmission } from '../../../application/ports/admission.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { type Problem, problem } from '../http-problem.ts';
import { createPublishRoutes, type Taken } from '../publish-routes.ts';
import { type PushedMessage, type PushIntake, readPush } from './pubsub-push-message.ts';
import { pushPath } from './pubsub-push-path.ts';
import type { PubSubPushSettings } from './pubsub-settings.ts';

/** What became of a message: taken, not to be handled ever, or to be pushed again. */
export type PushOutcome = 'taken' | 'refused' | 'later';

export type PushDoor = {
  readonly settings: PubSubPushSettings;
  readonly admission: PublishAdmission;
  readonly intake: PushIntake;
  /** Why no message is taken at the moment, or why this one is not, if so. */
  refusal(message?: PushedMessage): Problem | undefined;
  /** Is told why a push can never be read: Pub/Sub would tell nobody. */
  unreadable(refusal: Problem): void;
  /** Never rejects. @param gone aborts when Pub/Sub has given up waiting. */
  take(message: PushedMessage, gone: AbortSignal): Promise<PushOutcome>;
};

/** Messages in hand whose requests are over may come again, and are answered beside all the others. */
const requestsPerMessage = 2;

/**
 * The route of a push endpoint. Pub/Sub takes 102, 200, 201, 202 and 204 for an acknowledgement and every other status
 * for the contrary (https://cloud.google.com/pubsub/docs/push#how_push_endpoints_receive_messages); it reads no body.
 */
export function createPushRoutes(door: PushDoor): FastifyPluginAsync {
  const { settings, intake, admission } = door;
  const { bodyBytesMax, inFlightMax, inFlightBytesMax, retryAfterMs } = settings;
  return createPublishRoutes<PushedMessage>({
    path: pushPath(intake.source),
    limits: {
      bodyBytesMax,
      requestsInFlightMax: inFlightMax * requestsPerMessage,
      bodiesBytesMax: inFlightBytesMax,
      retryAfterMs,
    },
    admission,
    refusal: (message) => door.refusal(message),
    headersRefusal,
    unreadable: (refusal) => door.unreadable(refusal),
    read: (_request, body) => readPush(body, intake),
    eventsOf: ({ event }) => [event],
    take: async (message, gone) => answerTo(await door.take(message, gone)),
  });
}

function headersRefusal({ headers }: IncomingMessage): Problem | undefined {
  if (Object.keys(headers).some((name) => name.startsWith('x-goog-pubsub-'))) {
    const detail = 'A push without wrapping is not taken: in headers the case of attribute names is lost.';
    return problem('message_unwrapped', detail);
  }
  const [mediaType = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  if (mediaType.trim() === 'application/json') return undefined;
  return problem('content_type_unsupported', 'A push of Pub/Sub is of the type application/json.');
}

function answerTo(outcome: PushOutcome): Verdict<Taken, Problem> {
  switch (outcome) {
    case 'taken':
      return allowed({ status: 204 });
    case 'refused':
      return refused(problem('event_refused', 'The message can be delivered to nobody, now or later.'));
    case 'later':
      return refused(problem('event_not_taken', 'The message could not be taken in time. Push it again.'));
  }
}

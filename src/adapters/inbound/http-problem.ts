import { STATUS_CODES } from 'node:http';
import type { SourceState } from '../../application/ports/event-source.ts';
import type { DenialCode } from '../../domain/denial.ts';
import { type ItemError, itemErrorsMax } from './item-errors.ts';

/** Statuses by code. The codes go out on the wire and are documented in `docs/errors.md`. */
const statuses = {
  /** The body as a whole cannot be read; nothing was looked at. */
  body_invalid: 400,
  /** At least one event is malformed; `errors` names each. */
  event_invalid: 400,
  /** What Pub/Sub has pushed is no message. */
  message_invalid: 400,
  /** Pub/Sub pushes from a subscription that the source does not have. */
  subscription_unknown: 400,
  body_too_large: 413,
  event_too_large: 413,
  events_too_many: 413,
  content_type_unsupported: 415,
  content_encoding_unsupported: 415,
  /** Pub/Sub pushes without wrapping. */
  message_unwrapped: 415,
  /** Routing, or the broker, will never take the event. */
  event_refused: 422,
  not_started: 503,
  paused: 503,
  draining: 503,
  requests_too_many: 503,
  /** There is no telling now whether the publisher may. */
  try_later: 503,
  /** Routing, or the broker, cannot take the event now. */
  event_not_taken: 503,
} as const;
export type ProblemCode = keyof typeof statuses;

/** What became of an event: taken, never to be, or to be published again. */
export type EventOutcome = { readonly id: string; readonly outcome: 'taken' | 'refused' | 'later' };

/** A problem document (RFC 9457) without a `type`, which is `about:blank`; `code` says what the status cannot. */
export type Problem = {
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode | DenialCode;
  readonly detail: string;
  readonly errors?: readonly ItemError[];
  readonly events?: readonly EventOutcome[];
};

export const problemContentType = 'application/problem+json; charset=utf-8';

/** @param detail for the publisher: what, where and what to do; nothing of the inside, and no token. */
export const problem = (
  code: ProblemCode,
  detail: string,
  more: { readonly errors?: readonly ItemError[]; readonly events?: readonly EventOutcome[] } = {},
): Problem => ({
  ...titled(statuses[code]),
  code,
  detail,
  ...more,
  ...(more.errors ? { errors: more.errors.slice(0, itemErrorsMax) } : {}),
});

/** Why a source takes nothing in this state, for those who post to it; nothing when it takes. */
export function intakeRefusal(state: SourceState['kind'], isDrained: boolean): Problem | undefined {
  switch (state) {
    case 'consuming':
      return undefined;
    case 'paused':
      return problem('paused', 'The gateway holds intake back until its clients have caught up.');
    case 'stopped':
    case 'starting':
    case 'waiting':
    case 'draining':
      return isDrained
        ? problem('draining', 'The gateway is closing. Come back in a moment.')
        : problem('not_started', 'The gateway is starting. Come back in a moment.');
  }
}

/** A publisher is told the code; the reason is the operator's. */
export function denialProblem(code: DenialCode): Problem {
  const unauthenticated = code.startsWith('token_') || code === 'credentials_conflict';
  return unauthenticated
    ? { ...titled(401), code, detail: 'The credentials are missing or are not accepted.' }
    : { ...titled(403), code, detail: 'These credentials may not publish all of these events.' };
}

const titled = (status: number) => ({ title: STATUS_CODES[status] ?? 'Error', status });

/** RFC 6750 section 3: no error code for somebody who presented nothing. */
export const challengeOf = ({ code }: Problem): string =>
  code === 'token_missing' ? 'Bearer' : 'Bearer error="invalid_token"';

/** Whole seconds, at least one: `Retry-After` has no finer unit (RFC 9110 section 10.2.3). */
export const retryAfterText = (delayMs: number): string => String(Math.max(1, Math.ceil(delayMs / 1000)));

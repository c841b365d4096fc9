import type { Denial, DenialCode } from '../../../domain/denial.ts';
import type { RequestId } from './client-message.ts';

/** What became of a request. */
export type Outcome =
  | { readonly kind: 'bound' | 'unbound' }
  | { readonly kind: 'denied'; readonly code: Denial['code'] }
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

export type Answered = { readonly stream: string; readonly key: string; readonly id: RequestId | undefined };

/**
 * The text that a client is answered with, or nothing. Without an id: what brainlife's clients know, "denided" included
 * (brainlife section 4), which is no answer to a bind that is granted, to a stream that is not there, and to a key that
 * its rule can do nothing with.
 */
export function relayAnswer({ stream, key, id }: Answered, outcome: Outcome): string | undefined {
  if (id === undefined) {
    const text = plainError(outcome);
    return text === undefined ? undefined : JSON.stringify({ error: `${text} ${stream}` });
  }
  switch (outcome.kind) {
    case 'bound':
    case 'unbound':
      return JSON.stringify({ [outcome.kind]: { ex: stream, key, id } });
    case 'denied':
      return JSON.stringify({ error: { code: outcome.code, id } });
    case 'try-later':
      return JSON.stringify({ error: { code: 'try_later', id, retryAfterMs: outcome.retryAfterMs } });
  }
}

const plainErrors: ReadonlyMap<DenialCode, string> = new Map([
  ['bind_denied', 'Access denided'],
  ['binds_too_many', 'Too many binds'],
  ['binds_too_fast', 'Too many binds'],
]);

function plainError(outcome: Outcome): string | undefined {
  if (outcome.kind === 'denied') return plainErrors.get(outcome.code);
  return outcome.kind === 'try-later' ? 'Try again later' : undefined;
}

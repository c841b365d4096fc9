import type { Admission } from '../../../application/ports/admission.ts';
import type { DenialCode } from '../../../domain/denial.ts';
import { denialTexts } from '../denial-texts.ts';

/** An answer over HTTP instead of a connection. */
export type HubRefusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const refusal = (status: number, headers: Readonly<Record<string, string>> = {}): HubRefusal => ({
  status,
  headers,
  body: '',
});

/** A refusal that has words of ASP.NET's (signalr-protocol 7). */
export const textRefusal = (
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): HubRefusal => ({
  status,
  headers: { 'Content-Type': 'text/plain', ...headers },
  body,
});

/** Nobody is let in now: the gateway closes, or has as many connections as it may. */
export const unavailable: HubRefusal = refusal(503, { 'Retry-After': '1' });

export const forbiddenOrigin: HubRefusal = refusal(403);

/**
 * Who is not let in, as HTTP says it: nobody in particular 401, not this one 403, not so 400, not now 503
 * (signalr-protocol 8, RFC 6750 section 3). It says no more than the code does.
 */
export function hubRefusal(admission: Exclude<Admission, { kind: 'admitted' }>): HubRefusal {
  if (admission.kind === 'try-later') {
    return refusal(503, { 'Retry-After': String(Math.max(1, Math.ceil(admission.retryAfterMs / 1000))) });
  }
  const { code } = admission.denial;
  if (code === 'query_invalid') return refusal(400);
  if (code === 'token_missing') return refusal(401, { 'WWW-Authenticate': 'Bearer' });
  return isAboutTokens(code) ? challenge(401, 'invalid_token', code) : challenge(403, 'insufficient_scope', code);
}

const isAboutTokens = (code: DenialCode): boolean => code.startsWith('token_') || code === 'credentials_conflict';

const challenge = (status: number, error: string, code: DenialCode): HubRefusal =>
  refusal(status, { 'WWW-Authenticate': `Bearer error="${error}", error_description="${denialTexts[code]}"` });

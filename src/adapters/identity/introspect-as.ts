import type { JWTPayload } from 'jose';
import type { Denial, DenialCode } from '../../domain/denial.ts';
import { allowed, type Refused, refused, type Verdict } from '../../domain/verdict.ts';
import type { TokenIntrospection } from './token-introspection.ts';
import type { TokenSettings } from './token-settings.ts';

/** Claims, and the text that they were read from: a JSON object in UTF-8. */
export type ReadClaims = { readonly claims: JWTPayload; readonly text: Uint8Array };

export const denied = (code: DenialCode, reason: string): Refused<Denial> => refused({ code, reason });

type OpaqueKind = { readonly settings: TokenSettings; readonly introspection: TokenIntrospection };

/**
 * What the issuer says of a token, if it may be used here and now. All its claims but `active` may be absent (RFC 7662
 * section 2.2): what is not said of an issuer is not looked at, what is not said of an audience is none.
 */
export async function introspectAs(
  { settings, introspection }: OpaqueKind,
  token: string,
  now: number,
  signal: AbortSignal,
): Promise<Verdict<ReadClaims, Denial>> {
  const { issuers, audiences, clockToleranceMs } = settings;
  const answer = await introspection.introspect(token, signal);
  if (!answer.active) return denied('token_inactive', 'its issuer says that the token is not active');
  const claims = JSON.parse(answer.text) as JWTPayload;
  const { iss, aud, exp, nbf } = claims;
  if (typeof exp === 'number' && exp * 1000 + clockToleranceMs <= now) {
    return denied('token_expired', 'the token has expired');
  }
  if (typeof nbf === 'number' && nbf * 1000 - clockToleranceMs > now) {
    return denied('token_not_yet_valid', 'the token is not valid yet');
  }
  if (issuers.length > 0 && iss !== undefined && !issuers.includes(iss)) {
    return denied('token_issuer_unknown', 'the claim "iss" is not one that is accepted');
  }
  if (audiences.length > 0 && ![aud ?? []].flat().some((each) => audiences.includes(each))) {
    return denied('token_audience_wrong', 'the claim "aud" is not one that is accepted');
  }
  return allowed({ claims, text: Buffer.from(answer.text) });
}

import { errors } from 'jose';
import type { Denial, DenialCode } from '../../domain/denial.ts';

/** What jose's error codes mean for the client. https://github.com/panva/jose/blob/main/docs/util/errors/README.md */
const denials: Readonly<Record<string, Denial>> = {
  ERR_JWS_INVALID: { code: 'token_malformed', reason: 'the token is no signed JWT' },
  ERR_JWT_INVALID: { code: 'token_malformed', reason: 'the token holds no JSON object of claims' },
  ERR_JWT_EXPIRED: { code: 'token_expired', reason: 'the token has expired' },
  ERR_JOSE_ALG_NOT_ALLOWED: {
    code: 'token_algorithm_refused',
    reason: 'the token is signed with an algorithm that is not accepted for its kind',
  },
  // The algorithm has been looked at before, so this is about a critical extension (RFC 7515 section 4.1.11).
  ERR_JOSE_NOT_SUPPORTED: {
    code: 'token_malformed',
    reason: 'the header of the token asks for an extension that is not supported ("crit")',
  },
  ERR_JWKS_NO_MATCHING_KEY: {
    code: 'token_signature_invalid',
    reason: 'the issuer has no key with the key id and algorithm of the token',
  },
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: {
    code: 'token_signature_invalid',
    reason: 'the signature of the token is not the issuer’s',
  },
};

const claimCodes: Readonly<Record<string, DenialCode>> = {
  iss: 'token_issuer_unknown',
  aud: 'token_audience_wrong',
  nbf: 'token_not_yet_valid',
};

/** The denial for an error of jose; `undefined` for every other error, which is no fault of the token's. */
export function joseDenial(error: unknown): Denial | undefined {
  if (error instanceof errors.JWTClaimValidationFailed) return claimDenial(error);
  return error instanceof errors.JOSEError ? denials[error.code] : undefined;
}

/** Names only: the values of the claims are not the log's business. */
function claimDenial({ claim, reason }: errors.JWTClaimValidationFailed): Denial {
  if (reason === 'invalid') return { code: 'token_claims_invalid', reason: `the claim "${claim}" is not a number` };
  const text = reason === 'missing' ? 'is missing' : 'is not one that is accepted';
  return { code: claimCodes[claim] ?? 'token_claims_invalid', reason: `the claim "${claim}" ${text}` };
}

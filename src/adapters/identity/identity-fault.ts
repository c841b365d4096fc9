import { Fault } from '../../application/fault.ts';

/** An issuer's keys cannot be had, so there is no telling about its tokens: the client is told to come back. */
export const keysUnavailable = (kind: string, reason: string, retryAfterMs?: number): Fault =>
  new Fault(
    'issuer_keys_unavailable',
    'retry',
    `there is no telling about tokens of the kind "${kind}": ${reason}`,
    undefined,
    retryAfterMs,
  );

/** The issuer of opaque tokens does not say what they are: the client is told to come back. */
export const introspectionUnavailable = (kind: string, reason: string, retryAfterMs?: number): Fault =>
  new Fault(
    'introspection_unavailable',
    'retry',
    `there is no telling about tokens of the kind "${kind}": ${reason}`,
    undefined,
    retryAfterMs,
  );

/** The config names keys that are not there. */
export const keysMissing = (kind: string, reason: string): Fault =>
  new Fault('issuer_keys_missing', 'stop', `identity.tokens.${kind}: ${reason}`);

/** Neither the token nor the issuer is known to be at fault. */
export const verificationFailed = (kind: string, cause: unknown): Fault =>
  new Fault('token_verification_failed', 'retry', `a token of the kind "${kind}" could not be verified`, cause);

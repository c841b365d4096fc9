/**
 * Why somebody is refused. The code goes out on the wire and is documented in `docs/errors.md`; the reason is for the
 * operator, says nothing secret, and goes to the log only.
 */
export type Denial = { readonly code: DenialCode; readonly reason: string };

export const denialCodes = [
  'token_missing',
  'token_malformed',
  'token_expired',
  'token_not_yet_valid',
  'token_signature_invalid',
  'token_algorithm_refused',
  'token_issuer_unknown',
  'token_audience_wrong',
  'token_claims_invalid',
  'token_inactive',
  'credentials_conflict',
  'access_denied',
  'room_denied',
  'rooms_too_many',
  'query_invalid',
  'connections_too_many',
  'connection_in_use',
  'stream_unknown',
  'bind_denied',
  'bind_invalid',
  'binds_too_many',
  'binds_too_fast',
  'not_bound',
  'subscriptions_too_many',
  'subscriptions_too_fast',
] as const;

export type DenialCode = (typeof denialCodes)[number];

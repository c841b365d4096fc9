import type { DenialCode } from '../../domain/denial.ts';

/** Says no more than the code does: the reason is for the operator. */
export const denialTexts: Readonly<Record<DenialCode, string>> = {
  token_missing: 'A token is missing',
  token_malformed: 'The token is malformed',
  token_expired: 'The token has expired',
  token_not_yet_valid: 'The token is not valid yet',
  token_signature_invalid: 'The signature of the token is invalid',
  token_algorithm_refused: 'The token is signed with an algorithm that is not accepted',
  token_issuer_unknown: 'The issuer of the token is not accepted',
  token_audience_wrong: 'The token is meant for another audience',
  token_claims_invalid: 'The claims of the token are invalid',
  credentials_conflict: 'The tokens contradict each other',
  access_denied: 'Access denied',
  room_denied: 'A room was asked for that may not be joined',
  rooms_too_many: 'Too many rooms',
  query_invalid: 'The query is invalid',
  connections_too_many: 'Too many connections',
  stream_unknown: 'There is no such stream',
  bind_denied: 'Access denied',
  bind_invalid: 'The bind is invalid',
  binds_too_many: 'Too many binds',
  binds_too_fast: 'Too many binds at once',
  not_bound: 'There is no such bind',
  subscriptions_too_many: 'Too many subscriptions',
  subscriptions_too_fast: 'Too many subscriptions at once',
};

import type { Denial } from '../../../domain/denial.ts';
import type { Principal } from '../../../domain/principal.ts';
import { singleValue } from '../../../domain/variables.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import type { Sender } from './spaces-body.ts';
import type { SpacesSettings } from './spaces-settings.ts';

/** What a principal is as the sender of events. Nothing of it is the client's to say. */
export function senderOf(
  principal: Principal,
  { id, fields, anonymous }: SpacesSettings['sender'],
): Verdict<Sender, Denial> {
  const { credentials, variables } = principal;
  if (credentials.length === 0) return refused({ code: 'token_missing', reason: 'there is no token' });
  const own = singleValue(variables, id);
  if (own === undefined) {
    return refused({ code: 'token_claims_invalid', reason: `the token has no single {${id}}, which names a sender` });
  }
  const further = Object.entries(fields).flatMap(([field, variable]): (readonly [string, string])[] => {
    const value = singleValue(variables, variable);
    return value === undefined ? [] : [[field, value]];
  });
  const isAnonymous = credentials.some(({ name }) => anonymous.includes(name));
  return allowed({ ...Object.fromEntries(further), _id: own, type: isAnonymous ? 'anonymous' : 'user' });
}

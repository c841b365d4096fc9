import type { CheckAnswer } from '../domain/access-rule.ts';
import type { Denial } from '../domain/denial.ts';
import type { AccessControl, JoinGrant } from '../domain/ports/access-control.ts';
import type { Principal } from '../domain/principal.ts';
import { united, type Variables } from '../domain/variables.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import { decideWithChecks } from './decide-with-checks.ts';
import type { AccessCheck } from './ports/access-check.ts';

export type RoomsDependencies = {
  readonly access: AccessControl;
  readonly checks: ReadonlyMap<string, AccessCheck>;
};

export type RoomsQuestion = {
  readonly principal: Principal;
  readonly tokens: ReadonlyMap<string, string>;
  /** What the client says of itself, and `connection`. */
  readonly variables: Variables;
};

/** Whether somebody may be here with these variables, and in which rooms. Rejects when a check cannot tell now. */
export async function decideRooms(
  { principal, tokens, variables }: RoomsQuestion,
  { access, checks }: RoomsDependencies,
  signal: AbortSignal,
): Promise<Verdict<JoinGrant, Denial>> {
  const answers = new Map<string, CheckAnswer>();
  const request = { principal, variables, checks: answers };
  const question = {
    variables: united(variables, principal.variables),
    tokens,
    expiresAt: principal.expiresAt,
  };
  const connect = await decideWithChecks(() => access.mayConnect(request), answers, checks, question, signal);
  if (connect.kind === 'deny') return refused(connect);
  const join = await decideWithChecks(() => access.mayJoin(request), answers, checks, question, signal);
  return join.kind === 'deny' ? refused(join) : allowed(join.value);
}

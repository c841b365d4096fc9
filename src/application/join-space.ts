import type { MembershipPolicy } from '../domain/membership-policy.ts';
import type { AccessDecision, AccessRequest } from '../domain/ports/access-control.ts';
import type { VariableValue } from '../domain/variables.ts';
import { decideWithChecks } from './decide-with-checks.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { AccessCheck } from './ports/access-check.ts';
import type { Session, SpaceAdmission, SpaceAnswer, SpaceRequest } from './ports/admission.ts';
import type { Observer } from './ports/observer.ts';

export type JoiningDependencies = Hold & {
  readonly endpoint: string;
  readonly policy: MembershipPolicy;
  readonly checks: ReadonlyMap<string, AccessCheck>;
  readonly observer: Observer;
};

type Decided = Exclude<AccessDecision<true>, { kind: 'ask' }>;

/** A client and a space in; whether it is a member. Asked anew each time: nothing is remembered here. */
export function createSpaceAdmission(dependencies: JoiningDependencies): SpaceAdmission {
  const { endpoint, policy, observer } = dependencies;

  function answerOf(session: Session, decision: Decided): SpaceAnswer {
    if (decision.kind === 'allow') return { kind: 'member' };
    const { code, reason } = decision;
    observer.observe({ kind: 'access-denied', endpoint, connection: session.connection, code, reason });
    return { kind: 'denied', denial: { code, reason } };
  }

  return {
    mayJoin(session, asked, gone) {
      const answers = new Map<string, boolean>();
      const request = { principal: session.principal, variables: session.variables, checks: answers };
      const decision = policy.mayJoin(request, asked.space);
      if (decision.kind !== 'ask') return answerOf(session, decision);
      return askUntilKnown(session, request, { ...asked, answers }, gone);
    },
  };

  async function askUntilKnown(
    session: Session,
    request: AccessRequest,
    { space, password, fresh, answers }: SpaceRequest & { readonly answers: Map<string, boolean> },
    gone: AbortSignal,
  ): Promise<SpaceAnswer> {
    const { principal, variables, tokens, connection } = session;
    // What the client asks for never stands for something that its tokens say; the config has refused such names.
    const asked = new Map<string, VariableValue>([['space', space]]);
    if (password !== undefined) asked.set('password', password);
    const question = {
      variables: new Map([...variables, ...principal.variables, ...asked]),
      tokens,
      expiresAt: principal.expiresAt,
      fresh,
    };
    const decide = (signal: AbortSignal) =>
      decideWithChecks(() => policy.mayJoin(request, space), answers, dependencies.checks, question, signal);
    const held = await holdWhileUnknown(decide, dependencies, gone);
    if (held.kind === 'answered') return answerOf(session, held.answer);
    if (!gone.aborted) observer.observe({ kind: 'access-unknown', endpoint, connection, error: held.error });
    return { kind: 'try-later', retryAfterMs: held.retryAfterMs };
  }
}

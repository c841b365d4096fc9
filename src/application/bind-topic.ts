import type { CheckAnswer } from '../domain/access-rule.ts';
import type { Denial } from '../domain/denial.ts';
import type { AccessControl, BindGrant, BindRequest } from '../domain/ports/access-control.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import { type BackOff, backOffDelayMs } from './back-off.ts';
import { decideWithChecks } from './decide-with-checks.ts';
import { Fault } from './fault.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { AccessCheck } from './ports/access-check.ts';
import type { BindAdmission, BindAnswer, Session } from './ports/admission.ts';
import type { Observer } from './ports/observer.ts';
import type { TopicBindings } from './topic-bindings.ts';

export type BindingDependencies = Hold & {
  readonly endpoint: string;
  readonly access: AccessControl;
  readonly checks: ReadonlyMap<string, AccessCheck>;
  readonly bindings: Pick<TopicBindings, 'bind'>;
  readonly observer: Observer;
};

const backOff: BackOff = { delayMsMin: 200, delayMsMax: 10_000 };
const retryAfterMs = 5000;

/** A client's stream and key in; a pattern that events match, or why not. */
export function createBindAdmission(dependencies: BindingDependencies): BindAdmission {
  const { endpoint, observer } = dependencies;
  return {
    async bind(session, bind, gone) {
      const { connection } = session;
      const denied = ({ code, reason }: Denial): BindAnswer => {
        observer.observe({ kind: 'access-denied', endpoint, connection, code, reason });
        return { kind: 'denied', denial: { code, reason } };
      };
      const held = await holdWhileUnknown((signal) => mayBind(session, bind, dependencies, signal), dependencies, gone);
      if (held.kind === 'try-later') {
        if (!gone.aborted) observer.observe({ kind: 'access-unknown', endpoint, connection, error: held.error });
        return { kind: 'try-later', retryAfterMs: held.retryAfterMs };
      }
      if (!held.answer.ok) return denied(held.answer.reason);
      const answer = await bindUntilGone(held.answer.value, dependencies, gone);
      if (answer.kind === 'denied') return denied(answer.denial);
      if (answer.kind === 'bound') observer.observe({ kind: 'topic-bound', endpoint, connection, stream: bind.stream });
      if (answer.kind === 'failed') {
        observer.observe({ kind: 'access-unknown', endpoint, connection, error: answer.error });
        return { kind: 'try-later', retryAfterMs };
      }
      return answer;
    },
  };
}

async function mayBind(
  { principal, variables, tokens }: Session,
  bind: BindRequest,
  { access, checks }: BindingDependencies,
  signal: AbortSignal,
): Promise<Verdict<BindGrant, Denial>> {
  const answers = new Map<string, CheckAnswer>();
  const request = { principal, variables, checks: answers };
  const question = {
    variables: new Map([...variables, ...principal.variables, ...access.bindVariables(bind)]),
    tokens,
    expiresAt: principal.expiresAt,
  };
  const decision = await decideWithChecks(() => access.mayBind(request, bind), answers, checks, question, signal);
  if (decision.kind === 'allow') return allowed(decision.value);
  return refused({ code: decision.code, reason: decision.reason });
}

/** A broker that cannot bind now is asked again for as long as the client is there: many clients hear no answer. */
async function bindUntilGone(
  grant: BindGrant,
  { bindings, clock, random }: BindingDependencies,
  gone: AbortSignal,
): Promise<BindAnswer | { readonly kind: 'failed'; readonly error: unknown }> {
  for (let tries = 1; !gone.aborted; tries += 1) {
    try {
      const bound = await bindings.bind(grant, gone);
      return bound.ok ? { kind: 'bound', ...bound.value } : { kind: 'denied', denial: bound.reason };
    } catch (error) {
      if (gone.aborted) break;
      if (!(error instanceof Fault) || error.disposition !== 'retry') return { kind: 'failed', error };
      await clock.wait(backOffDelayMs(backOff, tries, random()), gone);
    }
  }
  return { kind: 'try-later', retryAfterMs };
}

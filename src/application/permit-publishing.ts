import type { CheckAnswer } from '../domain/access-rule.ts';
import type { Denial } from '../domain/denial.ts';
import type { Event } from '../domain/event.ts';
import type { AccessControl } from '../domain/ports/access-control.ts';
import type { Variables } from '../domain/variables.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import { type AuthenticationDependencies, authenticate } from './authenticate.ts';
import { decideWithChecks } from './decide-with-checks.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { AccessCheck } from './ports/access-check.ts';
import type { Presented, PublishAdmission } from './ports/admission.ts';
import type { Observer } from './ports/observer.ts';

export type PublishingDependencies = AuthenticationDependencies &
  Hold & {
    readonly source: string;
    readonly access: AccessControl;
    readonly checks: ReadonlyMap<string, AccessCheck>;
    readonly observer: Observer;
  };

/** Credentials and events in; whether all of them may be published, or why not. */
export function createPublishAdmission(dependencies: PublishingDependencies): PublishAdmission {
  const { source: endpoint, observer } = dependencies;
  return {
    async mayPublish(presented, events, gone) {
      const held = await holdWhileUnknown(
        (signal) => decidePublishing(presented, events, dependencies, signal),
        dependencies,
        gone,
      );
      if (held.kind === 'try-later') {
        observer.observe({ kind: 'access-unknown', endpoint, error: held.error });
        return { kind: 'try-later', retryAfterMs: held.retryAfterMs };
      }
      if (held.answer.ok) return { kind: 'allowed' };
      const { code, reason } = held.answer.reason;
      observer.observe({ kind: 'access-denied', endpoint, code, reason });
      return { kind: 'denied', denial: { code, reason } };
    },
  };
}

const noVariables: Variables = new Map();

async function decidePublishing(
  presented: Presented,
  events: readonly Event[],
  dependencies: PublishingDependencies,
  signal: AbortSignal,
): Promise<Verdict<true, Denial>> {
  const { access, checks } = dependencies;
  const authenticated = await authenticate(presented, dependencies, signal);
  if (!authenticated.ok) return authenticated;
  const { principal, tokens } = authenticated.value;
  const answers = new Map<string, CheckAnswer>();
  const request = { principal, variables: noVariables, checks: answers };
  const question = { variables: principal.variables, tokens, expiresAt: principal.expiresAt };
  const decide = (event?: Event) =>
    decideWithChecks(() => access.mayPublish(request, event), answers, checks, question, signal);
  if (events.length === 0) {
    const decision = await decide();
    if (decision.kind === 'deny') return refused({ code: decision.code, reason: decision.reason });
  }
  for (const [index, event] of events.entries()) {
    const decision = await decide(event);
    if (decision.kind === 'deny') return refused({ code: decision.code, reason: `event ${index}: ${decision.reason}` });
  }
  return allowed(true);
}

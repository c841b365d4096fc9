import type { Denial } from '../domain/denial.ts';
import type { AccessControl } from '../domain/ports/access-control.ts';
import { singleValue } from '../domain/variables.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import { type AuthenticationDependencies, authenticate } from './authenticate.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { Presented } from './ports/admission.ts';
import type { Caller, CallerIdentification } from './ports/caller-identification.ts';
import type { Observer } from './ports/observer.ts';

export type CallerDependencies = AuthenticationDependencies &
  Hold & {
    /** What is asked for, for the log. */
    readonly endpoint: string;
    /** The variable of a token that says whose it is. */
    readonly userVariable: string;
    /** Whoever may connect by it is an administrator; nobody where there is none. */
    readonly administrators: AccessControl | undefined;
    readonly observer: Observer;
  };

/** Credentials in; who it is, or why nobody. */
export function createCallerIdentification(dependencies: CallerDependencies): CallerIdentification {
  const { endpoint, observer } = dependencies;
  return {
    async identify(presented, gone) {
      const held = await holdWhileUnknown((signal) => callerOf(presented, dependencies, signal), dependencies, gone);
      if (held.kind === 'try-later') {
        observer.observe({ kind: 'access-unknown', endpoint, error: held.error });
        return { kind: 'try-later', retryAfterMs: held.retryAfterMs };
      }
      if (held.answer.ok) return { kind: 'known', caller: held.answer.value };
      const { code, reason } = held.answer.reason;
      observer.observe({ kind: 'access-denied', endpoint, code, reason });
      return { kind: 'denied', denial: { code, reason } };
    },
  };
}

async function callerOf(
  presented: Presented,
  dependencies: CallerDependencies,
  signal: AbortSignal,
): Promise<Verdict<Caller, Denial>> {
  const { userVariable, administrators } = dependencies;
  const authenticated = await authenticate(presented, dependencies, signal);
  if (!authenticated.ok) return authenticated;
  const { principal } = authenticated.value;
  const userId = singleValue(principal.variables, userVariable);
  // Without it there is no telling whose things to show, and nobody's are not everybody's.
  if (userId === undefined) {
    return refused({ code: 'token_claims_invalid', reason: `no token gives the variable "${userVariable}"` });
  }
  const decision = administrators?.mayConnect({ principal, variables: new Map(), checks: new Map() });
  return allowed({ userId, isAdmin: decision?.kind === 'allow' });
}

import type { Denial } from '../domain/denial.ts';
import type { AccessControl, JoinGrant } from '../domain/ports/access-control.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import { type AuthenticationDependencies, authenticate } from './authenticate.ts';
import { decideWithChecks } from './decide-with-checks.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { AccessCheck } from './ports/access-check.ts';
import type { ConnectionAdmission, Presented, Session } from './ports/admission.ts';
import type { Observer } from './ports/observer.ts';
import { type QueryRule, readQueryVariables } from './query-variables.ts';

export type AdmissionDependencies = AuthenticationDependencies &
  Hold & {
    readonly endpoint: string;
    readonly query: readonly QueryRule[];
    readonly access: AccessControl;
    readonly checks: ReadonlyMap<string, AccessCheck>;
    readonly atTokenExpiry: 'keep' | 'close';
    readonly observer: Observer;
  };

type Admitted = { readonly session: Session; readonly grant: JoinGrant };

/** Credentials and query in; a principal with its rooms out, or why not. */
export function createConnectionAdmission(dependencies: AdmissionDependencies): ConnectionAdmission {
  const { endpoint, observer, atTokenExpiry } = dependencies;
  return {
    async admit(connection, presented, gone) {
      const held = await holdWhileUnknown(
        (signal) => decide(connection, presented, dependencies, signal),
        dependencies,
        gone,
      );
      if (held.kind === 'try-later') {
        observer.observe({ kind: 'access-unknown', endpoint, connection, error: held.error });
        return { kind: 'try-later', retryAfterMs: held.retryAfterMs };
      }
      if (!held.answer.ok) {
        const { code, reason } = held.answer.reason;
        observer.observe({ kind: 'access-denied', endpoint, connection, code, reason });
        return { kind: 'denied', denial: { code, reason } };
      }
      const { session, grant } = held.answer.value;
      for (const ignored of grant.ignored) {
        observer.observe({ kind: 'rooms-ignored', endpoint, connection, ...ignored });
      }
      const closesAt = atTokenExpiry === 'close' ? session.principal.expiresAt : undefined;
      return { kind: 'admitted', session, rooms: grant.rooms, closesAt };
    },
  };
}

async function decide(
  connection: string,
  presented: Presented,
  dependencies: AdmissionDependencies,
  signal: AbortSignal,
): Promise<Verdict<Admitted, Denial>> {
  const { query, access, checks } = dependencies;
  // The cheap refusals come first: no key is fetched for a query that cannot be.
  const variables = readQueryVariables(presented, query);
  if (!variables.ok) return variables;
  variables.value.set('connection', connection);
  const authenticated = await authenticate(presented, dependencies, signal);
  if (!authenticated.ok) return authenticated;

  const { principal, tokens } = authenticated.value;
  const answers = new Map<string, boolean>();
  const request = { principal, variables: variables.value, checks: answers };
  const question = {
    variables: new Map([...variables.value, ...principal.variables]),
    tokens,
    expiresAt: principal.expiresAt,
  };
  const connect = await decideWithChecks(() => access.mayConnect(request), answers, checks, question, signal);
  if (connect.kind === 'deny') return refused(connect);
  const join = await decideWithChecks(() => access.mayJoin(request), answers, checks, question, signal);
  if (join.kind === 'deny') return refused(join);
  const session = { connection, principal, variables: variables.value, tokens };
  return allowed({ session, grant: join.value });
}

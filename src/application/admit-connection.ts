import type { Denial } from '../domain/denial.ts';
import type { JoinGrant } from '../domain/ports/access-control.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import { type AuthenticationDependencies, authenticate } from './authenticate.ts';
import { decideRooms, type RoomsDependencies } from './decide-rooms.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { ConnectionAdmission, Presented, Session } from './ports/admission.ts';
import type { Observer } from './ports/observer.ts';
import { type QueryRule, readQueryVariables } from './query-variables.ts';

export type AdmissionDependencies = AuthenticationDependencies &
  RoomsDependencies &
  Hold & {
    readonly endpoint: string;
    readonly query: readonly QueryRule[];
    /** `last`: who may not be here hears of nothing else, as HTTP has it: 401, 403, 400. */
    readonly queryJudged?: 'first' | 'last' | undefined;
    readonly atTokenExpiry: 'keep' | 'close';
    readonly observer: Observer;
  };

const noTokens: Session['tokens'] = new Map();

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
  const { query, queryJudged = 'first' } = dependencies;
  const { variables, problem } = readQueryVariables(presented, query);
  // The cheap refusals come first: no key is fetched for a query that cannot be.
  if (problem && queryJudged === 'first') return refused(problem);
  variables.set('connection', connection);
  const authenticated = await authenticate(presented, dependencies, signal);
  if (!authenticated.ok) return authenticated;

  const { principal, tokens } = authenticated.value;
  const grant = await decideRooms({ principal, tokens, variables }, dependencies, signal);
  if (!grant.ok) return grant;
  if (problem) return refused(problem);
  // They are for checks alone, and a token may be larger than all else that is kept of a connection.
  const session = { connection, principal, variables, tokens: dependencies.checks.size > 0 ? tokens : noTokens };
  return allowed({ session, grant: grant.value });
}

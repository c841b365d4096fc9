import type { Denial } from '../domain/denial.ts';
import type { JoinGrant } from '../domain/ports/access-control.ts';
import { refused, type Verdict } from '../domain/verdict.ts';
import { decideRooms, type RoomsDependencies } from './decide-rooms.ts';
import { type Hold, holdWhileUnknown } from './hold-while-unknown.ts';
import type { Presented, RoomAdmission, RoomAnswer, Session } from './ports/admission.ts';
import type { Observer } from './ports/observer.ts';
import { type QueryRule, readQueryVariables } from './query-variables.ts';

export type JoiningDependencies = RoomsDependencies &
  Hold & {
    readonly endpoint: string;
    readonly query: readonly QueryRule[];
    readonly observer: Observer;
  };

/** For who is connected already: other query fields in, the rooms of these out, or why not. */
export function createRoomAdmission(dependencies: JoiningDependencies): RoomAdmission {
  const { endpoint, observer } = dependencies;
  return {
    async join(session, presented, gone): Promise<RoomAnswer> {
      const { connection } = session;
      const held = await holdWhileUnknown(
        (signal) => decide(session, presented, dependencies, signal),
        dependencies,
        gone,
      );
      if (held.kind === 'try-later') {
        if (!gone.aborted) observer.observe({ kind: 'access-unknown', endpoint, connection, error: held.error });
        return { kind: 'try-later', retryAfterMs: held.retryAfterMs };
      }
      if (!held.answer.ok) {
        const { code, reason } = held.answer.reason;
        observer.observe({ kind: 'access-denied', endpoint, connection, code, reason });
        return { kind: 'denied', denial: { code, reason } };
      }
      const { rooms, ignored } = held.answer.value;
      for (const each of ignored) observer.observe({ kind: 'rooms-ignored', endpoint, connection, ...each });
      return { kind: 'joined', rooms };
    },
  };
}

async function decide(
  { connection, principal, tokens }: Session,
  presented: Presented,
  dependencies: JoiningDependencies,
  signal: AbortSignal,
): Promise<Verdict<JoinGrant, Denial>> {
  // A connection may outlive its token; a token that has ended gives nothing new.
  if (principal.expiresAt !== undefined && principal.expiresAt <= dependencies.clock.now()) {
    return refused({ code: 'token_expired', reason: 'the token of the connection has ended' });
  }
  const { variables, problem } = readQueryVariables(presented, dependencies.query);
  variables.set('connection', connection);
  const grant = await decideRooms({ principal, tokens, variables }, dependencies, signal);
  return grant.ok && problem ? refused(problem) : grant;
}

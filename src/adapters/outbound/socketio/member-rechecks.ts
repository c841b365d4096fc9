import type { Session, SpaceAdmission } from '../../../application/ports/admission.ts';
import type { Clock } from '../../../application/ports/clock.ts';
import type { SpaceId } from '../../../domain/space.ts';
import type { Subscription } from './spaces-subscription.ts';

export type RecheckedMember = {
  readonly session: Session;
  readonly admission: SpaceAdmission;
  readonly clock: Clock;
  readonly subscriptionTo: (space: SpaceId) => Subscription | undefined;
  readonly remove: (space: SpaceId) => void;
};

/** Looks again whether a client may be in its spaces, each time that somebody demands it. */
export class MemberRechecks {
  readonly #member: RecheckedMember;
  readonly #gone = new AbortController();
  /** Under way, and whether it must be done once more. */
  readonly #running = new Map<SpaceId, { again: boolean }>();

  constructor(member: RecheckedMember) {
    this.#member = member;
  }

  demand(space: SpaceId): void {
    const running = this.#running.get(space);
    if (running) running.again = true;
    else void this.#recheck(space);
  }

  /** The client has gone. */
  end(): void {
    this.#gone.abort();
  }

  /** Until it is known, however long that takes: a client is in a space or not, and nobody guesses. */
  async #recheck(space: SpaceId): Promise<void> {
    const { session, admission, clock, subscriptionTo, remove } = this.#member;
    const gone = this.#gone.signal;
    const state = { again: true };
    this.#running.set(space, state);
    while (state.again) {
      state.again = false;
      const subscription = subscriptionTo(space);
      if (!subscription || gone.aborted) break;
      const { password } = subscription;
      const answer = await admission.mayJoin(session, { space, password, fresh: true }, gone);
      // One that has come back meanwhile was looked at for itself; whoever wants it looked at since then means this one.
      if (subscriptionTo(space) !== subscription) continue;
      if (answer.kind === 'try-later') {
        state.again = true;
        await clock.wait(answer.retryAfterMs, gone);
      } else if (answer.kind === 'denied' && !state.again) {
        remove(space);
      }
    }
    this.#running.delete(space);
  }
}

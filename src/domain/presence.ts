/** What the others in a space know of one session: nothing, that it is there, or that it has left. */
export type PresenceState = 'unknown' | 'online' | 'left';

export type PresenceNews = 'online' | 'leaves' | 'other';

/** After what a session has said itself. */
export function presenceAfter(state: PresenceState, news: PresenceNews): PresenceState {
  switch (news) {
    case 'online':
      return 'online';
    case 'leaves':
      return 'left';
    case 'other':
      return state === 'left' ? 'online' : state;
  }
}

/** `lost`: its connection has ended. `unsubscribed`: by itself. `removed`: it may not be there any more. */
export type Departure = 'lost' | 'unsubscribed' | 'removed';

/** `each-session`: of every one that leaves. `last-session`: when the user has no other one in the space. */
export type LeavingPolicy = 'each-session' | 'last-session' | 'never';

/**
 * Whether the others are told that a session has left. Not twice; and a client that unsubscribes without having been
 * seen, since most tell of it themselves, before or after (avaya-spaces section 5).
 */
export function isLeavingTold(
  state: PresenceState,
  departure: Departure,
  policy: LeavingPolicy,
  hasOtherSession: boolean,
): boolean {
  if (state === 'left' || policy === 'never') return false;
  if (departure === 'unsubscribed' && state !== 'online') return false;
  return policy === 'each-session' || !hasOtherSession;
}

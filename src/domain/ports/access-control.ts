import type { CheckAnswer } from '../access-rule.ts';
import type { Denial } from '../denial.ts';
import type { Event } from '../event.ts';
import type { Principal } from '../principal.ts';
import type { RoomName } from '../room.ts';
import type { EventFilter } from '../stream-index.ts';
import type { TopicPattern } from '../topic-pattern.ts';
import type { Variables } from '../variables.ts';

/** Who asks, with what, and what the checks that were asked for have answered so far. */
export type AccessRequest = {
  readonly principal: Principal;
  /** What the client says of itself: declared query fields, and `connection`. Never stands above a token's variable. */
  readonly variables: Variables;
  /** Answers of access checks by name; a check that is missing here has not been asked. */
  readonly checks: ReadonlyMap<string, CheckAnswer>;
};

/** Every decision carries its reason. */
export type AccessDecision<T> =
  | { readonly kind: 'allow'; readonly value: T; readonly reason: string }
  | ({ readonly kind: 'deny' } & Denial)
  /** The named checks are to be run, and the question put again with their answers. */
  | { readonly kind: 'ask'; readonly checks: readonly string[] };

/** The rooms that a connection is in, and those that it asked for and does not get. */
export type JoinGrant = {
  readonly rooms: readonly RoomName[];
  readonly ignored: readonly IgnoredRooms[];
};
export type IgnoredRooms = { readonly template: string; readonly reason: string };

/** What a client asks for: events of a stream whose keys match the pattern. */
export type BindRequest = { readonly stream: string; readonly key: string };

export type BindGrant = {
  readonly stream: string;
  readonly pattern: TopicPattern;
  /** Which of the events that match are for this bind; absent where all of them are. */
  readonly filter?: EventFilter | undefined;
};

/** Pure and synchronous; never throws. */
export interface AccessControl {
  mayConnect(request: AccessRequest): AccessDecision<true>;
  mayJoin(request: AccessRequest): AccessDecision<JoinGrant>;
  /** Without an event: denied only where no event at all could be published. */
  mayPublish(request: AccessRequest, event?: Event): AccessDecision<true>;
  /** What the words of the key are called, and `key`, are variables for the checks of the stream; see `bindVariables`. */
  mayBind(request: AccessRequest, bind: BindRequest): AccessDecision<BindGrant>;
  /** The variables that a bind gives its checks: the named parts of its key, `stream` and `key`. */
  bindVariables(bind: BindRequest): Variables;
}

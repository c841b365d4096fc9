import type { Denial } from '../../domain/denial.ts';
import type { Event } from '../../domain/event.ts';
import type { BindRequest } from '../../domain/ports/access-control.ts';
import type { Principal } from '../../domain/principal.ts';
import type { RoomName } from '../../domain/room.ts';
import type { SpaceId } from '../../domain/space.ts';
import type { PatternId } from '../../domain/stream-index.ts';
import type { Variables } from '../../domain/variables.ts';

/**
 * What a client presented, wherever its protocol puts it. Places are those of the config: `auth.token`, `query.topics`,
 * `header.authorization` (header names in lower case).
 */
export type Presented = {
  /** Every value given at a place, in order, as text and undecoded lists; none where there is nothing. */
  read(place: string): readonly string[];
};

/** Who a connection is, for what it asks for later. */
export type Session = {
  readonly connection: string;
  readonly principal: Principal;
  /** Declared query fields, and `connection`. */
  readonly variables: Variables;
  /** The verified tokens by credential name, for checks that relay them. */
  readonly tokens: ReadonlyMap<string, string>;
};

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly session: Session;
      readonly rooms: readonly RoomName[];
      /** When the first of its tokens ends, in milliseconds since the epoch; absent when the config lets it stay. */
      readonly closesAt?: number | undefined;
    }
  | { readonly kind: 'denied'; readonly denial: Denial }
  /** There is no telling now. The delay has jitter in it already. */
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

/** An endpoint's way in; observes what it decides. Never rejects. */
export interface ConnectionAdmission {
  /** @param connection the endpoint's id of the connection, the variable `{connection}`. */
  admit(connection: string, presented: Presented, signal: AbortSignal): Promise<Admission>;
}

export type RoomAnswer =
  | { readonly kind: 'joined'; readonly rooms: readonly RoomName[] }
  | { readonly kind: 'denied'; readonly denial: Denial }
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

/** Further rooms for who is connected already; observes what it decides. Never rejects. */
export interface RoomAdmission {
  /**
   * Decides as when it connected, with what is presented in the place of the query, and nothing of the first one.
   * Refused when its token has ended. When the signal aborts, the answer means nothing.
   */
  join(session: Session, presented: Presented, signal: AbortSignal): Promise<RoomAnswer>;
}

export type BindAnswer =
  /** The caller releases it, once, when the client wants it no more or has gone. */
  | { readonly kind: 'bound'; readonly pattern: PatternId; readonly release: () => void }
  | { readonly kind: 'denied'; readonly denial: Denial }
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

/** What a connected client asks for; observes what it decides. Never rejects. */
export interface BindAdmission {
  /**
   * Access is told within the time that clients are held; then it waits for the broker as long as the client is there.
   * When the signal aborts, the answer means nothing; a binding that comes all the same is to be released.
   */
  bind(session: Session, bind: BindRequest, signal: AbortSignal): Promise<BindAnswer>;
}

export type SpaceRequest = {
  readonly space: SpaceId;
  /** What the client says beside its token. In no log. */
  readonly password: string | undefined;
  /** No answer from before counts. */
  readonly fresh?: boolean;
};

export type SpaceAnswer =
  | { readonly kind: 'member' }
  | { readonly kind: 'denied'; readonly denial: Denial }
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

/** Whether a connected client is a member of a space; observes what it decides. Never rejects. */
export interface SpaceAdmission {
  /** Answers at once where nobody else is to be asked. Each call asks anew. */
  mayJoin(session: Session, request: SpaceRequest, signal: AbortSignal): SpaceAnswer | Promise<SpaceAnswer>;
}

export type PublishPermission =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'denied'; readonly denial: Denial }
  | { readonly kind: 'try-later'; readonly retryAfterMs: number };

/** A publishing source's way in; observes what it decides. Never rejects. */
export interface PublishAdmission {
  /**
   * All or nothing: one event that may not be published refuses them all. With no event at all, whether this publisher
   * could publish any.
   */
  mayPublish(presented: Presented, events: readonly Event[], signal: AbortSignal): Promise<PublishPermission>;
}

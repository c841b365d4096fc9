import type { PresenceState } from '../../../domain/presence.ts';
import type { RoomName } from '../../../domain/room.ts';
import type { SpaceId } from '../../../domain/space.ts';
import type { SpacesAnswer } from './spaces-answer.ts';
import type { Sender } from './spaces-body.ts';
import { isObject, type JsonObject } from './spaces-request.ts';

/** One socket as the others in a space see it. */
export type SpacesPeer = {
  readonly sender: Sender;
  /** Queues a ready frame; false when it is closing, or is cut for it. */
  send(frame: Buffer): boolean;
  /** Asks again whether it may be in the space, and takes it out when not. */
  recheck(space: SpaceId): void;
  /** Tells it to stay away. */
  kick(): void;
  answer(answer: SpacesAnswer): void;
};

/** One socket in one space. */
export type Subscription = {
  readonly peer: SpacesPeer;
  readonly space: SpaceId;
  readonly room: RoomName;
  readonly dtsid: string;
  readonly sessionId: string;
  /** What the client said with it, for when it is looked at again. */
  password: string | undefined;
  presence: PresenceState;
};

/** What a client sent itself: where it came from, and what is for nobody else. */
export type Origin = { readonly subscription: Subscription; readonly loopback: unknown };

export type AudienceRules = {
  readonly echo: 'with-loopback' | 'always' | 'never';
  readonly receivers: 'only-them' | 'everybody';
};

export const forEverybody: AudienceRules = { echo: 'always', receivers: 'everybody' };

/** Whether one of the subscriptions of a space gets an event. The socket that sent it is a case of its own. */
export function isAudience(
  subscription: Subscription,
  receivers: Receivers | undefined,
  origin: Origin | undefined,
  rules: AudienceRules,
): boolean {
  if (origin?.subscription.peer === subscription.peer) {
    return rules.echo === 'always' || (rules.echo === 'with-loopback' && origin.loopback !== undefined);
  }
  if (rules.receivers === 'everybody' || !receivers) return true;
  return receivers.includes(subscription.peer.sender);
}

/** Those whom an event names. */
export type Receivers = { includes(user: Pick<Sender, '_id' | 'type'>): boolean };

/** Nothing where it is for all. One of no type that a client can have is meant by its id alone. */
export function receiversOf({ receivers }: JsonObject, sender?: unknown): Receivers | undefined {
  if (!Array.isArray(receivers) || receivers.length === 0) return undefined;
  const named = new Set([...receivers, sender].flatMap((each: unknown) => (isObject(each) ? keyOf(each) : [])));
  return {
    includes: ({ _id, type }) => named.has(`${type} ${_id}`) || named.has(` ${_id}`),
  };
}

function keyOf({ _id: id, type }: JsonObject): readonly string[] {
  if (typeof id !== 'string') return [];
  return [`${type === 'user' || type === 'anonymous' ? type : ''} ${id}`];
}

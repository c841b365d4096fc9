import type { PresenceNews } from '../../../domain/presence.ts';
import type { SpaceId } from '../../../domain/space.ts';
import { isObject, type JsonObject, type SentKind } from './spaces-request.ts';

/** Who sends, as its tokens say. */
export type Sender = JsonObject & { readonly _id: string; readonly type: 'user' | 'anonymous' };

export type Sending = {
  readonly id: string;
  readonly space: SpaceId;
  readonly sender: Sender;
  /** Of the sender's subscription. */
  readonly sessionId: string;
  /** ISO 8601. */
  readonly now: string;
  readonly withAttendee: boolean;
};

export const leavesCategory = 'app.event.presence.party.leaves';
const onlineCategory = 'app.event.presence.party.online';

/** What is passed on as it was sent. Everything else is the server's to say, or nobody's. */
const passedOn: Readonly<Record<SentKind, readonly string[]>> = {
  message: ['category', 'content', 'parentMsg', 'mentions', 'chatMessages', 'receivers', 'version'],
  presence: ['category', 'content', 'receivers', 'subscribeTime', 'version'],
  media: ['category', 'content', 'receivers', 'data', 'comment', 'version'],
};

/** What others get of an event that a client sends (avaya-spaces sections 3.1 to 3.5). */
export function bodyOf(sent: SentKind, request: JsonObject, sending: Sending): JsonObject {
  const kept = pick(request, passedOn[sent]);
  switch (sent) {
    case 'message':
      return messageBody(kept, sending);
    case 'presence':
      return presenceBody(kept, request, sending);
    case 'media':
      return mediaBody(kept, sending);
  }
}

function messageBody(kept: JsonObject, { id, space, sender, now }: Sending): JsonObject {
  return { _id: id, category: 'chat', ...kept, sender, topicId: space, created: now };
}

function presenceBody(kept: JsonObject, request: JsonObject, sending: Sending): JsonObject {
  const { space, sender, sessionId, withAttendee } = sending;
  const content = {
    ...(isObject(kept['content']) ? kept['content'] : {}),
    sessionId,
    ...(withAttendee ? { attendee: attendeeOf(sender) } : {}),
  };
  // Typing says who types beside the sender.
  const who = request['userId'] === undefined ? {} : { userId: sender._id };
  return { ...kept, ...who, content, sender, topicId: space };
}

function mediaBody(kept: JsonObject, { id, space, sender, now }: Sending): JsonObject {
  const content = isObject(kept['content']) ? kept['content'] : {};
  return { _id: id, messageId: id, ...kept, content, sender, topicId: space, created: now, modified: now };
}

const attendeeOf = ({ _id, type }: Sender): JsonObject => ({
  attendeeType: type === 'anonymous' ? 'anonymousId' : 'userId',
  attendee: _id,
});

/** What a client would have sent that can send nothing any more. */
export const leavingRequest: JsonObject = {
  category: leavesCategory,
  content: {
    desktop: false,
    idle: false,
    offline: true,
    mediaSession: { audio: false, connected: false, screenshare: false, selfMuted: false, video: false },
  },
};

/** What a presence event says of its sender. */
export function presenceNews(category: unknown): PresenceNews {
  if (category === leavesCategory) return 'leaves';
  return category === onlineCategory ? 'online' : 'other';
}

/** A name that is in no list is left out, whatever it is; `__proto__` would be one like any other. */
const pick = (object: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.filter((name) => object[name] !== undefined).map((name) => [name, object[name]]));

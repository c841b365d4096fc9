import { Event } from '../../../domain/event.ts';
import type { SpaceId } from '../../../domain/space.ts';
import { isObject, type JsonObject, type SentKind } from './spaces-request.ts';

/** What clients get, by name. Only messages are kept for those who come back. */
export const spacesEventNames = [
  'MESSAGE_SENT',
  'PRESENCE_EVENT_RESPONSE',
  'MEDIA_SESSION_RESPONSE',
  'APP_PAIRING_AUTHORIZED',
] as const;
export type SpacesEventName = (typeof spacesEventNames)[number];

/** What back-ends ask of the gateway itself. */
export const controlNames = ['MEMBERS_RECHECK', 'MEMBER_KICK'] as const;
export type ControlName = (typeof controlNames)[number];

/** Attributes of the events that are for spaces; one without a name is a message of a back-end. */
export const attributeNames = {
  name: 'Spaces-Event',
  /** Which process published it. */
  instance: 'Spaces-Instance',
  /** Brokers may give the event another id. */
  id: 'Spaces-Id',
} as const;

const responseNames: Readonly<Record<SentKind, SpacesEventName>> = {
  message: 'MESSAGE_SENT',
  presence: 'PRESENCE_EVENT_RESPONSE',
  media: 'MEDIA_SESSION_RESPONSE',
};

export type EventPlace = {
  readonly stream: string;
  readonly source: string;
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

/** What a client sends, as it is published and delivered. */
export const spacesEvent = (
  sent: SentKind,
  id: string,
  space: SpaceId,
  text: string,
  { stream, source, instance, now }: EventPlace,
): Event =>
  new Event({
    id,
    stream,
    key: space,
    attributes: new Map([
      [attributeNames.name, responseNames[sent]],
      [attributeNames.instance, instance],
      [attributeNames.id, id],
    ]),
    payload: Buffer.from(text),
    contentType: 'application/json',
    publishedAt: now,
    origin: { source, properties: {} },
  });

/** The id that every copy of it has, whatever a broker calls it. */
export const idOf = (event: Event): string => event.attributes.get(attributeNames.id) ?? event.id;

/** What an event is; nothing where its name is unknown. */
export function nameOf(event: Event): SpacesEventName | ControlName | undefined {
  const name = event.attributes.get(attributeNames.name) ?? 'MESSAGE_SENT';
  return [...spacesEventNames, ...controlNames].find((each) => each === name);
}

/** Of what back-ends publish. Clients read the id and the name of a sender without looking whether there is one. */
const serverSender = { _id: 'spaceserver', type: 'spaceserver', displayname: '', username: '' };

/** What clients get of an event: what its payload says, and of whatever it leaves out what they cannot do without. */
export function clientBody(event: Event, name: SpacesEventName, space: string): JsonObject {
  // Whatever a back-end writes there: it is for the socket that sent something, and back-ends have none.
  const { loopbackMetadata: _, ...body } = payloadOf(event);
  switch (name) {
    case 'MESSAGE_SENT':
      return {
        category: 'chat',
        sender: serverSender,
        created: timeOf(event),
        ...body,
        // By this one clients ask for what came after it.
        _id: messageIdOf(body) ?? idOf(event),
        topicId: space,
      };
    case 'PRESENCE_EVENT_RESPONSE':
      return { sender: serverSender, content: {}, ...body, topicId: space };
    case 'MEDIA_SESSION_RESPONSE': {
      const now = timeOf(event);
      return { _id: idOf(event), sender: serverSender, content: {}, modified: now, ...body, topicId: space };
    }
    case 'APP_PAIRING_AUTHORIZED': {
      const channel = isObject(body['channel']) ? body['channel'] : {};
      return { ...body, channel: { ...channel, type: 'topic', _id: space } };
    }
  }
}

/** What a message calls itself. */
export const messageIdOf = ({ _id: id }: JsonObject): string | undefined =>
  typeof id === 'string' && id !== '' ? id : undefined;

const timeOf = ({ publishedAt }: Event): string => new Date(publishedAt).toISOString();

/** A payload that is no object is the text of a message. */
export function payloadOf(event: Event): JsonObject {
  const json = event.jsonText();
  const value: unknown = json === null ? new TextDecoder().decode(event.payload) : JSON.parse(json);
  if (isObject(value)) return value;
  return { content: { bodyText: typeof value === 'string' ? value : (json ?? '') } };
}

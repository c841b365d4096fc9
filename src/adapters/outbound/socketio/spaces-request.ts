import { readSpaceId, type SpaceId } from '../../../domain/space.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Kinds of event that clients send to others. */
export type SentKind = 'message' | 'presence' | 'media';

/** What a client asks for, as far as it can be read; `space` is missing where it names none. */
export type SpacesRequest =
  | {
      readonly kind: 'subscribe';
      /** As it was given, without the password. */
      readonly channel: unknown;
      readonly space: SpaceId | undefined;
      readonly password: string | undefined;
      readonly mistake: string | undefined;
    }
  | { readonly kind: 'unsubscribe'; readonly id: string; readonly space: SpaceId | undefined }
  | {
      readonly kind: 'send';
      readonly sent: SentKind;
      readonly space: SpaceId | undefined;
      readonly body: JsonObject;
      readonly mistake: string | undefined;
    };

const passwordCharactersMax = 1024;
const categoryCharactersMax = 200;
const receiversMax = 1000;

/** By the names of what clients emit (avaya-spaces section 3). */
const readers: ReadonlyMap<string, (body: JsonObject) => SpacesRequest> = new Map([
  ['SUBSCRIBE_CHANNEL', readSubscribe],
  ['UNSUBSCRIBE_CHANNEL', readUnsubscribe],
  ['SEND_MESSAGE', (body: JsonObject) => readSend('message', body)],
  ['SEND_PRESENCE_EVENT', (body: JsonObject) => readSend('presence', body)],
  ['SEND_MEDIA_SESSION_EVENTS', (body: JsonObject) => readSend('media', body)],
]);

/**
 * Nothing for an event that nobody has heard of. A body that is no object, holds bytes or is nested too deep to be written
 * again is one with nothing in it.
 */
export const readSpacesRequest = (name: unknown, body: unknown): SpacesRequest | undefined =>
  typeof name === 'string' ? readers.get(name)?.(isObject(body) && isPlain(body, depthMax) ? body : {}) : undefined;

const depthMax = 64;

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0 || ArrayBuffer.isView(value)) return false;
  return Object.values(value).every((each) => isPlain(each, depth - 1));
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readSubscribe({ channel }: JsonObject): SpacesRequest {
  if (!isObject(channel) || Object.keys(channel).length === 0) {
    return {
      kind: 'subscribe',
      channel,
      space: undefined,
      password: undefined,
      mistake: 'channel data was not provided',
    };
  }
  const { password, ...echo } = channel;
  const space = readSpaceId(channel['_id']);
  const isTopic = channel['type'] === 'topic';
  return {
    kind: 'subscribe',
    channel: echo,
    space,
    password: isPassword(password) ? password : undefined,
    mistake: space === undefined ? 'the channel has no valid _id' : isTopic ? undefined : 'the type must be "topic"',
  };
}

/** Clients also write null, and leave it empty. */
const isPassword = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= passwordCharactersMax;

function readUnsubscribe({ channel }: JsonObject): SpacesRequest {
  const id = isObject(channel) ? channel['_id'] : undefined;
  const space = readSpaceId(id);
  // What is no space's id is nobody's; as long as it is short it is told back.
  return { kind: 'unsubscribe', id: space ?? '', space };
}

function readSend(sent: SentKind, body: JsonObject): SpacesRequest {
  return { kind: 'send', sent, space: readSpaceId(body['topicId']), body, mistake: mistakeIn(sent, body) };
}

function mistakeIn(sent: SentKind, { category, content, receivers }: JsonObject): string | undefined {
  // A message without a category is a chat message.
  const isNamed = typeof category === 'string' && category !== '' && category.length <= categoryCharactersMax;
  if (!isNamed && (sent !== 'message' || category !== undefined)) return 'the category is missing or malformed';
  if (!isObject(content) && (sent === 'message' || content !== undefined)) return 'the content must be an object';
  if (receivers === undefined || receivers === null) return undefined;
  return Array.isArray(receivers) && receivers.length <= receiversMax ? undefined : 'the receivers must be a list';
}

import { isObject, type JsonObject, type SentKind } from './spaces-request.ts';
import type { SpacesSettings } from './spaces-settings.ts';

/** An event for one client: its name and its one argument. */
export type SpacesAnswer = readonly [name: string, body: JsonObject];

/** Why something is refused: a name among `codes`, and a text for people. */
export type Refusal = { readonly code: keyof SpacesSettings['codes']; readonly message: string };

export const subscribed = (id: string, dtsid: string, sessionId: string): SpacesAnswer => [
  'CHANNEL_SUBSCRIBED',
  { channel: { _id: id, type: 'topic' }, dtsid, sessionId },
];

export const unsubscribed = (id: string): SpacesAnswer => [
  'CHANNEL_UNSUBSCRIBED',
  { channel: { _id: id, type: 'topic' } },
];

/** @param channel as the client gave it. */
export const subscribeFailed = (
  channel: unknown,
  { code, message }: Refusal,
  { codes }: Pick<SpacesSettings, 'codes'>,
): SpacesAnswer => ['SUBSCRIBE_CHANNEL_FAILED', { channel, error: { code: codes[code], message } }];

type FailureSettings = Pick<SpacesSettings, 'codes' | 'presence' | 'media'>;

/**
 * What the sender gets of an event that went nowhere: its own again, with the code. Of messages the original says that
 * the failure is "of type" the code (avaya-spaces section 3.3); where in the payload is inferred.
 */
export function sendFailed(
  sent: SentKind,
  request: JsonObject,
  { code, message }: Refusal,
  { codes, presence, media }: FailureSettings,
): SpacesAnswer {
  const error = { code: codes[code], message };
  const given = echo(request, code === 'tooLarge');
  switch (sent) {
    case 'message':
      return ['SEND_MESSAGE_FAILED', { ...given, type: codes[code], error }];
    case 'presence':
      return ['PRESENCE_EVENT_RESPONSE', { ...given, category: presence.invalidCategory, error }];
    case 'media':
      return ['MEDIA_SESSION_RESPONSE', { ...given, category: media.invalidCategory, error }];
  }
}

/** As far as clients read it. A sender that was made up does not come back, nor does what was too large to be sent. */
function echo(
  { category, content, topicId, loopbackMetadata, receivers }: JsonObject,
  isTooLarge: boolean,
): JsonObject {
  // Some read what is in the content without looking whether it is there.
  if (isTooLarge) return { category, content: {}, topicId };
  return { category, content: isObject(content) ? content : {}, topicId, receivers, loopbackMetadata };
}

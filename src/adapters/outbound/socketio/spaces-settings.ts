import { z } from 'zod';
import { parseRoomTemplate } from '../../../domain/room-template.ts';
import {
  accessSettings,
  choiceFields,
  conditionText,
  permitSettings,
  roomTemplateText,
} from '../../settings-fields.ts';
import { wholeNumber } from '../endpoint-fields.ts';
import { engineFields, namespaceText, refineEngine } from './engine-settings.ts';

const nameText = z.string().min(1).max(255);

const membershipSettings = z
  .strictObject({
    ...choiceFields,
    require: conditionText
      .optional()
      .describe('CEL condition that must hold; beside what conditions of endpoints read there is `space`.'),
    checks: z
      .array(z.string())
      .default([])
      .describe(
        'Names of `checks` that must allow it as well; their `url` and `headers` may have `{space}`, and `{password}` ' +
          'for what the client says beside its token. A condition that reads `check.NAME` decides alone what they mean.',
      ),
    members: z
      .record(z.string().min(1), z.array(z.string().min(1)))
      .optional()
      .describe('Ids of the members by space; a space that is not listed has none.'),
  })
  .superRefine(({ require, checks, members }, context) => {
    if (require !== undefined || checks.length > 0 || members) return;
    context.addIssue({
      code: 'custom',
      message: 'says nothing: name `require`, `checks` or `members`, or leave it out, and every space is open',
    });
  });

const senderSettings = z.strictObject({
  id: nameText
    .default('member')
    .describe('Variable of the tokens that is the `_id` of a sender. Whoever has none is not let in.'),
  fields: z
    .record(nameText, nameText)
    .default({})
    .describe('Further fields of a sender, with the variables that they come from: `displayname: name`.'),
  anonymous: z
    .array(z.string().min(1))
    .default([])
    .describe('Kinds of token whose senders are of the type `anonymous`; all others are a `user`.'),
});

const echoText = z
  .enum(['with-loopback', 'always', 'never'])
  .default('with-loopback')
  .describe('Whether the sender gets its own: when it came with `loopbackMetadata` (inferred), always, or never.');

const receiversText = z
  .enum(['only-them', 'everybody'])
  .default('only-them')
  .describe('Who gets one that names `receivers`: these users’ sockets in the space (inferred), or everybody there.');

const messageSettings = z.strictObject({
  echo: z
    .enum(['with-loopback', 'always', 'never'])
    .default('always')
    .describe('Whether the sender gets its own: always (inferred), when it came with `loopbackMetadata`, or never.'),
  receivers: z
    .enum(['only-them', 'everybody'])
    .default('only-them')
    .describe(
      'Who gets a message that names `receivers`: these users’ sockets in the space and the sender’s (inferred), also of ' +
        'what was said; or everybody there.',
    ),
});

const presenceSettings = z.strictObject({
  echo: echoText,
  receivers: receiversText,
  leaving: z
    .enum(['each-session', 'last-session', 'never'])
    .default('each-session')
    .describe(
      'When the others are told `…party.leaves` of a client that is gone: of each of its sockets (inferred), when the ' +
        'user has no other socket in the space of this instance, or never.',
    ),
  attendee: z.boolean().default(true).describe('Whether `content.attendee` is added.'),
  invalidCategory: nameText
    .default('media.session.invalid')
    .describe('The category of the answer to one that cannot be taken.'),
});

const mediaSettings = z.strictObject({
  echo: echoText,
  receivers: receiversText,
  invalidCategory: nameText
    .default('media.session.invalid')
    .describe('The category of the answer to one that cannot be taken (inferred).'),
});

const code = (text: string, meaning: string) => nameText.default(text).describe(meaning);

/** What is not documented is inferred, and an option. */
const codeSettings = z.strictObject({
  invalid: code('invalid.parameters', 'Something in the event is missing or malformed.'),
  forbidden: code('forbidden', 'The client is no member of the space (inferred).'),
  tryLater: code('try.later', 'Nobody can tell now whether it is (inferred).'),
  notSubscribed: code('app.event.channel.subscription.required', 'The client has not subscribed to the space.'),
  tooFast: code('rate.limit.exceeded', 'More events in a second than may be (inferred).'),
  tooLarge: code('message.too.large', 'A larger event than may be (inferred).'),
  tooMany: code('too.many.spaces', 'The socket is in as many spaces as it may (inferred).'),
  notSent: code('message.not.sent', 'The broker has not confirmed it: it may have it all the same (inferred).'),
});

const historySettings = z.strictObject({
  store: z
    .string()
    .min(1)
    .refine((store) => store === 'memory:' || !/^(memory$|(?!file:)[a-z][a-z\d+.-]*:)/i.test(store), {
      message: 'must be `memory:`, `file:PATH` or a path of a file of SQLite; there is no other store',
    })
    .default('memory:')
    .describe('`memory:`, or the path of a file of SQLite, with or without `file:` before it.'),
  eventsPerRoomMax: wholeNumber(1, 1_000_000).default(1000).describe('Messages of a space; the oldest go first.'),
  ageMsMax: wholeNumber(1000, 31_536_000_000).default(604_800_000).describe('How long a message is kept (ms); a week.'),
  roomsMax: wholeNumber(1, 10_000_000)
    .default(10_000)
    .describe('Spaces whose messages are kept; those go first in which nothing was said for longest.'),
  bytesMax: wholeNumber(1024, 1_099_511_627_776)
    .default(268_435_456)
    .describe('Bytes of all messages that are kept in memory. No limit of a file.'),
});

const apiSettings = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s{}]*[^?#\s{}/]$/, 'must begin with / and end without one')
    .default('/api/spaces')
    .describe('Where `/{space}/messages` is asked for.'),
  pageMax: wholeNumber(1, 1000).default(100).describe('Messages of a page at most.'),
});

const spaceTemplateText = roomTemplateText.superRefine((text, context) => {
  const template = parseRoomTemplate(text);
  if (!template.ok) return;
  const { variables, segments } = template.value;
  const isOnly = variables.size === 1 && variables.has('space') && segments.every(({ kind }) => kind !== 'rest');
  if (!isOnly) context.addIssue({ code: 'custom', message: 'must have the variable {space}, and no other' });
});

const { atTokenExpiry } = accessSettings;

/** An endpoint for the two-way rooms of Avaya Spaces (docs/specs/avaya-spaces.md). */
export const spacesSettings = z
  .strictObject({
    ...permitSettings,
    atTokenExpiry,
    ...engineFields,
    namespace: namespaceText.default('/chat').describe('The one namespace that clients are let into.'),
    space: spaceTemplateText.default('spaces/{space}').describe('The room of a space.'),
    membership: membershipSettings
      .optional()
      .describe('Who may be in a space. Without it everybody who is let in may be in every space.'),
    sender: senderSettings.prefault({}).describe('What a client’s tokens make of the sender of its events.'),
    publish: z
      .strictObject({
        to: z.string().min(1).describe('Name of the source whose broker takes what clients send.'),
        stream: nameText.describe('The stream (topic, exchange) of it. Its key is the id of the space.'),
      })
      .describe('Where what clients send goes.'),
    order: z
      .enum(['local', 'broker'])
      .default('local')
      .describe(
        '`local`: what a client sends is in the room at once, and the broker gets a copy. `broker`: everybody’s copy, ' +
          'the sender’s too, is the one that comes back from the broker.',
      ),
    publishTimeoutMs: wholeNumber(10, 600_000)
      .default(5000)
      .describe('With `broker`: what is not confirmed by then is SEND_MESSAGE_FAILED to its sender (ms).'),
    history: historySettings.prefault({}).describe('What was said, for clients that come back.'),
    api: apiSettings.prefault({}).describe('Where it is read over HTTP.'),
    message: messageSettings.prefault({}).describe('How MESSAGE_SENT is sent.'),
    presence: presenceSettings.prefault({}).describe('How PRESENCE_EVENT_RESPONSE is sent.'),
    media: mediaSettings.prefault({}).describe('How MEDIA_SESSION_RESPONSE is sent.'),
    codes: codeSettings
      .prefault({})
      .describe('What stands in `error.code` of SUBSCRIBE_CHANNEL_FAILED and SEND_MESSAGE_FAILED.'),
    eventsPerSecondMax: wholeNumber(1, 100_000).default(100).describe('Events that a socket may send in a second.'),
    spaceEventsPerSecondMax: wholeNumber(1, 1_000_000)
      .default(1000)
      .describe('Events that all sockets of this instance may send to a space in a second.'),
    subscribesPerSecondMax: wholeNumber(1, 100_000)
      .default(100)
      .describe('Subscriptions that a socket may ask for in a second.'),
    eventBytesMax: wholeNumber(256, 16_777_216)
      .default(65_536)
      .describe('Bytes of an event of a client as others get it, in JSON.'),
    spacesPerConnectionMax: wholeNumber(1, 100_000)
      .default(100)
      .describe('Spaces that a socket may be in, those it waits for included.'),
  })
  .superRefine(refineEngine);

export type SpacesSettings = z.infer<typeof spacesSettings>;

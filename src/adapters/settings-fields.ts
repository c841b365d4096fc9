import { z } from 'zod';
import { parseRoomTemplate } from '../domain/room-template.ts';
import { parseTopicPattern } from '../domain/topic-pattern.ts';

/** Fields that several adapters' settings share. Every field has a description: the reference page is made of them. */
export const roomTemplateText = z.string().superRefine((text, context) => {
  const template = parseRoomTemplate(text);
  if (!template.ok) context.addIssue({ code: 'custom', message: template.reason });
});

export const topicPatternText = z.string().superRefine((text, context) => {
  const pattern = parseTopicPattern(text);
  if (!pattern.ok) context.addIssue({ code: 'custom', message: pattern.reason });
});

/** CEL text. It is compiled where the whole config is put together, which reports what is wrong with it. */
export const conditionText = z.string().min(1);

/** A place of `Presented`: where a client puts something. Headers are looked up by their names in lower case. */
export const placeText = z.string().regex(/^(?:(?:auth|query|token)\.[^.]+|header\.[^.A-Z]+)$/, {
  error: ({ input }) =>
    /^header\.[^.]+$/.test(String(input))
      ? 'must have the name of the header in lower case, such as header.authorization'
      : 'must be auth.NAME, query.NAME or header.NAME',
});

export const millisecondsMax = (max: number) => z.number().int().min(0).max(max);

const references = z.union([z.string(), z.array(z.string())]).optional();

/** Of what the environment may leave out: it is gone before a schema looks at the config. */
export const choiceFields = {
  onlyIf: references.describe('It counts only where this, or each of these, has a value: `${AMQP_URL}`.'),
  unless: references.describe('It counts only where this, or every one of these, has none.'),
};

export const credentialSettings = z.strictObject({
  ...choiceFields,
  from: z
    .union([placeText, z.array(placeText).min(1)])
    .describe(
      'Where the client puts the token: `auth.NAME`, `query.NAME` or `header.NAME`, header names in lower case. With ' +
        '`spaces` also `token.TYPE`: where its clients put a token of which they say this type (`jwt`, `oauth`). Of ' +
        'several places the first with a token counts.',
    ),
  accepts: z
    .array(z.string().min(1))
    .min(1)
    .describe('Names of `identity.tokens` that may stand here; told apart by issuer.'),
  optional: z.boolean().default(false).describe('Whether the client may leave it out.'),
  with: z
    .string()
    .optional()
    .describe('Read only when a credential before it is of this kind; else what stands here is ignored.'),
  identityOnly: z
    .boolean()
    .default(false)
    .describe('It says who somebody is and no more: its roles and permissions do not count, and nobody is asked.'),
});

const patternText = z.string().superRefine((text, context) => {
  try {
    queryPattern(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a regular expression' });
  }
});

/** Of a whole value. Throws for what is no regular expression; settings have been looked at. */
export const queryPattern = (text: string): RegExp => new RegExp(`^(?:${text})$`, 'su');

const queryVariableSettings = z.strictObject({
  field: z.string().min(1).optional().describe('Name of the query field; by default that of the variable.'),
  list: z.string().min(1).optional().describe('Separator of a list. Repeated fields and `NAME[]` are taken too.'),
  required: z.boolean().default(false).describe('Whether a client without it is refused (`query_invalid`).'),
  empty: z
    .enum(['absent', 'refuse'])
    .default('absent')
    .describe(
      'Whether a field that is given without a value is as if it were not there, or refused (`query_invalid`).',
    ),
  pattern: patternText
    .optional()
    .describe('A regular expression that the whole value, or each item of a list, must match (`query_invalid`).'),
});

const roomGroupFields = z.strictObject({
  ...choiceFields,
  templates: z
    .array(roomTemplateText)
    .min(1)
    .optional()
    .describe('Room templates; those with an absent variable yield nothing. Either this or `firstOf`.'),
  firstOf: z
    .array(roomTemplateText)
    .min(1)
    .optional()
    .describe('Room templates of which the first complete one counts: the narrowest first.'),
  under: roomTemplateText
    .optional()
    .describe('Where its variables have values, the rooms stand below it instead, once for each value.'),
  when: conditionText.optional().describe('CEL condition for these rooms.'),
  checks: z
    .array(z.string())
    .default([])
    .describe(
      'Names of `checks` that must allow these rooms as well. A condition that reads `check.NAME` decides alone what ' +
        'they mean.',
    ),
  otherwise: z
    .enum(['ignore', 'refuse'])
    .default('ignore')
    .describe('Without the condition: join nothing of the group and observe it, or refuse the connection.'),
});

const roomGroupSettings = roomGroupFields.superRefine(({ templates, firstOf }, context) => {
  if ((templates === undefined) !== (firstOf === undefined)) return;
  context.addIssue({ code: 'custom', message: 'needs either templates or firstOf' });
});

/** Who may do something: the same words for every endpoint and every source that lets somebody publish. */
export const permitSettings = {
  credentials: z
    .array(credentialSettings)
    .default([])
    .describe('The tokens that are presented; none: everybody is anonymous.'),
  require: conditionText.optional().describe('CEL condition that must hold.'),
  checks: z
    .array(z.string())
    .default([])
    .describe(
      'Names of `checks` that must allow it as well. A condition that reads `check.NAME` decides alone what they mean.',
    ),
  admissionMsMax: millisecondsMax(60_000)
    .default(3000)
    .describe(
      'How long somebody is held while a key server or check cannot be had, before being told to come back (ms).',
    ),
};

/** Who may connect to an endpoint, and which rooms it is in. */
export const accessSettings = {
  ...permitSettings,
  values: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe('Texts that conditions read as `values.NAME`, such as one of the environment’s.'),
  query: z
    .record(z.string().min(1), queryVariableSettings)
    .default({})
    .describe('Variables taken from the query of the URL. A variable of a token always stands above them.'),
  rooms: z.array(roomGroupSettings).default([]).describe('The rooms of a connection.'),
  roomsPerConnectionMax: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('More rooms than this refuse the connection (`rooms_too_many`).'),
  atTokenExpiry: z
    .enum(['keep', 'close'])
    .default('keep')
    .describe(
      'What happens when the first token of a connection ends. `close` lets the client come back with a new one.',
    ),
};
export const accessSettingsSchema = z.strictObject(accessSettings);
export type AccessSettings = z.infer<typeof accessSettingsSchema>;

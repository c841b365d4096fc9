import { z } from 'zod';
import { choiceFields, conditionText, millisecondsMax } from '../settings-fields.ts';
import { parseUrlTemplate } from '../url-template.ts';
import { compileExpression } from './cel-expression.ts';
import { isHeaderValue } from './header-template.ts';

/** What the expressions about an answer may read. `body` is its JSON, or null where it is none. */
export const answerNames = ['status', 'body'] as const;

const answerExpression = conditionText.superRefine((text, context) => {
  const expression = compileExpression(text, answerNames);
  if (!expression.ok) context.addIssue({ code: 'custom', message: expression.reason });
});

const urlTemplate = z.string().superRefine((text, context) => {
  const template = parseUrlTemplate(text);
  if (!template.ok) context.addIssue({ code: 'custom', message: template.reason });
});

const headers = z.record(z.string(), z.string()).superRefine((given, context) => {
  for (const [name, value] of Object.entries(given)) {
    const message = headerProblem(name, value);
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
  }
});

/** RFC 9110 sections 5.1 and 5.5, without what is obsolete. */
function headerProblem(name: string, value: string): string | undefined {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return 'must be the name of a header, in lower case';
  if (name === 'authorization') return 'is what `bearer` is for';
  return isHeaderValue(value) ? undefined : 'must be printable ASCII';
}

const questionFields = {
  ...choiceFields,
  url: urlTemplate.describe(
    'What is asked with GET; `{name}` stands for a variable, percent-encoded. https or loopback; its path has no `//`.',
  ),
  bearer: z
    .string()
    .min(1)
    .optional()
    .describe('The kind of token that is relayed as `Authorization: Bearer`; `*`: the first one, whatever its kind.'),
  schemes: z
    .record(z.string().min(1), z.string().regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'must be the name of a scheme'))
    .default({})
    .describe('Another word than `Bearer` for tokens of a kind: `user: jwt`.'),
  headers: headers
    .default({})
    .describe('Further headers. One whose value is `{NAME}` has that variable’s, and is left out where there is none.'),
  timeoutMs: millisecondsMax(60_000).min(1).default(2000).describe('Time limit of one request (ms).'),
  responseBytesMax: z.number().int().min(0).max(16_777_216).default(65_536).describe('A longer answer is none.'),
  concurrencyMax: z.number().int().min(1).max(10_000).default(50).describe('Requests at the same time.'),
  waitingMax: z.number().int().min(0).max(100_000).default(1000).describe('Requests that wait for their turn.'),
  cacheMs: millisecondsMax(86_400_000)
    .default(30_000)
    .describe('How long an answer is remembered, though never longer than its token lives (ms); 0: not at all.'),
  cacheEntriesMax: z.number().int().min(1).max(1_000_000).default(5000).describe('How many answers are remembered.'),
  failuresMax: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('So many failures one after another, and nobody is asked for `pauseMs`.'),
  pauseMs: millisecondsMax(600_000).min(1).default(5000).describe('How long nobody is asked then (ms).'),
};

const checkSettings = z.strictObject({
  ...questionFields,
  allow: answerExpression.default('status == 200').describe('CEL over `status` and `body`: what means yes.'),
  deny: answerExpression
    .default('status in [401, 403, 404]')
    .describe('CEL over `status` and `body`: what means no, unless `allow` holds.'),
  otherwise: z
    .enum(['try-later', 'deny'])
    .default('try-later')
    .describe('What any other answer means, and none at all: the client is to come back, or no.'),
  list: answerExpression
    .optional()
    .describe(
      'CEL over `status` and `body` that makes a list of text out of an answer that means yes; no is an empty list. ' +
        "Conditions read it: `'admin' in check.NAME`. By itself a list allows unless it is empty.",
    ),
});

const permissionSourceSettings = z.strictObject({
  ...questionFields,
  credential: z.string().min(1).describe('The kind of token whose permissions it knows.'),
  list: answerExpression.describe(
    'CEL over `status` and `body` that makes the list of permissions. Not asked of a status of 500 and more, or 429: clients are to come back.',
  ),
});

export type QuestionSettings = z.infer<z.ZodObject<typeof questionFields>>;
export type CheckSettings = z.infer<typeof checkSettings>;
export type PermissionSourceSettings = z.infer<typeof permissionSourceSettings>;

/** The sections `checks` and `permissionSources`: who else is asked whether something may be. */
export const checksSettings = z.record(z.string().min(1), checkSettings);
export const permissionSourcesSettings = z.record(z.string().min(1), permissionSourceSettings);

import { z } from 'zod';
import { accessSettings, conditionText, millisecondsMax, topicPatternText } from '../../settings-fields.ts';
import { originText, pathText, wholeNumber } from '../endpoint-fields.ts';
import { sendFields } from '../send-fields.ts';

/** What every bind has beside the parts of its key. */
const ownVariables: ReadonlySet<string> = new Set(['stream', 'key']);

const exchangeSettings = z
  .strictObject({
    keyParts: z
      .array(z.string())
      .default([])
      .describe(
        'Variables that the words of a bind’s key give, in order; an empty name skips a word. A part after a `#` is none. ' +
          'Conditions read `bind.NAME`, and the `url` of a check has `{NAME}`; both may read `stream` and `key`, too.',
      ),
    public: z.literal(true).optional().describe('Everybody who is connected may bind it, with or without a token.'),
    require: conditionText
      .optional()
      .describe('CEL condition that must hold. One that cannot be evaluated for a key refuses the bind as invalid.'),
    checks: z
      .array(z.string())
      .default([])
      .describe(
        'Names of `checks` that must allow it as well, asked when the condition holds. A condition that reads ' +
          '`check.NAME` decides alone what they mean.',
      ),
    narrowing: z
      .array(z.string().min(1))
      .default([])
      .describe('Attributes that name a narrower target: an event that carries one of them is for no bind.'),
    withoutTenant: z
      .boolean()
      .default(false)
      .describe(
        'With `isolation`: for events without a tenant. Else a bind gets the events of its connection’s tenant only.',
      ),
  })
  .superRefine(({ public: isPublic, require, checks, keyParts }, context) => {
    const hasRule = require !== undefined || checks.length > 0;
    if (isPublic ? hasRule : !hasRule) {
      const message = isPublic
        ? '`public` lets everybody in; leave it out, or `require` and `checks`'
        : 'say who may bind it: `require`, `checks` or `public: true`';
      context.addIssue({ code: 'custom', message });
    }
    for (const [index, name] of keyParts.entries()) {
      const taken = ownVariables.has(name) ? 'is there for every bind' : 'stands here twice';
      if (name === '' || (!ownVariables.has(name) && keyParts.indexOf(name) === index)) continue;
      context.addIssue({ code: 'custom', path: ['keyParts', index], message: `${taken}; give it another name` });
    }
  });

const exchangesSettings = z.record(z.string().min(1).max(255), exchangeSettings).superRefine((exchanges, context) => {
  for (const name of Object.keys(exchanges)) {
    const pattern = topicPatternText.safeParse(name);
    if (!pattern.success) context.addIssue({ code: 'custom', path: [name], message: pattern.error.issues[0]?.message });
  }
});

const healthSettings = z.strictObject({
  paths: z.array(pathText).min(1).default(['/health']).describe('Where it is asked for with GET.'),
  connectedField: z
    .string()
    .min(1)
    .default('connected')
    .describe('Name of the field that says whether every source has its broker.'),
  disconnectedMessage: z.string().default('disconnected').describe('The `message` when one has not.'),
  corsOrigins: z.array(originText).default([]).describe('Origins of pages that may read it; `*` for all.'),
});

/** An endpoint for bare WebSocket clients, which bind what they want to have: `docs/relay-protocol.md`. */
export const websocketSettings = z.strictObject({
  ...accessSettings,
  paths: z.array(pathText).min(1).default(['/subscribe']).describe('Paths of the endpoint, each also with a slash.'),
  exchanges: exchangesSettings
    .default({})
    .describe(
      'What clients may bind, by the name of the stream: a pattern with `*` and `#`, of which the first that matches ' +
        'counts. Any other stream is unknown.',
    ),
  overlappingBinds: z
    .enum(['each', 'once'])
    .default('each')
    .describe('Whether a client that several of its binds lead an event to gets it for each of them, or once.'),
  payload: z
    .enum(['json', 'by-content-type'])
    .default('json')
    .describe(
      '`json`: what is JSON is sent as such. `by-content-type`: only with the content type `application/json` or ' +
        '`text/json`; such a payload that is none is `null`. Everything else is sent as bytes.',
    ),
  refusals: z
    .enum(['close', 'cut'])
    .default('close')
    .describe(
      'How a client is refused whose token is not taken, or who sends no JSON: with the close code 1008, or without a ' +
        'word, which it sees as 1006.',
    ),
  extended: z
    .boolean()
    .default(true)
    .describe('Whether clients may unbind, and are answered where they give a bind an `id`.'),
  bindsPerConnectionMax: wholeNumber(1, 100_000)
    .default(100)
    .describe('How many binds a client may have at once (`binds_too_many`).'),
  bindsPerSecondMax: wholeNumber(1, 100_000)
    .default(50)
    .describe('How many binds and unbinds a client may send in a second (`binds_too_fast`).'),
  frameBytesMax: wholeNumber(256, 100_000_000)
    .default(65_536)
    .describe('A larger message of a client ends its connection, with the close code 1009.'),
  pingIntervalMs: millisecondsMax(3_600_000)
    .default(30_000)
    .describe('How often a client is pinged; one that has not answered by the next ping is cut (ms). 0: not at all.'),
  idleMsMax: millisecondsMax(86_400_000)
    .default(0)
    .describe('How long a client may be there without a bind and without a room (ms). 0: as long as it likes.'),
  connectionsMax: wholeNumber(1, 1_000_000)
    .default(20_000)
    .describe('More connections than this are refused with 503.'),
  ...sendFields,
  health: healthSettings.optional().describe('An answer to `GET /health` as brainlife’s event service gives it.'),
});

export type WebsocketSettings = z.infer<typeof websocketSettings>;
export type HealthSettings = z.infer<typeof healthSettings>;

import { z } from 'zod';
import { conditionText, roomTemplateText, topicPatternText } from '../../adapters/settings-fields.ts';
import { parseRoomShape } from '../../domain/isolation.ts';

const nameText = z.string().min(1);
const templates = z.array(roomTemplateText).min(1);

/** From an event to rooms. Every route whose stream, key and condition hold contributes its rooms. */
export const routeSettings = z
  .strictObject({
    name: nameText.optional().describe('How logs call it; by default its place, as in `routes[0]`.'),
    stream: topicPatternText
      .default('#')
      .describe('Pattern of the stream (topic, exchange): `*` is one word between dots, `#` any number of them.'),
    key: topicPatternText.default('#').describe('Pattern of the routing or ordering key, in the same way.'),
    when: conditionText
      .optional()
      .describe('CEL condition over `event`: `id`, `stream`, `key`, `attributes`, `contentType`, `source`.'),
    keyParts: z
      .array(z.string())
      .default([])
      .describe('Variables that the words of the key give, in order; an empty name skips a word.'),
    lists: z
      .record(nameText, z.string().min(1))
      .default({})
      .describe('Attributes that hold a list, with the separator of its items.'),
    firstOf: templates
      .optional()
      .describe('Room templates of which the first complete one counts: the narrowest first. Either this or `eachOf`.'),
    eachOf: templates.optional().describe('Room templates of which every complete one counts.'),
    narrowing: z
      .array(nameText)
      .default([])
      .describe(
        'Variables that name a narrower target: an event that has one which no complete template uses reaches nobody.',
      ),
    alsoUnder: z
      .union([roomTemplateText, templates])
      .optional()
      .describe('The rooms are repeated below this template, or below each of these.'),
    withoutTenant: z
      .boolean()
      .default(false)
      .describe('For events without a tenant, to rooms without one. The only way to reach all tenants at once.'),
  })
  .superRefine((route, context) => {
    if ((route.firstOf === undefined) !== (route.eachOf === undefined)) return;
    context.addIssue({ code: 'custom', message: 'needs either firstOf or eachOf' });
  });

export type RouteSettings = z.output<typeof routeSettings>;

/** The one name in braces; the schema has made sure that it is there. */
export const referencedName = (text: string): string => text.slice(1, -1);

const variableReference = z.string().regex(/^\{[^{}*/]+\}$/, 'must be one variable in braces, such as {tenant}');

export const isolationSettings = z.strictObject({
  event: variableReference.describe('The variable of an event that names its tenant, such as `{Tenant-Id}`.'),
  connection: variableReference.describe(
    'The variable of a connection that names its tenant, such as `{tenant}`. A token gives it. Where an endpoint takes ' +
      'it from `query`, its `require` must read it (`query.tenant`), or one of its `checks` must have it in its ' +
      '`url` (and be read by `require`, if that reads checks): else the client would choose its tenant.',
  ),
  rooms: z
    .array(
      z.string().superRefine((text, context) => {
        const shape = parseRoomShape(text);
        if (!shape.ok) context.addIssue({ code: 'custom', message: shape.reason });
      }),
    )
    .min(1)
    .describe('Shapes of the rooms that belong to one tenant: `{}` stands for its name, `{name}` for any segment.'),
});

export type IsolationSettings = z.output<typeof isolationSettings>;

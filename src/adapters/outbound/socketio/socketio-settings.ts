import { z } from 'zod';
import { accessSettings } from '../../settings-fields.ts';
import { engineFields, namespaceText, refineEngine } from './engine-settings.ts';

/** A field of `meta`: what stands there, as one reference. */
export const metaReference = /^\{([^{}]+)\}$/;
/** The references that an event's name is made of. */
export const eventNameReference = /\{(stream|key)\}/g;

const metaSettings = z.strictObject({
  names: z
    .enum(['camel-case', 'unchanged'])
    .default('camel-case')
    .describe('Names of the attributes in `meta`: `Correlation-Id` as `correlationId`, or as the publisher wrote it.'),
  fields: z
    .record(z.string().min(1), z.string().regex(metaReference, 'must be one reference, such as {id}'))
    .default({ publishTime: '{publishedAt}', messageId: '{id}' })
    .describe(
      'Fields of `meta` beside the attributes: `{id}`, `{publishedAt}` (ISO 8601 in UTC with milliseconds), `{stream}`, ' +
        '`{key}`, or `{NAME}` of an attribute. No attribute ever takes the place of one.',
    ),
});

/** An endpoint for Socket.IO clients of protocol 5 (Engine.IO 4: `socket.io-client` 3 and 4). */
export const socketioSettings = z
  .strictObject({
    ...accessSettings,
    ...engineFields,
    namespace: namespaceText.default('/').describe('The one namespace that clients are let into.'),
    eventName: z
      .string()
      .min(1)
      .refine((text) => !/[{}]/.test(text.replaceAll(eventNameReference, '')), 'may refer to {stream} and {key} only')
      .default('{stream}')
      .describe('Name of the event at the client, made of `{stream}` and `{key}`.'),
    meta: metaSettings
      .prefault({})
      .describe('The second argument of an event at the client; the first is the data itself.'),
  })
  .superRefine((settings, context) => {
    refineEngine(settings, context);
    if (settings.corsOrigins.length === 0 || settings.allowPolling) return;
    const message = 'has no effect without `allowPolling: true`';
    context.addIssue({ code: 'custom', path: ['corsOrigins'], message });
  });

export type SocketioSettings = z.infer<typeof socketioSettings>;

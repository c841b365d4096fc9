import { z } from 'zod';
import { accessSettings } from '../../settings-fields.ts';
import { originText, pathText, wholeNumber } from '../endpoint-fields.ts';

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
    path: pathText.default('/socket.io/').describe('Path of the endpoint, which clients give as `path`.'),
    namespace: z
      .string()
      .regex(/^\/[^?,\s]*$/, 'must begin with / and have no comma')
      .default('/')
      .describe('The one namespace that clients are let into.'),
    eventName: z
      .string()
      .min(1)
      .refine((text) => !/[{}]/.test(text.replaceAll(eventNameReference, '')), 'may refer to {stream} and {key} only')
      .default('{stream}')
      .describe('Name of the event at the client, made of `{stream}` and `{key}`.'),
    meta: metaSettings
      .prefault({})
      .describe('The second argument of an event at the client; the first is the data itself.'),
    allowPolling: z
      .boolean()
      .default(false)
      .describe(
        'Whether clients may begin with HTTP long-polling, which they do unless told `transports: ["websocket"]`, and ' +
          'go on to WebSocket from there. With several instances their requests must stick to one.',
      ),
    pollingMsMax: wholeNumber(100, 3_600_000)
      .default(5000)
      .describe('How long a client may stay on polling before it is told to come back (ms).'),
    corsOrigins: z
      .array(originText)
      .default([])
      .describe('Origins of pages whose polling a browser lets through; `*` for all. Only with `allowPolling`.'),
    pingIntervalMs: wholeNumber(100, 3_600_000).default(25_000).describe('How often a client is pinged (ms).'),
    pingTimeoutMs: wholeNumber(100, 3_600_000)
      .default(20_000)
      .describe('How long a client has to answer a ping before its connection ends (ms).'),
    connectTimeoutMs: wholeNumber(100, 3_600_000)
      .default(10_000)
      .describe('How long a connection may stand without being admitted (ms). Longer than `admissionMsMax`.'),
    connectionsMax: wholeNumber(1, 1_000_000)
      .default(20_000)
      .describe('More connections than this are refused (`connections_too_many`), and with 503 beyond twice as many.'),
    frameBytesMax: wholeNumber(1024, 100_000_000)
      .default(100_000)
      .describe(
        'A larger message of a client ends its connection. What clients send is little more than their tokens.',
      ),
    sendQueueBytesMax: wholeNumber(1024, 1_000_000_000)
      .default(1_048_576)
      .describe(
        'A client that is owed more than this, because it does not read, is cut and comes back. ' +
          'One that is owed nothing takes an event of any size.',
      ),
  })
  .superRefine((settings, context) => {
    if (settings.corsOrigins.length > 0 && !settings.allowPolling) {
      const message = 'has no effect without `allowPolling: true`';
      context.addIssue({ code: 'custom', path: ['corsOrigins'], message });
    }
    if (settings.connectTimeoutMs <= settings.admissionMsMax) {
      const message = 'must be longer than `admissionMsMax`';
      context.addIssue({ code: 'custom', path: ['connectTimeoutMs'], message });
    }
  });

export type SocketioSettings = z.infer<typeof socketioSettings>;

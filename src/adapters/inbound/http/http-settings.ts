import { z } from 'zod';
import { publishSettings } from '../publish-settings.ts';
import { isExtensionName } from './cloud-event-names.ts';

const wholeNumber = (min: number, max: number) => z.number().int().min(min).max(max);

const cloudEventSettings = z.strictObject({
  attributes: z
    .record(
      z.string().refine(isExtensionName, 'must be the name of a CloudEvents extension: lower-case letters and digits'),
      z.string().min(1).max(256),
    )
    .default({})
    .superRefine((names, context) => {
      const seen = new Set<string>();
      for (const [extension, name] of Object.entries(names)) {
        if (seen.has(name))
          context.addIssue({ code: 'custom', path: [extension], message: `"${name}" is given twice` });
        seen.add(name);
      }
    })
    .describe(
      'From the name of an extension to that of the attribute it becomes (`tenantid: Tenant-Id`), since CloudEvents ' +
        'cannot carry upper case and dashes. Others keep their names.',
    ),
});

/** Publishing over HTTP: one section of the config. */
export const httpSettings = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s:*]*$/, 'must begin with / and hold no pattern and no query')
    .default('/v1/events')
    .describe('Path that events are posted to.'),
  publishTo: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Name of the source whose broker takes the events: 202 then says that the broker has them. Without it they are ' +
        'routed on the spot, in this instance alone.',
    ),
  ...publishSettings,
  bodyBytesMax: wholeNumber(1024, 256 * 1024 * 1024)
    .default(2 * 1024 * 1024)
    .describe('Bytes of a request; more are refused with 413.'),
  eventBytesMax: wholeNumber(1, 256 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('Bytes of one payload; more are refused with 413.'),
  eventsPerRequestMax: wholeNumber(1, 10_000).default(100).describe('Events of a request; more are refused with 413.'),
  requestsInFlightMax: wholeNumber(1, 10_000)
    .default(100)
    .describe(
      'Requests under way, those whose body is still arriving included; more are answered 503. Times `bodyBytesMax` ' +
        'it is what publishers can make the process hold. So many others at once have their credentials looked at, ' +
        'without a body.',
    ),
  attributesPerEventMax: wholeNumber(0, 10_000).default(100).describe('Attributes of an event.'),
  attributeBytesMax: wholeNumber(0, 1024 * 1024)
    .default(16 * 1024)
    .describe('Bytes of all attributes of an event together, names and values, in UTF-8.'),
  jsonDepthMax: wholeNumber(2, 1000).default(64).describe('How deep arrays and objects of a body may be nested.'),
  retryAfterMs: wholeNumber(1, 3_600_000).default(1000).describe('What `Retry-After` says under pressure (ms).'),
  cloudEvents: cloudEventSettings.prefault({}).describe('How CloudEvents become events.'),
});

export type HttpSettings = z.infer<typeof httpSettings>;

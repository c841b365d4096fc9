import { z } from 'zod';
import { directorySettings } from '../../adapters/directory/directory-settings.ts';
import { notificationRouteFields } from '../../adapters/inbound/notification/notification-settings.ts';
import { emailFields } from '../../adapters/outbound/email/email-settings.ts';
import { webhookSettings } from '../../adapters/outbound/webhook/webhook-settings.ts';
import { millisecondsMax } from '../../adapters/settings-fields.ts';
import { storeLocationText } from '../../adapters/store/store-settings.ts';
import { parseEventTemplate } from '../../domain/event-template.ts';

const eventTemplateText = z.string().superRefine((text, context) => {
  const template = parseEventTemplate(text);
  if (!template.ok) context.addIssue({ code: 'custom', message: template.reason });
});

const ruleSettings = z.strictObject({
  event: eventTemplateText.describe(
    'The name that an event has for whoever asks for it: `wf.task.{payload.status}`. `{id}`, `{stream}`, `{key}`, ' +
      '`{attributes.NAME}` and `{payload.NAME.NAME}` are the event’s; one that lacks a field is not meant.',
  ),
  user: eventTemplateText.describe('Whose notifications it is for: `{payload.user_id}`.'),
  anyOf: z
    .record(z.string().min(1), eventTemplateText)
    .refine((fields) => Object.keys(fields).length > 0, 'must have at least one field')
    .describe(
      'Fields in the config of a notification, each with what of the event it must be equal to; one that is suffices.',
    ),
});

const emailSettings = z
  .strictObject({
    ...emailFields,
    directory: directorySettings.prefault({}).describe('Who knows where users are reached.'),
  })
  .superRefine(({ url, from, directory }, context) => {
    const need = (path: string[], value: unknown, what: string) => {
      if (value === undefined)
        context.addIssue({ code: 'custom', path, message: `must be set where there is a mail server: ${what}` });
    };
    if (url === undefined) return;
    need(['from'], from, 'who the mails are from');
    need(['directory', 'url'], directory.url, 'who knows the addresses of users');
    need(['directory', 'bearer'], directory.bearer, 'the token that may read them');
  });

const retrySettings = z
  .strictObject({
    delayMsMin: millisecondsMax(3_600_000)
      .min(10)
      .default(60_000)
      .describe('The delay before the second try; it doubles from there (ms).'),
    delayMsMax: millisecondsMax(86_400_000)
      .min(10)
      .default(3_600_000)
      .describe('The longest delay between two tries (ms). Half of each is random.'),
    giveUpAfterMs: millisecondsMax(2_592_000_000)
      .min(10)
      .default(172_800_000)
      .describe('What could not be sent for so long since its event has failed (ms).'),
  })
  .superRefine(({ delayMsMin, delayMsMax }, context) => {
    if (delayMsMin > delayMsMax)
      context.addIssue({ code: 'custom', path: ['delayMsMin'], message: 'must be at most delayMsMax' });
  });

const daysMax = 3650;

/** Notifications: what is asked for, what fires it, how people are told. */
export const notificationSettings = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('`false`: no routes, no store, and `source` is not started. For every process but one.'),
  source: z
    .string()
    .min(1)
    .describe(
      'Name of the source whose events fire notifications. They go nowhere else. One process only may have it.',
    ),
  rules: z.array(ruleSettings).min(1).max(100).describe('How its events are matched to what was asked for.'),
  payloadBytesMax: z
    .number()
    .int()
    .min(0)
    .max(1_048_576)
    .default(65_536)
    .describe('The largest payload that is kept with what it fires, for webhooks (bytes).'),
  store: storeLocationText
    .default('file:edgeward-notifications.sqlite')
    .describe(
      'Where they are kept: `file:PATH` (SQLite; a relative path begins in the working directory) or `memory:`, which is ' +
        'gone with the process.',
    ),
  waitingMax: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('How many notifications of one user may wait. For one more the oldest is forgotten.'),
  keepDays: z.number().int().min(1).max(daysMax).default(90).describe('How long what is sent or has failed is kept.'),
  waitDays: z.number().int().min(1).max(daysMax).default(365).describe('How long a notification waits for its event.'),
  ...notificationRouteFields,
  retry: retrySettings.prefault({}).describe('What could not be sent is tried again.'),
  handlers: z
    .strictObject({
      email: emailSettings.optional().describe('Plain text mails.'),
      webhook: webhookSettings.optional().describe('Posts, signed by Standard Webhooks.'),
    })
    .refine((handlers) => Object.values(handlers).some((each) => each !== undefined), 'must have at least one handler')
    .describe('How people and systems are told; a notification names one of them.'),
});

export type NotificationSettings = z.infer<typeof notificationSettings>;

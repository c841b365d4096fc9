import { z } from 'zod';
import { conditionText, credentialSettings, millisecondsMax } from '../../settings-fields.ts';

const pathText = z
  .string()
  .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, 'must be a path such as /notification, without a slash at the end');

const originText = z.string().refine((text) => text === '*' || URL.parse(text)?.origin === text, {
  message: 'must be "*", or an origin such as https://app.example.com',
});

/** The routes by which people ask for notifications. */
export const notificationRouteFields = {
  paths: z
    .array(pathText)
    .min(1)
    .max(10)
    .default(['/notification'])
    .describe('Where notifications are asked for (POST) and listed (GET); with a slash at the end as well.'),
  credentials: z
    .array(credentialSettings)
    .min(1)
    .describe('The tokens that are presented, most likely at `header.authorization`.'),
  owner: z.string().min(1).default('user').describe('The variable of a token that says whose notifications are meant.'),
  administrators: conditionText
    .optional()
    .describe('CEL condition on the tokens of those who may see what is others’; nobody where it is absent.'),
  corsOrigins: z
    .array(originText)
    .max(100)
    .default([])
    .describe('Origins whose pages may use the routes; `*` for all of them.'),
  admissionMsMax: millisecondsMax(60_000)
    .default(3000)
    .describe('How long a caller is held while a key server cannot be had, before being told to come back (ms).'),
  bodyBytesMax: z
    .number()
    .int()
    .min(1024)
    .max(1_048_576)
    .default(102_400)
    .describe('The largest notification that is taken (bytes of JSON).'),
  requestsInFlightMax: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe('How many requests may be under way at once; more are told to come back.'),
  listMax: z.number().int().min(1).max(10_000).default(1000).describe('What `limit` can be at most.'),
};

const routeSettings = z.strictObject(notificationRouteFields);
export type NotificationRouteSettings = z.infer<typeof routeSettings>;

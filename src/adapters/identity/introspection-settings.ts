import { z } from 'zod';
import { secureUrl } from '../secure-url.ts';
import { millisecondsMax } from '../settings-fields.ts';

const wholeNumber = (min: number, max: number) => z.number().int().min(min).max(max);

/** Where opaque tokens are asked about. */
export const introspectionSettings = z.strictObject({
  url: secureUrl.describe('The introspection endpoint (RFC 7662).'),
  clientId: z.string().min(1).describe('Who asks: the gateway as a client of the issuer, by HTTP Basic.'),
  clientSecret: z.string().min(1).describe('Its secret.'),
  timeoutMs: millisecondsMax(60_000).min(1).default(2000).describe('Time limit of one request (ms).'),
  responseBytesMax: wholeNumber(64, 16_777_216).default(65_536).describe('A longer answer is none.'),
  cacheMs: millisecondsMax(86_400_000)
    .default(30_000)
    .describe('How long an answer is remembered, though never longer than its token lives (ms); 0: not at all.'),
  cacheEntriesMax: wholeNumber(1, 1_000_000).default(5000).describe('How many answers are remembered.'),
  concurrencyMax: wholeNumber(1, 10_000).default(50).describe('Requests at the same time.'),
  waitingMax: wholeNumber(0, 100_000).default(1000).describe('Requests that wait for their turn.'),
  failuresMax: wholeNumber(1, 1000)
    .default(5)
    .describe('So many failures one after another, and nobody is asked for `pauseMs`.'),
  pauseMs: millisecondsMax(600_000).min(1).default(5000).describe('How long nobody is asked then (ms).'),
});

export type IntrospectionSettings = z.infer<typeof introspectionSettings>;

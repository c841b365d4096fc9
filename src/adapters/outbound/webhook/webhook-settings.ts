import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { millisecondsMax } from '../../settings-fields.ts';

/** Bytes, as Standard Webhooks wants them. */
const [secretBytesMin, secretBytesMax] = [24, 64];

/** @returns what is wrong with a secret, which is never quoted. */
export function secretProblem(text: string): string | undefined {
  const encoded = text.replace(/^whsec_/, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
    return 'must be whsec_ and base64: `echo whsec_$(openssl rand -base64 32)`';
  const bytes = Buffer.from(encoded, 'base64').byteLength;
  if (bytes >= secretBytesMin && bytes <= secretBytesMax) return undefined;
  return `must have ${secretBytesMin} to ${secretBytesMax} bytes, and has ${bytes}`;
}

const secretText = z.string().superRefine((text, context) => {
  const problem = secretProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

const networkText = z.string().refine((text) => ipaddr.isValidCIDR(text), 'must be a network, such as 10.0.0.0/8');

export const webhookSettings = z.strictObject({
  secrets: z
    .array(secretText)
    .max(5)
    .default([])
    .describe(
      'What webhooks are signed with that have no `secret` in their own config: `whsec_…`, 24 to 64 bytes in base64. ' +
        'Several, the newest first, while receivers change over.',
    ),
  allowedNetworks: z
    .array(networkText)
    .max(100)
    .default([])
    .describe(
      'Networks that are no part of the public internet and may be called all the same: `10.1.0.0/16`, `::1/128`. All ' +
        'others are refused, whatever a name resolves to. `http://` works into these networks only.',
    ),
  concurrencyMax: z.number().int().min(1).max(100).default(10).describe('How many webhooks are under way at once.'),
  timeoutMs: millisecondsMax(120_000)
    .min(100)
    .default(15_000)
    .describe('How long an answer may take, from the start (ms).'),
});
export type WebhookSettings = z.infer<typeof webhookSettings>;

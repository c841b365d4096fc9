import { z } from 'zod';
import { tokenSettings } from './token-settings.ts';

const nameRule = 'must be a name of letters, digits and "_", since conditions read the tokens of this kind by it';

/** The section `identity`: which tokens are accepted, and what they say. */
export const identitySettings = z.strictObject({
  tokens: z
    .record(z.string(), tokenSettings)
    .superRefine((tokens, context) => {
      for (const name of Object.keys(tokens)) {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
          context.addIssue({ code: 'custom', path: [name], message: nameRule });
      }
    })
    .default({})
    .describe('Kinds of token by name. Conditions read a kind by that name (`ocms.claims`).'),
  roles: z
    .record(z.string().min(1), z.array(z.string().min(1)))
    .default({})
    .describe('Permissions by role id.'),
  tokenBytesMax: z
    .number()
    .int()
    .min(512)
    .max(1_048_576)
    .default(16_384)
    .describe('A longer token is refused unread (`token_malformed`).'),
  verifiedTokensMax: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(20_000)
    .describe(
      'How many verified tokens are remembered, by their hash, so that a client that comes back is not verified again. ' +
        'With tokens of 500 characters 20,000 take 25 MB; of tokens that are longer than 2,048 on average there are ' +
        'fewer, so that it is never more than 50 MB. 0: none. Introspected tokens have `cacheMs` of their own.',
    ),
});
export type IdentitySettings = z.infer<typeof identitySettings>;

import { z } from 'zod';
import { secureUrl, urlProblem } from '../secure-url.ts';
import { millisecondsMax } from '../settings-fields.ts';
import { parseUrlTemplate } from '../url-template.ts';

/** A service that knows the e-mail addresses of users. */
export const directorySettings = z
  .strictObject({
    url: secureUrl
      .optional()
      .describe('Where the service is, without a slash at the end: `https://example.com/api/auth`.'),
    path: z.string().default('/user/{user}').describe('What is asked there, with `{user}` for the id of the user.'),
    bearer: z
      .string()
      .min(1)
      .optional()
      .describe('The token that is presented (`Authorization: Bearer`); one that may read every user.'),
    field: z.string().min(1).default('email').describe('Field of the JSON answer with the address, or a list of them.'),
    timeoutMs: millisecondsMax(120_000).min(100).default(10_000).describe('How long an answer may take (ms).'),
  })
  .superRefine(({ url, path }, context) => {
    // A URL that is wrong by itself is one mistake.
    const base = url !== undefined && urlProblem(url) === undefined ? url : 'https://example.com';
    const template = parseUrlTemplate(`${base}${path}`);
    if (!template.ok) context.addIssue({ code: 'custom', path: ['path'], message: template.reason });
    else if (template.value.variables.join() !== 'user') {
      context.addIssue({ code: 'custom', path: ['path'], message: 'must have {user}, once, and no other variable' });
    }
  });

type DirectoryFields = z.infer<typeof directorySettings>;
export type DirectorySettings = DirectoryFields & { readonly url: string; readonly bearer: string };

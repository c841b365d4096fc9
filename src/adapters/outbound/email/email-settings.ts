import { z } from 'zod';
import { millisecondsMax } from '../../settings-fields.ts';
import { parseMailbox } from './mail-address.ts';
import { parseSmtpUrl } from './smtp-address.ts';

const urlText = z.string().superRefine((text, context) => {
  const address = parseSmtpUrl(text);
  if (!address.ok) context.addIssue({ code: 'custom', message: address.reason });
});

const fromText = z.string().superRefine((text, context) => {
  const mailbox = parseMailbox(text);
  if (!mailbox.ok) context.addIssue({ code: 'custom', message: mailbox.reason });
});

/** The mail server, and what may be sent by it. */
export const emailFields = {
  url: urlText
    .optional()
    .describe(
      'The mail server: `smtp://HOST:PORT` (with STARTTLS where it is offered, and only with it where there is a ' +
        'password), or `smtps://`, each with `USER:PASSWORD@` where the server wants them. Absent: mail is off. What ' +
        'fires is kept, and sent by a gateway that has one.',
    ),
  from: fromText
    .optional()
    .describe('Who the mails are from: `no-reply@example.com`, or `Name <no-reply@example.com>`.'),
  subjectDefault: z
    .string()
    .min(1)
    .max(200)
    .default('Notification')
    .describe('The subject of a notification that says nothing of it.'),
  subjectCharactersMax: z
    .number()
    .int()
    .min(20)
    .max(2000)
    .default(250)
    .describe('Longer subjects are cut. Line breaks in them become blanks.'),
  recipientsMax: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe('A user for whom the directory has more addresses is sent nothing.'),
  concurrencyMax: z.number().int().min(1).max(100).default(5).describe('How many mails are under way at once.'),
  connectTimeoutMs: millisecondsMax(600_000)
    .min(100)
    .default(30_000)
    .describe('How long the mail server may take to accept a connection and to greet (ms).'),
  answerTimeoutMs: millisecondsMax(1_800_000)
    .min(100)
    .default(600_000)
    .describe(
      'How long it may be silent after that (ms). Giving up on a mail that it has taken without saying so means a second ' +
        'one, hence the ten minutes (RFC 5321, section 4.5.3.2.6). A whole try has twice that, and `connectTimeoutMs`.',
    ),
};

const mailServer = z.strictObject(emailFields);
export type EmailSettings = z.infer<typeof mailServer>;

/** Of a gateway whose mail is on. */
export type MailServerSettings = EmailSettings & { readonly url: string; readonly from: string };

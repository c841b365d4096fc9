import { configText } from '../domain/notification.ts';
import { Fault } from './fault.ts';
import type { Mailer } from './ports/mailer.ts';
import type { NotificationHandler } from './ports/notification-handler.ts';
import type { UserDirectory } from './ports/user-directory.ts';

export type MailNotificationDependencies = {
  readonly directory: UserDirectory;
  readonly mailer: Mailer;
  /** Right of the `@` in message ids. */
  readonly messageIdDomain: string;
  readonly concurrencyMax: number;
  /** Where a notification says nothing of it. */
  readonly subjectDefault: string;
};

/** The handler `email`: `config.subject` and `config.message`, to the address that the directory has for the user. */
export function createMailNotification(dependencies: MailNotificationDependencies): NotificationHandler {
  const { directory, mailer, messageIdDomain, concurrencyMax, subjectDefault } = dependencies;
  return {
    name: 'email',
    concurrencyMax,
    async send(notification, signal) {
      const to = await directory.addressesOf(notification.userId, signal);
      if (to.length === 0) throw addressMissing();
      const messageId = `<notification.${notification.id}@${messageIdDomain}>`;
      const subject = configText(notification, 'subject') || subjectDefault;
      await mailer.send({ messageId, to, subject, text: configText(notification, 'message') ?? '' }, signal);
    },
  };
}

const addressMissing = (): Fault =>
  new Fault('mail_address_missing', 'dead-letter', 'the user has no e-mail address in the directory; give it one');

/** The handler `email` of a gateway without a mail server: what fires is kept, to be sent by one that has it. */
export const createMailOff = (): NotificationHandler => ({
  name: 'email',
  offReason: 'mail is off on this gateway',
  concurrencyMax: 1,
  send: () => Promise.reject(mailOff()),
});

const mailOff = (): Fault =>
  new Fault('mail_off', 'retry', 'there is no mail server in the config, so no mail is sent; name one (SMTP_URL)');

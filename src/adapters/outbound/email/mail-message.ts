import { domainToASCII } from 'node:url';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Mail } from '../../../application/ports/mailer.ts';
import type { MailServerSettings } from './email-settings.ts';
import { parseMailAddress, parseMailbox } from './mail-address.ts';
import { mailAddressInvalid } from './mail-fault.ts';

/** What a mail server is given. */
export type SmtpMessage = {
  readonly from: string;
  readonly to: readonly string[];
  /** Of the envelope: domains are ASCII (RFC 5891), what stands before them may not be. */
  readonly isInternational: boolean;
  /** The whole message as it goes over the wire. */
  readonly content: Buffer;
};

/**
 * Writes the mail. Throws a `Fault` (`mail_address_invalid`, `dead-letter`) for an address that is none: one that were
 * written all the same could address others, or add headers.
 */
export async function writeMail(mail: Mail, settings: MailServerSettings): Promise<SmtpMessage> {
  if (mail.to.length > settings.recipientsMax) {
    throw mailAddressInvalid(`is one of ${mail.to.length}, more than \`recipientsMax\``);
  }
  const to = mail.to.map((text) => {
    const address = parseMailAddress(text);
    if (!address.ok) throw mailAddressInvalid(address.reason);
    return address.value;
  });
  const from = parseMailbox(settings.from);
  if (!from.ok) throw new RangeError(`from ${from.reason}`);
  const composer = new MailComposer({
    from: from.value,
    to: to.map((address) => ({ name: '', address })),
    subject: subjectLine(mail.subject, settings.subjectCharactersMax),
    text: mail.text,
    messageId: mail.messageId,
    // No out-of-office reply to it (RFC 3834, section 5).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const content = await composer.compile().build();
  const envelope = { from: envelopeAddress(from.value.address), to: to.map(envelopeAddress) };
  return { ...envelope, isInternational: /[^\p{ASCII}]/u.test([envelope.from, ...envelope.to].join('')), content };
}

function envelopeAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = domainToASCII(address.slice(at + 1));
  if (domain === '') throw mailAddressInvalid('has a domain that is none');
  return `${address.slice(0, at)}@${domain}`;
}

/** One line: what would end a header, or show as nothing, is a blank. */
export function subjectLine(text: string, charactersMax: number): string {
  // Before the whole of a megabyte is looked at.
  const line = text
    .slice(0, 2 * charactersMax)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  if (line.length <= charactersMax) return line;
  // Not half of a character.
  return `${line.slice(0, charactersMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

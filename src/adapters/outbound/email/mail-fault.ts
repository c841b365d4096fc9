import { Fault } from '../../../application/fault.ts';

/** What nodemailer says of a try, without the server's words: those quote addresses. */
type SmtpError = {
  /** Its own codes (https://nodemailer.com/errors), or Node's. */
  readonly code: string;
  /** The server's reply code (RFC 5321, section 4.2); 0 where there was none. */
  readonly reply: number;
  /** What was answered so: `MAIL FROM`, `RCPT TO`, `DATA`, `AUTH …`; nodemailer's own names. */
  readonly command: string;
  /** `5.1.1` (RFC 3463); empty where there was none. */
  readonly enhanced: string;
};

type MakeFault = (server: string, cause: Error) => Fault;

const unreachable: MakeFault = (server, cause) =>
  new Fault('mail_unreachable', 'retry', `the mail server ${server} does not answer; it is tried again`, cause);

const putOff: MakeFault = (server, cause) =>
  new Fault('mail_put_off', 'retry', `the mail server ${server} takes the mail later, maybe; it is tried again`, cause);

const refused: MakeFault = (server, cause) =>
  new Fault(
    'mail_refused',
    'dead-letter',
    `the mail server ${server} refuses the mail for good; the cause says with what`,
    cause,
  );

const credentialsRefused: MakeFault = (server, cause) =>
  new Fault(
    'mail_credentials_refused',
    'retry',
    `the mail server ${server} refuses the user name and password, or wants some; correct the URL`,
    cause,
  );

const tlsFailed: MakeFault = (server, cause) =>
  new Fault(
    'mail_tls_failed',
    'retry',
    `no TLS with the mail server ${server}; see its port and its certificate, or use smtp:// for one without`,
    cause,
  );

const unwritable: MakeFault = (server, cause) =>
  new Fault('mail_unwritable', 'dead-letter', `the mail cannot be written for ${server}; the cause says why`, cause);

const byCode: Readonly<Record<string, MakeFault>> = {
  EAUTH: credentialsRefused,
  ENOAUTH: credentialsRefused,
  ETLS: tlsFailed,
  EREQUIRETLS: tlsFailed,
};

const needsAuthentication: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/**
 * What no operator of the server could mend: an address that there is none of, a mail that is too large or cannot be
 * read (RFC 3463, sections 3.2, 3.4 and 3.7). A sender that is refused, a policy, a full mailbox are others' mistakes.
 */
function isForGood({ reply, command, enhanced }: SmtpError): boolean {
  if (reply < 500 || reply > 599) return false;
  if (command === 'RCPT TO') return enhanced === '' ? reply === 550 || reply === 553 : enhanced.startsWith('5.1.');
  return command === 'DATA' && (enhanced === '5.3.4' || enhanced.startsWith('5.6.'));
}

function kindOf(error: SmtpError): MakeFault {
  if (needsAuthentication.has(error.reply)) return credentialsRefused;
  const known = byCode[error.code];
  if (known) return known;
  if (isForGood(error)) return refused;
  // Nodemailer's own refusal of an address or a size, before or instead of the server's.
  if (error.reply === 0 && error.code === 'EENVELOPE' && error.command === 'API') return unwritable;
  if (error.reply === 0 && error.code === 'EMESSAGE' && error.command === 'MAIL FROM') return refused;
  return error.reply >= 400 ? putOff : unreachable;
}

const textIn = (error: object, field: string): string => {
  const value: unknown = (error as Record<string, unknown>)[field];
  return typeof value === 'string' ? value : '';
};

function saidIn(error: object): SmtpError {
  const reply = 'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : 0;
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(textIn(error, 'response'))?.[1] ?? '';
  return { code: textIn(error, 'code'), reply, command: textIn(error, 'command'), enhanced };
}

const rejectedIn = (error: object): readonly SmtpError[] =>
  'rejectedErrors' in error && Array.isArray(error.rejectedErrors)
    ? error.rejectedErrors.map((each: unknown) => saidIn(Object(each)))
    : [];

/** Never the vendor's error itself. */
export function mailFault(error: unknown, server: string): Fault {
  if (error instanceof Fault) return error;
  const details = typeof error === 'object' && error !== null ? error : {};
  const said = saidIn(details);
  const { code, command, reply, enhanced } = said;
  const words = [code, command, reply === 0 ? '' : String(reply), enhanced].filter((word) => word !== '');
  const kind = kindOf(said);
  // Of several recipients one may be taken later, whatever is said of the last.
  const isMixed = kind === refused && rejectedIn(details).some((each) => !isForGood(each));
  return (isMixed ? putOff : kind)(server, new Error(words.join(' ').slice(0, 100) || 'no details'));
}

export const mailAborted = (server: string): Fault => unreachable(server, new Error('the gateway is stopping'));

export const mailAddressInvalid = (reason: string): Fault =>
  new Fault(
    'mail_address_invalid',
    'dead-letter',
    `an address that the directory has for the user ${reason}; nothing was sent. Correct it there`,
  );

export const mailAddressInternational = (server: string): Fault =>
  new Fault(
    'mail_address_international',
    'dead-letter',
    `an address has letters beyond ASCII before its @, and the mail server ${server} does not offer SMTPUTF8 (RFC 6531)`,
  );

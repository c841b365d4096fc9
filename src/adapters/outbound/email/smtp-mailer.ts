import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { Mailer } from '../../../application/ports/mailer.ts';
import type { MailServerSettings } from './email-settings.ts';
import { mailAborted, mailAddressInternational, mailFault } from './mail-fault.ts';
import { type SmtpMessage, writeMail } from './mail-message.ts';
import { parseSmtpUrl, type SmtpAddress, shownSmtpAddress } from './smtp-address.ts';

/** How long the server may take to say goodbye, after it has taken the mail. */
const closeMsMax = 2000;

/** More than any reply that means something. */
const replyBytesMax = 64 * 1024;

/** Mails by SMTP, each over a connection of its own. */
export function createSmtpMailer(settings: MailServerSettings): Mailer {
  const address = parseSmtpUrl(settings.url);
  if (!address.ok) throw new RangeError(`url ${address.reason}`);
  const server = shownSmtpAddress(address.value);
  return {
    async send(mail, signal) {
      try {
        await transmit(await writeMail(mail, settings), address.value, settings, signal);
      } catch (error) {
        throw signal.aborted ? mailAborted(server) : mailFault(error, server);
      }
    },
  };
}

/** Not a transport of nodemailer's, which cannot be told to end what is under way. */
async function transmit(
  { from, to, isInternational, content }: SmtpMessage,
  address: SmtpAddress,
  settings: MailServerSettings,
  signal: AbortSignal,
): Promise<void> {
  const connection = new SMTPConnection({
    host: address.host,
    port: address.port,
    secure: address.isSecure,
    requireTLS: address.needsTls,
    connectionTimeout: settings.connectTimeoutMs,
    greetingTimeout: settings.connectTimeoutMs,
    socketTimeout: settings.answerTimeoutMs,
    dnsTimeout: settings.connectTimeoutMs,
    socketCloseTimeout: closeMsMax,
    maxResponseSize: replyBytesMax,
    logger: false,
    transactionLog: false,
  });
  const broken = Promise.withResolvers<never>();
  connection.on('error', broken.reject);
  connection.on('end', () => broken.reject(Object.assign(new Error('closed'), { code: 'ECONNECTION' })));
  broken.promise.catch(() => {});
  // A server that says a word now and then is never silent.
  const { connectTimeoutMs, answerTimeoutMs } = settings;
  const late = () => broken.reject(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' }));
  const deadline = setTimeout(late, connectTimeoutMs + 2 * answerTimeoutMs);
  const abort = () => broken.reject(new Error('aborted'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const step = <T>(take: (done: (error?: Error | null, value?: T) => void) => void): Promise<T | undefined> => {
    const outcome = Promise.withResolvers<T | undefined>();
    take((error, value) => (error ? outcome.reject(error) : outcome.resolve(value)));
    outcome.promise.catch(() => {});
    return Promise.race([outcome.promise, broken.promise]);
  };
  try {
    await step((done) => connection.connect(done));
    // What it has answered to EHLO.
    const offers = String(connection.lastServerResponse);
    if (isInternational && !/[ -]SMTPUTF8\b/i.test(offers)) throw mailAddressInternational(shownSmtpAddress(address));
    const { credentials } = address;
    if (credentials) await step((done) => connection.login({ credentials }, done));
    // A server that takes it for some of several addresses has it: another try would be a second mail to those.
    await step((done) => connection.send({ from, to: [...to] }, content, done));
    connection.quit();
    // It has the mail: whether it says goodbye does not matter any more.
    setTimeout(() => connection.close(), closeMsMax).unref();
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', abort);
  }
}

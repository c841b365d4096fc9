import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { MailServerSettings } from '../../src/adapters/outbound/email/email-settings.ts';
import { writeMail } from '../../src/adapters/outbound/email/mail-message.ts';
import { createSmtpMailer } from '../../src/adapters/outbound/email/smtp-mailer.ts';
import { Fault } from '../../src/application/fault.ts';
import type { Mail } from '../../src/application/ports/mailer.ts';
import { smtpFixture } from '../support/smtp-fixture.ts';
import { neverAborts } from './amqp-fixture.ts';

const settingsFor = (url: string, changes: Partial<MailServerSettings> = {}): MailServerSettings => ({
  url,
  from: 'Edgeward <no-reply@example.com>',
  subjectDefault: 'Notification',
  subjectCharactersMax: 250,
  recipientsMax: 3,
  concurrencyMax: 5,
  connectTimeoutMs: 300,
  answerTimeoutMs: 300,
  ...changes,
});

const mail = (changes: Partial<Mail> = {}): Mail => ({
  messageId: '<notification.1@example.com>',
  to: ['ann@example.com'],
  subject: 'Done',
  text: 'It has finished.',
  ...changes,
});

const send = (url: string, changes: Partial<Mail> = {}, settings: Partial<MailServerSettings> = {}) =>
  createSmtpMailer(settingsFor(url, settings)).send(mail(changes), neverAborts());

async function faultOf(sending: Promise<void>): Promise<Fault> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Fault) return error;
  throw new Error(`no fault: ${String(error)}`);
}

/** A server that does what no mail server should. */
async function rawServer(talk: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a mail is plain text, as it was given, and its headers are ours', async () => {
  await using smtp = await smtpFixture();
  const text = `Grüße\n.\n..\nFrom here\n${'x'.repeat(2000)}\n`;
  await send(smtp.url, { to: ['ann@example.com', 'bob@example.com'], subject: 'Grüße 🎉', text });
  const [received] = smtp.mails;
  expect(received?.to).toEqual(['ann@example.com', 'bob@example.com']);
  expect([...(received?.headers.keys() ?? [])].toSorted()).toEqual(
    [
      'from',
      'to',
      'subject',
      'message-id',
      'date',
      'mime-version',
      'content-type',
      'content-transfer-encoding',
      'auto-submitted',
    ].toSorted(),
  );
  expect(received?.headers.get('message-id')).toBe('<notification.1@example.com>');
  expect(received?.raw.split('\r\n').every((line) => line.length <= 998)).toBe(true);
});

test('a subject of 1 MB, with line breaks that would be headers: one header, cut', async () => {
  await using smtp = await smtpFixture();
  await send(smtp.url, { subject: `a\r\nBcc: eve@example.com\r\n\r\nbody\u2028${'x'.repeat(1_000_000)}` });
  const [received] = smtp.mails;
  expect(received?.to).toEqual(['ann@example.com']);
  expect(received?.headers.has('bcc')).toBe(false);
  expect(received?.headers.get('subject')?.length).toBeLessThan(800);
  expect(received?.raw.length).toBeLessThan(2000);
});

test.each([
  ['a line break', 'ann@example.com\r\nBcc: eve@example.com'],
  ['a line break behind it', 'ann@example.com\n'],
  ['two in one', 'ann@example.com, eve@example.com'],
  ['a name', 'Ann <ann@example.com>'],
  ['no domain', 'ann'],
  ['a blank', 'ann smith@example.com'],
  ['a quoted part', '"ann@x"@example.com'],
  ['a route', '@a,@b:ann@example.com'],
  ['too long', `${'a'.repeat(65)}@example.com`],
])('an address with %s: nothing is sent, and it is not quoted', async (_name, address) => {
  await using smtp = await smtpFixture();
  const fault = await faultOf(send(smtp.url, { to: ['ann@example.com', address] }));
  expect(fault).toMatchObject({ code: 'mail_address_invalid', disposition: 'dead-letter' });
  expect(fault.message).not.toContain(address);
  expect(smtp.connections()).toBe(0);
});

test('more addresses than may: nothing is sent', async () => {
  await using smtp = await smtpFixture();
  const to = ['a', 'b', 'c', 'd'].map((name) => `${name}@example.com`);
  expect(await faultOf(send(smtp.url, { to }))).toMatchObject({ code: 'mail_address_invalid' });
  expect(smtp.connections()).toBe(0);
});

test.each([
  ['greets with 421', { atConnect: '421 4.3.2 come back' }, 'mail_put_off', 'retry'],
  ['greets with 554', { atConnect: '554 5.3.2 go away' }, 'mail_put_off', 'retry'],
  ['4xx to the sender', { atMail: '451 4.3.0 later' }, 'mail_put_off', 'retry'],
  ['4xx to the recipient', { atRecipient: '450 4.2.0 greylisted' }, 'mail_put_off', 'retry'],
  ['4xx to the mail', { atData: '452 4.3.1 full' }, 'mail_put_off', 'retry'],
  ['5xx to the sender', { atMail: '550 5.7.1 not you' }, 'mail_put_off', 'retry'],
  ['5xx to the recipient', { atRecipient: '550 5.1.1 ann@example.com unknown' }, 'mail_refused', 'dead-letter'],
  ['5xx to the mail', { atData: '554 5.6.0 spam' }, 'mail_refused', 'dead-letter'],
  ['wants a password', { atMail: '530 5.7.0 authenticate' }, 'mail_credentials_refused', 'retry'],
  ['hangs before its greeting', { atConnect: 'hang' }, 'mail_unreachable', 'retry'],
  ['hangs at the recipient', { atRecipient: 'hang' }, 'mail_unreachable', 'retry'],
  ['hangs with the whole mail', { atData: 'hang' }, 'mail_unreachable', 'retry'],
])('a server that %s', async (_name, behavior, code, disposition) => {
  await using smtp = await smtpFixture();
  smtp.behave(behavior);
  const fault = await faultOf(send(smtp.url));
  expect(fault).toMatchObject({ code, disposition });
  expect(`${fault.message} ${(fault.cause as Error).message}`).not.toContain('ann@');
  expect(smtp.mails).toEqual([]);
  smtp.behave({});
  await send(smtp.url);
  expect(smtp.mails).toHaveLength(1);
});

test('some of several recipients refused: the others have it, and it is not sent again', async () => {
  await using smtp = await smtpFixture();
  const refusals = ['550 5.1.1 unknown'];
  smtp.behave({ atRecipient: () => refusals.shift() });
  await send(smtp.url, { to: ['ann@example.com', 'bob@example.com'] });
  expect(smtp.mails.map(({ to }) => to)).toEqual([['bob@example.com']]);
});

test('a server that refuses connections, greets and closes, says nothing that is SMTP, or ends in the middle', async () => {
  const talks: readonly ((socket: Socket) => void)[] = [
    (socket) => socket.end('220 hello\r\n'),
    (socket) => socket.destroy(),
    (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'),
    (socket) => socket.write(`220-${'x'.repeat(200_000)}`),
    (socket) => {
      socket.write('220 hello\r\n');
      socket.once('data', () => {
        socket.write('250 hello\r\n');
        socket.once('data', () => socket.end());
      });
    },
  ];
  for (const talk of talks) {
    await using server = await rawServer(talk);
    expect(await faultOf(send(server.url))).toMatchObject({ disposition: 'retry' });
  }
  const closed = await rawServer(() => {});
  await closed[Symbol.asyncDispose]();
  expect(await faultOf(send(closed.url))).toMatchObject({ code: 'mail_unreachable', disposition: 'retry' });
});

test('a server that says a word now and then, and never the last one, is left', async () => {
  await using server = await rawServer((socket) => {
    socket.write('220 hello\r\n');
    const drip = setInterval(() => socket.write('250-more\r\n'), 20);
    socket.once('close', () => clearInterval(drip));
  });
  const sending = faultOf(send(server.url, {}, { connectTimeoutMs: 100, answerTimeoutMs: 200 }));
  expect(await sending).toMatchObject({ code: 'mail_unreachable', disposition: 'retry' });
});

test('a reply to the whole mail that is no reply: tried again', async () => {
  await using server = await rawServer((socket) => {
    socket.write('220 hello\r\n');
    let isBody = false;
    socket.on('data', (chunk) => {
      const said = String(chunk);
      if (isBody && said.endsWith('.\r\n')) socket.write('what?\r\n');
      else if (!isBody) socket.write(said.startsWith('DATA') ? '354 go on\r\n' : '250 good\r\n');
      isBody ||= said.startsWith('DATA');
    });
  });
  expect(await faultOf(send(server.url))).toMatchObject({ disposition: 'retry' });
});

test('beyond ASCII: a domain is written as DNS has it; a name before it needs a server that takes it', async () => {
  const written = await writeMail(mail({ to: ['ann@bücher.example'] }), settingsFor('smtp://mail.example.com'));
  expect(written).toMatchObject({ to: ['ann@xn--bcher-kva.example'], isInternational: false });
  await using smtp = await smtpFixture();
  await send(smtp.url, { to: ['änn@example.com'] });
  expect(smtp.mails).toHaveLength(1);
  await using old = await smtpFixture({ hideSMTPUTF8: true });
  await send(old.url, { to: ['ann@bücher.example'] });
  const fault = await faultOf(send(old.url, { to: ['änn@example.com'] }));
  expect(fault).toMatchObject({ code: 'mail_address_international', disposition: 'dead-letter' });
  expect(old.mails).toHaveLength(1);
});

test('a password is not sent in the clear to another machine, and is in no fault', async () => {
  let said = '';
  await using server = await rawServer((socket) => {
    socket.write('220 hello\r\n');
    socket.on('data', (chunk) => {
      said += String(chunk);
      socket.write(String(chunk).startsWith('STARTTLS') ? '502 no\r\n' : '250-hello\r\n250 AUTH PLAIN LOGIN\r\n');
    });
  });
  // This machine, by an address that is not loopback's.
  const url = server.url.replace('smtp://127.0.0.1', 'smtp://user:a-secret@0.0.0.0');
  const fault = await faultOf(send(url));
  expect(fault).toMatchObject({ code: 'mail_tls_failed', disposition: 'retry' });
  expect(`${fault.message} ${String(fault.cause)}`).not.toContain('a-secret');
  expect(said).toContain('STARTTLS');
  expect(said).not.toContain('AUTH');
});

test('with a password: it is presented, and one that is refused is tried again', async () => {
  const known = Buffer.from('\0user\0right').toString('base64');
  await using smtp = await smtpFixture({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, done) {
      const isRight = Buffer.from(`\0${username}\0${password}`).toString('base64') === known;
      done(isRight ? null : new Error('wrong'), isRight ? { user: username } : undefined);
    },
  });
  await send(smtp.url.replace('//', '//user:right@'));
  expect(smtp.mails).toHaveLength(1);
  const fault = await faultOf(send(smtp.url.replace('//', '//user:wrong@')));
  expect(fault).toMatchObject({ code: 'mail_credentials_refused', disposition: 'retry' });
});

test('what is under way is cut when the signal aborts', async () => {
  await using smtp = await smtpFixture();
  smtp.behave({ atData: 'hang' });
  const stopping = new AbortController();
  const mailer = createSmtpMailer(settingsFor(smtp.url, { answerTimeoutMs: 600_000 }));
  const sending = faultOf(mailer.send(mail(), stopping.signal));
  setTimeout(() => stopping.abort(), 50);
  expect(await sending).toMatchObject({ code: 'mail_unreachable', disposition: 'retry' });
});

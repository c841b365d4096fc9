import { expect, test } from 'vitest';
import { parseMailbox } from '../../../src/adapters/outbound/email/mail-address.ts';
import { subjectLine } from '../../../src/adapters/outbound/email/mail-message.ts';
import { parseSmtpUrl } from '../../../src/adapters/outbound/email/smtp-address.ts';
import { secretProblem } from '../../../src/adapters/outbound/webhook/webhook-settings.ts';
import { sqliteFault } from '../../../src/adapters/store/sqlite-fault.ts';
import { parseStoreLocation } from '../../../src/adapters/store/store-settings.ts';

test.each([
  ['memory:', { kind: 'memory' }],
  ['memory://', { kind: 'memory' }],
  ['file:data.sqlite', { kind: 'file', path: 'data.sqlite' }],
  ['file:/var/data.sqlite', { kind: 'file', path: '/var/data.sqlite' }],
  ['file:///var/data.sqlite', { kind: 'file', path: '/var/data.sqlite' }],
  ['sqlite:./data.sqlite', { kind: 'file', path: './data.sqlite' }],
  ['/var/data.sqlite', { kind: 'file', path: '/var/data.sqlite' }],
  ['data.sqlite', { kind: 'file', path: 'data.sqlite' }],
  ['postgres://user:secret@host/db', undefined],
  ['mongodb://host/event', undefined],
  ['file:', undefined],
  ['', undefined],
  ['file://host/data.sqlite', undefined],
  ['file:data.sqlite?mode=ro', undefined],
  ['data/', undefined],
  ['data/..', undefined],
  ['.', undefined],
  [':memory:', undefined],
  ['sqlite::memory:', undefined],
  ['file::memory:', undefined],
  ['sqlite:memory', undefined],
  ['file:MEMORY:', undefined],
  ['file:file:x', undefined],
  ['MEMORY:', undefined],
])('the store "%s"', (text, location) => {
  const parsed = parseStoreLocation(text);
  expect(parsed.ok ? parsed.value : undefined).toEqual(location);
  if (!parsed.ok) expect(parsed.reason).not.toContain('secret');
});

test.each([
  [
    'smtp://mail.example.com',
    { host: 'mail.example.com', port: 25, isSecure: false, needsTls: false, credentials: undefined },
  ],
  ['smtps://u%40x:p%25@mail.example.com', { port: 465, isSecure: true, credentials: { user: 'u@x', pass: 'p%' } }],
  ['smtp://u:p@mail.example.com:587', { port: 587, needsTls: true }],
  ['smtp://u:p@127.0.0.1:2525/', { needsTls: false }],
  ['smtp://[::1]:25', { host: '::1' }],
  ['http://mail.example.com', undefined],
  ['mail.example.com', undefined],
  ['smtp://u@mail.example.com', undefined],
  ['smtp://u:secret%@mail.example.com', undefined],
  ['smtp://mail.example.com/path', undefined],
  ['smtp://mail.example.com?logger=true', undefined],
])('the mail server "%s"', (text, address) => {
  const parsed = parseSmtpUrl(text);
  if (address) expect(parsed).toMatchObject({ ok: true, value: address });
  else expect(parsed).toMatchObject({ ok: false, reason: expect.not.stringContaining('secret') });
});

test.each([
  ['no-reply@example.com', { name: '', address: 'no-reply@example.com' }],
  ['Brain Life <no-reply@example.com>', { name: 'Brain Life', address: 'no-reply@example.com' }],
  ['"Life, Brain" <no-reply@example.com>', { name: 'Life, Brain', address: 'no-reply@example.com' }],
  ['grüße@bücher.example', { name: '', address: 'grüße@bücher.example' }],
  ['no-reply', undefined],
  ['A <a@x>, B <b@x>', undefined],
  ['A\r\nBcc: e@x <a@x>', undefined],
  ['a..b@example.com', undefined],
  ['a@-example.com', undefined],
])('the mailbox "%s"', (text, mailbox) => {
  const parsed = parseMailbox(text);
  expect(parsed.ok ? parsed.value : undefined).toEqual(mailbox);
});

test.each([
  ['plain', 'plain'],
  ['  a\r\n\tb\u0000c\u2028d ', 'a b c d'],
  ['x'.repeat(30), `${'x'.repeat(19)}…`],
  [`${'x'.repeat(18)}🎉🎉`, `${'x'.repeat(18)}…`],
  ['\ud800', '\ufffd'],
])('the subject %j', (text, line) => {
  expect(subjectLine(text, 20)).toBe(line);
});

test.each([
  [`whsec_${Buffer.alloc(24).toString('base64')}`, true],
  [Buffer.alloc(64).toString('base64'), true],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, false],
  [`whsec_${Buffer.alloc(65).toString('base64')}`, false],
  ['whsec_', false],
  ['not base64!', false],
])('the secret %s is one: %s', (text, isOne) => {
  expect(secretProblem(text) === undefined).toBe(isOne);
});

test.each([
  [13, 'store_disk_full', 'retry'],
  [10 | (3 << 8), 'store_disk_full', 'retry'],
  [10, 'store_failed', 'retry'],
  [10 | (4 << 8), 'store_failed', 'retry'],
  [5, 'store_in_use', 'stop'],
  [5 | (1 << 8), 'store_in_use', 'stop'],
  [14, 'store_unreadable', 'stop'],
  [8, 'store_unreadable', 'stop'],
  [11, 'store_damaged', 'stop'],
  [26, 'store_damaged', 'stop'],
  [19 | (8 << 8), 'store_refused', 'dead-letter'],
  [0, 'store_refused', 'dead-letter'],
  [7, 'store_failed', 'retry'],
  [999, 'store_failed', 'retry'],
])('SQLite says %i: %s', (code, name, disposition) => {
  const fault = sqliteFault({ code, message: 'its words' }, 'data.sqlite');
  expect(fault).toMatchObject({ code: name, disposition, cause: { message: 'its words' } });
});

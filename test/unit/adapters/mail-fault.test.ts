import { expect, test } from 'vitest';
import { mailFault } from '../../../src/adapters/outbound/email/mail-fault.ts';

const said = (command: string, response: string, code = 'EENVELOPE') => ({
  code,
  command,
  response,
  responseCode: Number(response.slice(0, 3)) || undefined,
});

test.each([
  ['RCPT TO', '550 5.1.1 unknown', true],
  ['RCPT TO', '553 5.1.3 malformed', true],
  ['RCPT TO', '550 no such user', true],
  ['RCPT TO', '553 no such user', true],
  ['RCPT TO', '551 elsewhere', false],
  ['RCPT TO', '550 5.7.1 relaying denied', false],
  ['RCPT TO', '552 5.2.2 mailbox full', false],
  ['RCPT TO', '554 5.7.1 blocked', false],
  ['RCPT TO', '450 4.1.1 later', false],
  ['MAIL FROM', '550 5.1.8 sender unknown', false],
  ['MAIL FROM', '550 not you', false],
  ['MAIL FROM', '553 5.7.1 not your address', false],
  ['DATA', '552 5.3.4 too large', true],
  ['DATA', '554 5.6.0 unreadable', true],
  ['DATA', '554 5.7.1 spam', false],
  ['DATA', '550 5.1.1 unknown', false],
  ['DATA', '554 no', false],
  ['DATA', '503 5.5.1 out of order', false],
  ['EHLO', '550 5.1.1 no', false],
])('%s: %s; for good: %s', (command, response, isForGood) => {
  const { code, disposition } = mailFault(said(command, response), 'mail:25');
  expect([code, disposition]).toEqual(isForGood ? ['mail_refused', 'dead-letter'] : ['mail_put_off', 'retry']);
});

test('a reply that is none is tried again; what nodemailer refuses by itself is not', () => {
  const faultOf = (command: string, code: string) => mailFault({ code, command }, 'mail:25').disposition;
  expect(faultOf('DATA', 'EMESSAGE')).toBe('retry');
  expect(faultOf('RCPT TO', 'EENVELOPE')).toBe('retry');
  expect(faultOf('MAIL FROM', 'EENVELOPE')).toBe('retry');
  expect(faultOf('MAIL FROM', 'EMESSAGE')).toBe('dead-letter');
  expect(faultOf('API', 'EENVELOPE')).toBe('dead-letter');
});

test('several recipients are refused for good when each of them is', () => {
  const last = said('RCPT TO', '550 5.1.1 unknown');
  const faultOf = (...rejectedErrors: object[]) => mailFault({ ...last, rejectedErrors }, 'mail:25').code;
  expect(faultOf(last, last)).toBe('mail_refused');
  expect(faultOf(said('RCPT TO', '550 5.7.1 denied'), last)).toBe('mail_put_off');
});

import { describe, expect, test } from 'vitest';
import { parseAmqpUrl, shownAddress } from '../../../src/adapters/inbound/amqp/amqp-address.ts';
import { amqpSettings } from '../../../src/adapters/inbound/amqp/amqp-settings.ts';

const queues = { urls: ['amqp://localhost'], queues: ['q'], onDeadLetter: 'discard' };
const bindings = { urls: ['amqp://localhost'], bindings: { 'wf.task': 'topic' } };

const problems = (settings: object): readonly string[] => {
  const { success, error } = amqpSettings.safeParse(settings);
  return success ? [] : error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('settings', () => {
  test.each([
    queues,
    bindings,
    { ...queues, onDeadLetter: undefined, deadLetter: { exchange: 'dlx' } },
    { ...queues, onDeadLetter: undefined, deadLetter: { exchange: '', key: 'q' } },
    { ...queues, onDeadLetter: undefined, deadLetter: { by: 'policy' } },
    { ...queues, urls: ['amqps://u:p@h/v?heartbeat=5', 'amqp://h2'], tls: { caFile: 'ca.pem', serverName: 'h' } },
  ])('%j', (settings) => expect(problems(settings)).toEqual([]));

  test.each<[object, string]>([
    [{ ...queues, ...bindings }, 'queues: queues and bindings contradict'],
    [{ urls: ['amqp://h'] }, 'queues: say which'],
    [{ ...bindings, bindings: {} }, 'bindings: must have at least one'],
    [{ ...bindings, bindings: { e: 'x-hash' } }, 'bindings.e: '],
    [{ ...bindings, ordered: true }, 'ordered: is for queues'],
    [{ ...bindings, onDeadLetter: 'discard' }, 'onDeadLetter: is for queues'],
    [{ ...bindings, deadLetter: { exchange: 'x' } }, 'deadLetter: is for queues'],
    [{ ...queues, onDeadLetter: undefined }, 'onDeadLetter: say where'],
    [{ ...queues, deadLetter: { exchange: 'x' } }, 'onDeadLetter: deadLetter and onDeadLetter'],
    [{ ...queues, onDeadLetter: undefined, deadLetter: {} }, 'deadLetter.exchange: must name'],
    [{ ...queues, onDeadLetter: undefined, deadLetter: { exchange: '' } }, 'deadLetter.exchange: is the default'],
    [
      { ...queues, onDeadLetter: undefined, deadLetter: { by: 'policy', key: 'k' } },
      'deadLetter.exchange: contradicts',
    ],
    [{ ...queues, urls: [] }, 'urls: '],
    [{ ...queues, queues: ['x'.repeat(256)] }, 'queues.0: must be at most 255 bytes'],
    [{ ...queues, tls: { caFile: 'ca.pem' } }, 'tls: is for amqps://'],
    [{ ...queues, urls: ['amqps://h'], tls: { keyFile: 'k' } }, 'tls.keyFile: certificateFile and keyFile'],
    [{ ...queues, reconnectMsMin: 500, reconnectMsMax: 100 }, 'reconnectMsMax: must not be shorter'],
    [{ ...queues, inFlightMax: 65_536 }, 'inFlightMax: '],
    [{ ...queues, prefetch: 5 }, ': '],
  ])('%j: %s', (settings, problem) => {
    const found = problems(settings);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });
});

describe('URLs', () => {
  test('what a short one leaves out', () => {
    expect(parseAmqpUrl('amqp://rabbit')).toEqual({
      ok: true,
      value: {
        protocol: 'amqp',
        hostname: 'rabbit',
        port: 5672,
        username: 'guest',
        password: 'guest',
        vhost: '/',
        heartbeatSeconds: undefined,
      },
    });
  });

  test.each([
    ['amqps://rabbit/', { port: 5671, vhost: '/' }],
    ['amqp://rabbit:1234/%2F', { port: 1234, vhost: '/' }],
    ['amqp://rabbit/a%2fb', { vhost: 'a/b' }],
    ['amqp://u%40x:p%3a%2f%25@rabbit/v', { username: 'u@x', password: 'p:/%', vhost: 'v' }],
    ['amqp://u@rabbit', { username: 'u', password: '' }],
    ['amqp://[::1]:5672', { hostname: '::1' }],
    ['amqp://rabbit/?heartbeat=0', { heartbeatSeconds: 0 }],
  ])('%s', (url, value) => expect(parseAmqpUrl(url)).toMatchObject({ ok: true, value }));

  test.each([
    'rabbit:5672',
    'http://secret:secret@rabbit',
    'amqp://',
    'amqp:///secret',
    'amqp://u:secret%zz@rabbit',
    'amqp://u:secret@rabbit/a/b',
    'amqp://u:secret@rabbit/?heartbeat=-1',
    'amqp://u:secret@rabbit/?frameMax=1',
    'amqp://u:secret@rabbit:99999',
    '',
  ])('%j is refused, and not quoted', (url) => {
    const verdict = parseAmqpUrl(url);
    expect(verdict.ok).toBe(false);
    expect(JSON.stringify(verdict)).not.toContain('secret');
  });

  test.each([
    ['amqp://u:secret@rabbit/v', 'rabbit:5672'],
    ['amqp://[::1]', '[::1]:5672'],
  ])('%s is shown as %s', (url, shown) => {
    const verdict = parseAmqpUrl(url);
    expect(verdict.ok && shownAddress(verdict.value)).toBe(shown);
  });
});

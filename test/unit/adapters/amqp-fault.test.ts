import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { amqpFault } from '../../../src/adapters/inbound/amqp/amqp-fault.ts';

const place = { source: 'orders', resource: 'queue "q"', address: 'rabbit:5672', vhost: 'prod' };

const withCode = (code: unknown, message = 'words of the broker') => Object.assign(new Error(message), { code });

test.each<[unknown, string, string]>([
  [withCode(311), 'amqp_refused', 'stop'],
  [withCode(320), 'amqp_closed', 'retry'],
  [withCode(403), 'amqp_permission_missing', 'stop'],
  [withCode(403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"), 'amqp_locked', 'retry'],
  [withCode(404), 'amqp_missing', 'stop'],
  [withCode(405), 'amqp_locked', 'retry'],
  [withCode(406), 'amqp_refused', 'stop'],
  [withCode(530), 'amqp_refused', 'stop'],
  [withCode(541), 'amqp_failed', 'retry'],
  [withCode('ECONNREFUSED'), 'amqp_unreachable', 'retry'],
  [withCode('ENOTFOUND'), 'amqp_unreachable', 'retry'],
  [withCode('ECONNRESET'), 'amqp_unreachable', 'retry'],
  [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'amqp_tls_failed', 'stop'],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'amqp_tls_failed', 'stop'],
  [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'amqp_tls_failed', 'stop'],
  [withCode('EWHATEVER'), 'amqp_failed', 'retry'],
  [
    new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "x"'),
    'amqp_credentials_refused',
    'stop',
  ],
  [new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'), 'amqp_vhost_refused', 'stop'],
  [new Error('connect ETIMEDOUT'), 'amqp_unreachable', 'retry'],
  [new Error('Heartbeat timeout'), 'amqp_unreachable', 'retry'],
  [new Error('Unexpected close'), 'amqp_unreachable', 'retry'],
  [new Error('Socket closed abruptly during opening handshake'), 'amqp_unreachable', 'retry'],
  [new Error('Channel ended, no reply will be forthcoming'), 'amqp_unreachable', 'retry'],
  [new Error('something else'), 'amqp_failed', 'retry'],
  ['no error at all', 'amqp_failed', 'retry'],
  [undefined, 'amqp_failed', 'retry'],
])('%s', (error, code, disposition) => {
  const fault = amqpFault(error, place);
  expect(fault).toMatchObject({ code, disposition });
  expect(fault.message).toMatch(/^source "orders": .*(rabbit:5672|prod).*; .+/);
});

test('of the error itself only its words are kept, and not all of them', () => {
  const error = Object.assign(withCode(404, `${'x'.repeat(500)}`), { headers: 'the-secret' });
  const fault = amqpFault(error, place);
  expect(inspect(fault, { depth: 10, showHidden: true })).not.toContain('the-secret');
  expect(String(fault.cause).length).toBeLessThan(320);
});

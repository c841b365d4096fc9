import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { pubsubFault, statusOf } from '../../../src/adapters/inbound/pubsub/pubsub-fault.ts';
import { Fault } from '../../../src/application/fault.ts';

const place = {
  source: 'shop',
  resource: 'subscription "orders"',
  permission: 'pubsub.subscriptions.consume',
  address: 'pubsub.example:443',
};

/** As gRPC makes them. */
const grpcError = (code: number, details = 'the server says why') =>
  Object.assign(new Error(`${code} STATUS: ${details}`), {
    code,
    details,
    metadata: { authorization: 'Bearer the-token-is-secret' },
  });

test.each([
  [1, 'pubsub_failed', 'retry', 'failed on subscription "orders": the server says why'],
  [2, 'pubsub_failed', 'retry', 'failed on subscription "orders"'],
  [3, 'pubsub_refused', 'stop', 'refuses what is asked of subscription "orders": the server says why'],
  [4, 'pubsub_unreachable', 'retry', 'pubsub.example:443 does not answer for subscription "orders"'],
  [5, 'pubsub_missing', 'stop', 'subscription "orders" does not exist at pubsub.example:443'],
  [6, 'pubsub_refused', 'stop', 'refuses'],
  [7, 'pubsub_permission_missing', 'stop', 'lack pubsub.subscriptions.consume on subscription "orders"'],
  [8, 'pubsub_quota_exhausted', 'retry', 'a quota of Pub/Sub at pubsub.example:443 is used up'],
  [9, 'pubsub_refused', 'stop', 'refuses'],
  [10, 'pubsub_failed', 'retry', 'failed'],
  [11, 'pubsub_refused', 'stop', 'refuses'],
  [12, 'pubsub_refused', 'stop', 'refuses'],
  [13, 'pubsub_failed', 'retry', 'failed'],
  [14, 'pubsub_unreachable', 'retry', 'see whether it can be reached'],
  [15, 'pubsub_failed', 'retry', 'failed'],
  [16, 'pubsub_credentials_refused', 'stop', 'refuses the credentials'],
  [99, 'pubsub_failed', 'retry', 'failed'],
])('status %i is %s (%s)', (status, code, disposition, says) => {
  const fault = pubsubFault(grpcError(status), place);
  expect(fault).toMatchObject({ code, disposition });
  expect(fault.message).toContain(says);
  expect(fault.message).toContain('source "shop"');
});

test('an error that is none of gRPC is a failure, in its own words', () => {
  const fault = pubsubFault(new TypeError('fails'), place);
  expect(fault).toMatchObject({ code: 'pubsub_failed', message: expect.stringContaining('fails') });
  expect(pubsubFault('nonsense', place).message).toContain('no details');
});

test('a fault stays what it is', () => {
  const fault = new Fault('other', 'stop', 'as it was');
  expect(pubsubFault(fault, place)).toBe(fault);
});

test('no header and nothing long is kept', () => {
  const fault = pubsubFault(grpcError(13, `${'x'.repeat(5000)}`), place);
  const text = inspect(fault, { depth: Number.POSITIVE_INFINITY, showHidden: true });
  expect(text).not.toContain('the-token-is-secret');
  expect(fault.message.length).toBeLessThan(400);
});

test.each([
  [grpcError(5), 5],
  [new Error('none'), undefined],
  [{ code: 'ENOENT' }, undefined],
  [null, undefined],
  ['text', undefined],
])('the status of an error is its number, if it has one', (error, status) => {
  expect(statusOf(error)).toBe(status);
});

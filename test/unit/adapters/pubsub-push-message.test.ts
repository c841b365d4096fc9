import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PushIntake, readPush } from '../../../src/adapters/inbound/pubsub/pubsub-push-message.ts';
import { allowedValue, refusalReason } from '../../support/domain-fixtures.ts';
import { pushBody, pushSubscription } from '../../support/pubsub-push.ts';

const intake: PushIntake = {
  source: 'push',
  subscriptions: new Map([[pushSubscription, { id: 'orders-push', topic: 'orders.v1' }]]),
};

const read = (text: string | Uint8Array) =>
  readPush(typeof text === 'string' ? new TextEncoder().encode(text) : text, intake);

describe('a push becomes an event', () => {
  test('with everything that it may have', () => {
    const body = pushBody({ attributes: { 'Tenant-Id': 'T1' }, orderingKey: 'till-7' }, { deliveryAttempt: 3 });
    const { key, event, deliveryAttempt } = allowedValue(read(body));
    expect(key).toBe(`${pushSubscription} 1`);
    expect(deliveryAttempt).toBe(3);
    expect([...event.attributes]).toEqual([['Tenant-Id', 'T1']]);
    expect(Buffer.from(event.payload).toString()).toBe('hello');
    expect(event).toMatchObject({
      id: '1',
      stream: 'orders.v1',
      key: 'till-7',
      contentType: undefined,
      publishedAt: Date.parse('2026-11-22T06:00:00.123Z'),
      origin: { source: 'push', properties: { subscription: 'orders-push', deliveryAttempt: 3 } },
    });
  });

  test('with the least: hiiretail.md 7, a message with no attributes, and one with no data', () => {
    const body = JSON.stringify({
      subscription: pushSubscription,
      message: { message_id: '7', publish_time: '2026-11-22T06:00:00Z' },
    });
    const { event, deliveryAttempt } = allowedValue(read(body));
    expect(event).toMatchObject({ id: '7', key: '', publishedAt: Date.parse('2026-11-22T06:00:00Z') });
    expect(event.attributes.size).toBe(0);
    expect(event.payload.byteLength).toBe(0);
    expect(event.origin.properties).toEqual({ subscription: 'orders-push' });
    expect(deliveryAttempt).toBe(0);
  });

  test('with fields that Pub/Sub may add one day', () => {
    expect(allowedValue(read(pushBody({ extra: { a: [1] } }, { further: true }))).event.id).toBe('1');
  });

  test('with bytes that are no text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const { payload } = allowedValue(read(pushBody({ data: Buffer.from(bytes).toString('base64') }))).event;
        expect([...payload]).toEqual([...bytes]);
      }),
    );
  });

  test('with names of attributes that are somebody else’s elsewhere', () => {
    const names = ['__proto__', 'constructor', 'toString', 'a/b', 'Größe', '', 'data', 'messageId'];
    const attributes = names.map((name) => `${JSON.stringify(name)}:"v"`).join();
    const body = pushBody().replace('"messageId"', `"attributes":{${attributes}},"messageId"`);
    expect([...allowedValue(read(body)).event.attributes.keys()]).toEqual(names);
    expect(Object.hasOwn(Object.prototype, 'a/b')).toBe(false);
  });

  test('the time may be finer than a millisecond', () => {
    const { event } = allowedValue(read(pushBody({ publishTime: '2026-11-22T06:00:00.123456789Z' })));
    expect(event.publishedAt).toBe(Date.parse('2026-11-22T06:00:00.123Z'));
  });
});

describe('what is no push', () => {
  const cases: readonly (readonly [what: string, body: string | Uint8Array, code: string, detail: string])[] = [
    ['nothing', '', 'body_invalid', 'The body is not valid JSON.'],
    ['half of it', pushBody().slice(0, -3), 'body_invalid', 'The body is not valid JSON'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'body_invalid', 'The body is not valid UTF-8.'],
    ['depth without end', '['.repeat(100_000), 'body_invalid', 'The body is nested deeper than 8 levels.'],
    ['a name twice', '{"message":{},"message":{}}', 'body_invalid', 'has a name twice'],
    ['null', 'null', 'message_invalid', 'The body must be an object.'],
    ['an array', `[${pushBody()}]`, 'message_invalid', 'The body must be an object.'],
    ['a text', '"x"', 'message_invalid', 'The body must be an object.'],
    ['no message', JSON.stringify({ subscription: pushSubscription }), 'message_invalid', 'message must be a message'],
    ['raw data of a publisher', '{"order":4711}', 'message_invalid', 'subscription must be a text.'],
    ['a message that is a text', pushBody({}, { message: 'x' }), 'message_invalid', 'message must be a message'],
    ['a message that is an array', pushBody({}, { message: [] }), 'message_invalid', 'message must be a message'],
    ['no subscription', pushBody({}, { subscription: undefined }), 'message_invalid', 'subscription must be a text.'],
    ['a subscription that is a number', pushBody({}, { subscription: 1 }), 'message_invalid', 'subscription must be'],
    ['data that is a number', pushBody({ data: 1 }), 'message_invalid', 'message.data must be a text.'],
    ['data that is null', pushBody({ data: null }), 'message_invalid', 'message.data must be a text.'],
    ['no base64', pushBody({ data: 'a-b_' }), 'message_invalid', 'message.data must be base64 with padding'],
    ['base64 without padding', pushBody({ data: 'YQ' }), 'message_invalid', 'message.data must be base64'],
    ['base64 with a line break', pushBody({ data: 'aGVs\nbG8=' }), 'message_invalid', 'message.data must be base64'],
    [
      'no id',
      pushBody({ messageId: undefined, message_id: undefined }),
      'message_invalid',
      'message.messageId must not be empty.',
    ],
    ['an empty id', pushBody({ messageId: '' }), 'message_invalid', 'message.messageId must not be empty.'],
    ['an id that is a number', pushBody({ messageId: 1 }), 'message_invalid', 'message.messageId must be a text.'],
    [
      'no time',
      pushBody({ publishTime: undefined, publish_time: undefined }),
      'message_invalid',
      'message.publishTime must be a time',
    ],
    ['no real time', pushBody({ publishTime: 'yesterday' }), 'message_invalid', 'message.publishTime must be a time'],
    ['attributes in a list', pushBody({ attributes: [] }), 'message_invalid', 'message.attributes must be an object'],
    ['attributes that are null', pushBody({ attributes: null }), 'message_invalid', 'message.attributes must be'],
    ['a number for an attribute', pushBody({ attributes: { a: 1 } }), 'message_invalid', 'message.attributes must be'],
    ['an ordering key that is a number', pushBody({ orderingKey: 1 }), 'message_invalid', 'message.orderingKey must'],
    ['half an attempt', pushBody({}, { deliveryAttempt: 1.5 }), 'message_invalid', 'deliveryAttempt must be a whole'],
    ['an attempt below zero', pushBody({}, { deliveryAttempt: -1 }), 'message_invalid', 'deliveryAttempt must not be'],
  ];

  test.each(cases)('%s', (_what, body, code, detail) => {
    const reason = refusalReason(read(body));
    expect(reason).toMatchObject({ status: 400, code });
    expect(reason.detail).toContain(detail);
    expect(reason.detail).toMatch(/\.$/);
  });

  test.each([
    'projects/other/subscriptions/orders-push',
    'projects/edgeward-test/subscriptions/orders-push-2',
    'projects/edgeward-test/subscriptions/Orders-Push',
    'orders-push',
    '',
  ])('the subscription "%s" is not one of the source’s', (subscription) => {
    expect(refusalReason(read(pushBody({}, { subscription })))).toMatchObject({
      status: 400,
      code: 'subscription_unknown',
      detail: `No subscription of this source is called "${subscription}".`,
    });
  });

  test('a reason quotes neither payload nor attributes', () => {
    const secret = 'the-secret';
    const bodies = [
      pushBody({ data: secret }),
      pushBody({ attributes: { [secret]: 1 } }),
      pushBody({ attributes: { a: [secret] } }),
      pushBody({ publishTime: secret }),
      `${pushBody({ data: secret })}x`,
    ];
    for (const body of bodies) expect(JSON.stringify(refusalReason(read(body)))).not.toContain(secret);
  });

  test('no bytes at all make it throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => void read(bytes),
      ),
    );
  });
});

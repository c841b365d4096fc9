import { expect, test } from 'vitest';
import { eventOf, type PulledMessage } from '../../../src/adapters/inbound/pubsub/pubsub-message.ts';

const from = { source: 'shop', topic: 'orders.v1', subscription: 'orders' };

const message = (fields: Partial<PulledMessage> = {}): PulledMessage => ({
  id: '4711',
  data: Buffer.from([0, 255]),
  attributes: {},
  publishTime: new Date('2026-01-31T13:00:00.123Z'),
  deliveryAttempt: 0,
  ...fields,
});

test('a message becomes an event of its topic (design.md 4)', () => {
  const event = eventOf(message({ attributes: { 'Tenant-Id': 'T1', empty: '' }, orderingKey: 'T1' }), from);
  expect(event).toMatchObject({
    id: '4711',
    stream: 'orders.v1',
    key: 'T1',
    attributes: new Map([
      ['Tenant-Id', 'T1'],
      ['empty', ''],
    ]),
    payload: Buffer.from([0, 255]),
    contentType: undefined,
    publishedAt: Date.UTC(2026, 0, 31, 13, 0, 0, 123),
    origin: { source: 'shop', properties: { subscription: 'orders' } },
  });
});

test('a message without ordering key, attributes and data becomes an event without', () => {
  const event = eventOf(message({ data: Buffer.alloc(0) }), from);
  expect(event).toMatchObject({ key: '', attributes: new Map() });
  expect(event.payload).toHaveLength(0);
});

test('a content type is nothing but an attribute: the JSON view is of the bytes', () => {
  const event = eventOf(message({ data: Buffer.from('{"a": 1}'), attributes: { 'content-type': 'text/plain' } }), from);
  expect(event.contentType).toBeUndefined();
  expect(event.attributes.get('content-type')).toBe('text/plain');
  expect(event.jsonText()).toBe('{"a": 1}');
});

test('no attribute name is special', () => {
  const attributes: unknown = JSON.parse('{"__proto__":"p","constructor":"c"}');
  const event = eventOf(message({ attributes: attributes as Record<string, string> }), from);
  expect([...event.attributes]).toEqual([
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
});

test('how often it was delivered is known where the broker counts', () => {
  expect(eventOf(message({ deliveryAttempt: 3 }), from).origin.properties).toEqual({
    subscription: 'orders',
    deliveryAttempt: 3,
  });
});

import type { ConsumeMessageFields } from 'amqplib';
import { describe, expect, test } from 'vitest';
import {
  type AmqpMessage,
  attemptOf,
  deadLetterOf,
  eventOf,
  publicationOf,
} from '../../../src/adapters/inbound/amqp/amqp-message.ts';
import type { BasicProperties } from '../../../src/adapters/inbound/amqp/amqp-properties.ts';
import { Event } from '../../../src/domain/event.ts';

const now = 1_800_000_000_000;
const intake = { source: 'amqp', queue: 'q', now };

const message = (properties: BasicProperties = {}, fields: Partial<ConsumeMessageFields> = {}): AmqpMessage => ({
  content: Buffer.from('{"a":1}'),
  properties,
  fields: { consumerTag: 'c', deliveryTag: 7, redelivered: false, exchange: 'wf.task', routingKey: 'i1.t1', ...fields },
});

describe('a message as an event', () => {
  test('with everything', () => {
    const properties: BasicProperties = {
      contentType: 'application/json',
      contentEncoding: 'identity',
      headers: {
        text: 't',
        whole: 5,
        half: 0.5,
        yes: true,
        no: false,
        table: { a: 1 },
        list: [1],
        bytes: Buffer.of(1),
        nothing: null,
      },
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c1',
      replyTo: 'r',
      expiration: '100',
      messageId: 'm1',
      timestamp: 1_700_000_000,
      type: 'ty',
      userId: 'u',
      appId: 'a',
    };
    const event = eventOf(message(properties), intake);
    expect(event).toMatchObject({
      id: 'm1',
      stream: 'wf.task',
      key: 'i1.t1',
      contentType: 'application/json',
      publishedAt: 1_700_000_000_000,
    });
    expect([...event.attributes]).toEqual([
      ['text', 't'],
      ['whole', '5'],
      ['half', '0.5'],
      ['yes', 'true'],
      ['no', 'false'],
    ]);
    // So that a list of users is no event for everybody.
    expect([...(event.unreadable ?? [])]).toEqual(['table', 'list', 'bytes', 'nothing']);
    expect(event.origin).toEqual({
      source: 'amqp',
      properties: {
        ...properties,
        queue: 'q',
        deliveryTag: 7,
        redelivered: false,
        exchange: 'wf.task',
        routingKey: 'i1.t1',
        consumerTag: 'c',
      },
    });
  });

  test('with nothing: the default exchange, no id, no time', () => {
    const event = eventOf(message({}, { exchange: '', routingKey: 'q' }), intake);
    expect(event).toMatchObject({ stream: 'q', key: 'q', contentType: undefined, publishedAt: now });
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(event.attributes.size).toBe(0);
    expect(event.origin.properties).not.toHaveProperty('contentType');
    expect(eventOf(message(), intake, 'remembered').id).toBe('remembered');
    expect(eventOf(message({ messageId: '' }), intake, 'remembered').id).toBe('remembered');
    expect(eventOf(message({ messageId: 'own' }), intake, 'remembered').id).toBe('own');
  });

  test.each([
    [0, 0],
    [1_700_000_000, 1_700_000_000_000],
    [99_999_999_999, 99_999_999_999_000],
    // Milliseconds, as several clients write them.
    [1_700_000_000_000, 1_700_000_000_000],
    [2 ** 60, now],
  ])('the timestamp %d', (timestamp, publishedAt) => {
    const event = eventOf(message({ timestamp }), intake);
    expect(event.publishedAt).toBe(publishedAt);
    expect(() => new Date(event.publishedAt).toISOString()).not.toThrow();
  });

  test.each<[BasicProperties, boolean, number, number]>([
    [{}, false, 0, 1],
    [{}, true, 0, 2],
    [{}, true, 4, 5],
    [{ headers: { 'x-delivery-count': 0 } }, false, 0, 1],
    [{ headers: { 'x-delivery-count': 3 } }, true, 0, 4],
    [{ headers: { 'x-delivery-count': 3 } }, true, 9, 10],
    [{ headers: { 'x-delivery-count': -1 } }, false, 0, 1],
    [{ headers: { 'x-delivery-count': 'many' } }, true, 0, 2],
  ])('attempts: %j, redelivered %s, remembered %d', (properties, redelivered, remembered, attempt) => {
    expect(attemptOf(message(properties, { redelivered }), remembered)).toBe(attempt);
  });
});

describe('what is published', () => {
  const fields = {
    id: 'e1',
    stream: 'orders',
    key: 'a.b',
    attributes: new Map([
      ['Tenant-Id', 'T1'],
      ['__proto__', 'p'],
    ]),
    payload: new Uint8Array(),
    publishedAt: 1_700_000_000_999,
    origin: { source: 'http', properties: {} },
  };
  const event = new Event(fields);

  test('an event', () => {
    const { options, ...others } = publicationOf(event);
    expect(others).toEqual({ exchange: 'orders', key: 'a.b', content: Buffer.alloc(0) });
    expect(options).toMatchObject({ messageId: 'e1', timestamp: 1_700_000_000, deliveryMode: 2 });
    expect(options).not.toHaveProperty('contentType');
    expect(Object.entries(options.headers)).toEqual([...event.attributes]);
  });

  test('the part of a larger buffer that the payload is', () => {
    const payload = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect([...publicationOf(new Event({ ...fields, payload })).content]).toEqual([2, 3]);
  });

  test('a dead letter: what the message had, without what would end it or send it elsewhere', () => {
    const headers = { CC: ['x'], BCC: ['y'], 'x-delivery-count': 2, nested: { a: 1 }, 'Dead-Letter-Cause': 'forged' };
    const dead = message({ headers, messageId: 'm1', expiration: '5', userId: 'u', type: 't', replyTo: 'r' });
    const { exchange, key, options } = deadLetterOf(dead, eventOf(dead, intake), { exchange: 'dlx' }, 'no use');
    expect({ exchange, key }).toEqual({ exchange: 'dlx', key: 'i1.t1' });
    expect(options).toEqual({
      messageId: 'm1',
      type: 't',
      replyTo: 'r',
      deliveryMode: 2,
      headers: {
        nested: { a: 1 },
        'Dead-Letter-Cause': 'no use',
        'Dead-Letter-Source': 'amqp',
        'Dead-Letter-Stream': 'wf.task',
        'Dead-Letter-Key': 'i1.t1',
        'Dead-Letter-Id': 'm1',
      },
    });
    expect(deadLetterOf(dead, eventOf(dead, intake), { exchange: '', key: 'q' }, 'no use')).toMatchObject({ key: 'q' });
  });
});

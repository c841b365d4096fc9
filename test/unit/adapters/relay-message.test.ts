import { describe, expect, test } from 'vitest';
import { createRelayEncoder } from '../../../src/adapters/outbound/websocket/relay-message.ts';
import type { EventFields } from '../../../src/domain/event.ts';
import { eventOf } from '../../support/domain-fixtures.ts';

const encode = createRelayEncoder({ payload: 'by-content-type' });

/** As the AMQP source hands it over. */
const amqpEvent = (properties: Record<string, unknown>, body: string | Uint8Array, attributes = {}) =>
  eventOf(attributes, {
    id: 'not the message id',
    stream: 'wf.task',
    key: 'inst1.task1',
    payload: Buffer.from(body),
    contentType: properties['contentType'] as string | undefined,
    origin: {
      source: 'amqp',
      properties: {
        ...properties,
        queue: 'amq.gen-x',
        deliveryTag: 1,
        redelivered: false,
        exchange: 'wf.task',
        routingKey: 'inst1.task1',
        consumerTag: 'tag-1',
      },
    },
  });

const delivery =
  '"queue":"amq.gen-x","deliveryTag":{"type":"Buffer","data":[0,0,0,0,0,0,0,1]},"redelivered":false,' +
  '"exchange":"wf.task","routingKey":"inst1.task1","consumerTag":"tag-1"';
const json = { contentType: 'application/json' };

describe('brainlife 10.4: an event of an AMQP broker', () => {
  test('is the captured frame of the original, letter by letter', () => {
    expect(encode(amqpEvent(json, '{"_id":"task1"}'))).toBe(
      `{"headers":{},"dinfo":{"contentType":"application/json",${delivery}},"msg":{"_id":"task1"}}`,
    );
  });

  test('has the properties in the order of the original, and headers twice', () => {
    const properties = {
      appId: 'app',
      userId: 'guest',
      type: 't',
      timestamp: 1_700_000_000,
      messageId: 'm',
      expiration: '60000',
      replyTo: 'r',
      correlationId: 'c',
      priority: 5,
      deliveryMode: 2,
      headers: { a: 1, nested: { deep: [true, null] } },
      contentEncoding: 'utf-8',
      contentType: 'text/json',
    };
    const headers = '{"a":1,"nested":{"deep":[true,null]}}';
    expect(encode(amqpEvent(properties, '1', { a: '1' }))).toBe(
      `{"headers":${headers},"dinfo":{"contentType":"text/json","contentEncoding":"utf-8","headers":${headers},` +
        '"deliveryMode":2,"priority":5,"correlationId":"c","replyTo":"r","expiration":"60000","messageId":"m",' +
        `"timestamp":1700000000,"type":"t","userId":"guest","appId":"app",${delivery}},"msg":1}`,
    );
  });

  test('leaves out properties that are empty, as the original does, but not an empty table', () => {
    const empty = { contentType: '', priority: 0, timestamp: 0, messageId: '', headers: {} };
    expect(encode(amqpEvent(empty, ''))).toBe(
      `{"headers":{},"dinfo":{"headers":{},${delivery}},"msg":{"data":{"type":"Buffer","data":[]},"contentType":""}}`,
    );
  });

  test('keeps a delivery tag of more than 32 bits', () => {
    const { properties } = amqpEvent(json, '1').origin;
    const origin = { source: 'amqp', properties: { ...properties, deliveryTag: 2 ** 40 + 258 } };
    const large = eventOf({}, { origin });
    expect(JSON.parse(encode(large)).dinfo.deliveryTag.data).toEqual([0, 0, 1, 0, 0, 0, 1, 2]);
  });
});

describe('brainlife 10.5: msg by content type', () => {
  const msgOf = (contentType: string | undefined, body: string | Uint8Array) => {
    const { msg, dinfo } = JSON.parse(encode(amqpEvent(contentType === undefined ? {} : { contentType }, body)));
    const { parseError, rawData } = dinfo;
    return { msg, ...(parseError === undefined ? {} : { parseError, rawData }) };
  };

  test.each([
    ['{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
    ['7', 7],
    ['"text"', 'text'],
    ['null', null],
    [' [1 , 2] ', [1, 2]],
    ['"\u2028"', '\u2028'],
  ])('JSON %s', (body, msg) => {
    expect(msgOf('application/json', body)).toEqual({ msg });
    expect(msgOf('text/json', body)).toEqual({ msg });
  });

  test.each(['', '{', 'no json', '\ufeff{}'])('%j, which is said to be JSON and is none', (body) => {
    expect(msgOf('application/json', body)).toEqual({ msg: null, parseError: {}, rawData: body });
  });

  test('parseError and rawData come last', () => {
    expect(encode(amqpEvent(json, 'x'))).toBe(
      `{"headers":{},"dinfo":{"contentType":"application/json",${delivery},"parseError":{},"rawData":"x"},"msg":null}`,
    );
  });

  test('bytes that are no UTF-8 are replaced first', () => {
    expect(msgOf('application/json', Buffer.of(0x22, 0xff, 0x22))).toEqual({ msg: '\ufffd' });
    expect(msgOf('application/json', Buffer.of(0xff))).toEqual({ msg: null, parseError: {}, rawData: '\ufffd' });
  });

  test.each(['application/json; charset=utf-8', 'Application/JSON', 'text/plain', 'application/octet-stream'])(
    '%s is bytes',
    (contentType) => {
      expect(msgOf(contentType, '{}')).toEqual({
        msg: { data: { type: 'Buffer', data: [0x7b, 0x7d] }, contentType },
      });
    },
  );

  test('without a content type it is bytes, and says of none', () => {
    expect(encode(amqpEvent({}, Buffer.of(1, 255)))).toBe(
      `{"headers":{},"dinfo":{${delivery}},"msg":{"data":{"type":"Buffer","data":[1,255]}}}`,
    );
  });
});

describe('an event of another source', () => {
  const fields: Partial<EventFields> = {
    id: 'm-1',
    stream: 'orders',
    key: 'a.b',
    payload: Buffer.from('{"x":1}'),
    contentType: 'application/json; charset=utf-8',
    publishedAt: 1_700_000_000_999,
    origin: { source: 'embedded', properties: {} },
  };

  test('looks the same, with counters of its source', () => {
    const fresh = createRelayEncoder({ payload: 'json' });
    const frame = (tag: number, source: string) =>
      '{"headers":{"Tenant":"1"},"dinfo":{"contentType":"application/json; charset=utf-8","messageId":"m-1",' +
      `"timestamp":1700000000,"queue":"${source}","deliveryTag":{"type":"Buffer","data":[0,0,0,0,0,0,0,${tag}]},` +
      `"redelivered":false,"exchange":"orders","routingKey":"a.b","consumerTag":"edgeward-${source}"},"msg":{"x":1}}`;
    const other = { source: 'http', properties: { redelivered: true } };
    expect(fresh(eventOf({ Tenant: '1' }, fields))).toBe(frame(1, 'embedded'));
    expect(fresh(eventOf({ Tenant: '1' }, fields))).toBe(frame(2, 'embedded'));
    expect(fresh(eventOf({ Tenant: '1' }, { ...fields, origin: other }))).toBe(
      frame(1, 'http').replace('"redelivered":false', '"redelivered":true'),
    );
  });

  test('__proto__ is an attribute like any other', () => {
    const frame = encode(eventOf([['__proto__', 'x']], fields));
    expect(frame.startsWith('{"headers":{"__proto__":"x"},')).toBe(true);
  });

  test('payload: json shows what is JSON whatever its content type, and the rest as bytes', () => {
    const any = createRelayEncoder({ payload: 'json' });
    const msgOf = (payload: string, contentType?: string) =>
      JSON.parse(any(eventOf({}, { ...fields, payload: Buffer.from(payload), contentType }))).msg;
    expect(msgOf('{"a":1}')).toEqual({ a: 1 });
    expect(msgOf('7', 'text/plain')).toBe(7);
    expect(msgOf('x', 'application/json')).toEqual({
      data: { type: 'Buffer', data: [0x78] },
      contentType: 'application/json',
    });
  });
});

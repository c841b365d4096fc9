import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { camelCase, createSocketioEncoder } from '../../../src/adapters/outbound/socketio/socketio-message.ts';
import { socketioSettings } from '../../../src/adapters/outbound/socketio/socketio-settings.ts';
import { Fault } from '../../../src/application/fault.ts';
import { anyName, anyText } from '../../support/any-text.ts';
import { eventOf } from '../../support/domain-fixtures.ts';
import { heapUsedBytes } from '../../support/heap-used.ts';

const encoderOf = (settings: Readonly<Record<string, unknown>> = {}) =>
  createSocketioEncoder(socketioSettings.parse(settings));

const bytes = (text: string) => new TextEncoder().encode(text);

/** The arguments of the event at a client. */
function argumentsOf(packet: string, prefix = '42'): [string, unknown, Record<string, unknown>] {
  expect(packet.startsWith(`${prefix}[`)).toBe(true);
  return JSON.parse(packet.slice(prefix.length)) as [string, unknown, Record<string, unknown>];
}

const metaOf = (attributes: Readonly<Record<string, string>> | [string, string][], settings = {}) =>
  argumentsOf(encoderOf(settings)(eventOf(attributes)))[2];

describe('the packet of an event', () => {
  test('hiiretail 8.15: is named after the full topic and has two arguments', () => {
    const packet = encoderOf()(eventOf({}, { stream: 'che.public.event.session-changed.v1' }));
    expect(argumentsOf(packet)).toEqual(['che.public.event.session-changed.v1', {}, expect.anything()]);
  });

  test('is exactly this text', () => {
    const event = eventOf(
      { 'Correlation-Id': 'c 1', 'Tenant-Id': 't"1' },
      { id: '42', stream: 'a.v1', payload: bytes('{ "n":1.0, "n":2}'), publishedAt: Date.UTC(2021, 4, 4, 12) },
    );
    const meta = '"publishTime":"2021-05-04T12:00:00.000Z","messageId":"42","correlationId":"c 1","tenantId":"t\\"1"';
    expect(encoderOf()(event)).toBe(`42["a.v1",{ "n":1.0, "n":2},{${meta}}]`);
  });

  test('begins with its namespace where that has a name', () => {
    const packet = encoderOf({ namespace: '/chat' })(eventOf({}));
    expect(argumentsOf(packet, '42/chat,')[0]).toBe('stream');
  });

  test.each([
    ['{stream}.{key}', 'exchange.a.b'],
    ['{key}', 'a.b'],
    ['x:{key}{key}', 'x:a.ba.b'],
    ['plain', 'plain'],
  ])('is named as `eventName: %s` says', (eventName, name) => {
    const packet = encoderOf({ eventName })(eventOf({}, { stream: 'exchange', key: 'a.b' }));
    expect(argumentsOf(packet)[0]).toBe(name);
  });

  test('puts no text of the event into its own template', () => {
    const packet = encoderOf({ eventName: '{stream}-{key}' })(eventOf({}, { stream: '{key}$&', key: '{stream}$1' }));
    expect(argumentsOf(packet)[0]).toBe('{key}$&-{stream}$1');
  });

  test.each(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])(
    'is refused when its name would make clients disconnect: %s',
    (stream) => {
      const encode = () => encoderOf()(eventOf({}, { id: 'event-7', stream }));
      expect(encode).toThrow(Fault);
      expect(encode).toThrow(expect.objectContaining({ code: 'event_name_reserved', disposition: 'dead-letter' }));
      expect(encode).toThrow(/event-7.*"(connect|disc|new|remove)/);
    },
  );
});

describe('hiiretail 8.16: the data of an event', () => {
  test.each([
    ['{"a":[1,{"b":null}]}', { a: [1, { b: null }] }],
    ['[1,2]', [1, 2]],
    ['7', 7],
    ['"text"', 'text'],
    ['null', null],
    ['true', true],
    [' \n{"a": 1}\r\n', { a: 1 }],
    ['{"__proto__":{"polluted":1}}', JSON.parse('{"__proto__":{"polluted":1}}')],
  ])('is the value of the JSON %j', (text, value) => {
    expect(argumentsOf(encoderOf()(eventOf({}, { payload: bytes(text) })))[1]).toEqual(value);
  });

  test.each([
    ['nothing', new Uint8Array(), ''],
    ['plain text', bytes('hello'), 'aGVsbG8='],
    ['half a JSON text', bytes('{"a":'), 'eyJhIjo='],
    ['invalid UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'Iv8i'],
    ['a byte order mark before JSON', Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), '77u/e30='],
  ])('is base64 for %s', (_, payload, text) => {
    expect(argumentsOf(encoderOf()(eventOf({}, { payload })))[1]).toBe(text);
  });

  test('is base64 of a part of a larger buffer', () => {
    const payload = new Uint8Array(Buffer.from('..hello..')).subarray(2, 7);
    expect(argumentsOf(encoderOf()(eventOf({}, { payload })))[1]).toBe('aGVsbG8=');
  });

  test('is the text of the payload, byte for byte, or gives its bytes back', () => {
    const payloads = fc.oneof(
      fc.json({ maxDepth: 3 }).map(bytes),
      fc.uint8Array({ maxLength: 64 }),
      anyText().map((text) => bytes(JSON.stringify(text))),
    );
    fc.assert(
      fc.property(payloads, (payload) => {
        const event = eventOf({}, { payload });
        const [, data] = argumentsOf(encoderOf()(event));
        if (event.jsonText() === null) {
          expect(new Uint8Array(Buffer.from(String(data), 'base64'))).toEqual(payload);
        } else {
          expect(encoderOf()(event)).toContain(`,${new TextDecoder().decode(payload)},`);
        }
      }),
    );
  });
});

describe('hiiretail 8.17: the meta of an event', () => {
  test('has the publish time with milliseconds and Z, the message id, the tenant and all attributes', () => {
    const settings = { meta: { fields: { publishTime: '{publishedAt}', messageId: '{id}', tenantId: '{Tenant-Id}' } } };
    const event = eventOf(
      { 'Tenant-Id': 't1', 'Correlation-Id': 'c1', 'Additional-Business-Unit-Rooms': 'a,b', 'ce-type': 'x' },
      { id: 'm1', publishedAt: Date.UTC(2021, 4, 4, 12, 0, 0, 7) },
    );
    expect(argumentsOf(encoderOf(settings)(event))[2]).toEqual({
      publishTime: '2021-05-04T12:00:00.007Z',
      messageId: 'm1',
      tenantId: 't1',
      correlationId: 'c1',
      additionalBusinessUnitRooms: 'a,b',
      ceType: 'x',
    });
  });

  test('has the fields that the config asks for, and none for an attribute that is not there', () => {
    const fields = { s: '{stream}', k: '{key}', unit: '{Business-Unit-Id}', none: '{Nothing}' };
    const settings = { meta: { names: 'unchanged', fields } };
    const event = eventOf({ 'Business-Unit-Id': '7' }, { stream: 'exchange', key: '' });
    expect(argumentsOf(encoderOf(settings)(event))[2]).toEqual({
      s: 'exchange',
      k: '',
      unit: '7',
      'Business-Unit-Id': '7',
    });
  });

  test.each([
    ['Correlation-Id', 'correlationId'],
    ['CORRELATION-ID', 'correlationId'],
    ['correlation_id', 'correlationId'],
    ['Correlation.Id', 'correlationId'],
    ['correlation id', 'correlationId'],
    ['X-B3-TraceId', 'xB3TraceId'],
    ['alreadyCamel', 'alreadyCamel'],
    ['Additional-Business-Unit-Rooms', 'additionalBusinessUnitRooms'],
    ['ce-type', 'ceType'],
    ['ID', 'id'],
    ['TraceID-HTTP', 'traceIDHttp'],
    ['trace-URLPath-v2', 'traceURLPathV2'],
    ['A-_ .b', 'aB'],
    ['Tenant/Id', 'tenant/Id'],
    ['--a--b--', 'aB'],
    ['7-days', '7Days'],
    ['ÄRGER-ÖL', 'ärgerÖl'],
    ['straße-x', 'straßeX'],
    ['𐐀-𐐨', '𐐨𐐀'],
    ['__proto__', 'proto'],
    ['-', '-'],
    ['', ''],
  ])('camelCase(%j) is %j', (name, camel) => {
    expect(camelCase(name)).toBe(camel);
  });

  test('camelCase leaves names as they are that are in camel case', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-zA-Z0-9]*$/), (name) => {
        expect(camelCase(name)).toBe(name);
      }),
    );
  });
});

describe('hiiretail 8.18: names of attributes', () => {
  test.each([
    ['publishTime', 'Publish-Time'],
    ['publishTime', 'publishTime'],
    ['messageId', 'Message-Id'],
    ['messageId', 'MESSAGE_ID'],
  ])('never take the place of the field %s: %s', (field, attribute) => {
    expect(metaOf({ [attribute]: 'forged' })[field]).not.toBe('forged');
    expect(Object.values(metaOf({ [attribute]: 'forged' }))).not.toContain('forged');
  });

  test('never take the place of a field, even when it has no value', () => {
    const settings = { meta: { fields: { tenantId: '{Tenant-Id}' } } };
    expect(metaOf({ tenant_id: 'forged' }, settings)).toEqual({});
  });

  test('never take the place of the tenant, though they come before it in the alphabet', () => {
    const fields = { publishTime: '{publishedAt}', messageId: '{id}', tenantId: '{Tenant-Id}' };
    const attributes: [string, string][] = [
      ['TENANT-ID', 'forged'],
      ['TENANT_ID', 'forged'],
      ['Tenant-Id', 't1'],
      ['tenant.id', 'forged'],
      ['tenantId', 'forged'],
    ];
    for (const given of [attributes, attributes.toReversed()]) {
      const meta = metaOf(given, { meta: { fields } });
      expect(Object.keys(meta)).toEqual(['publishTime', 'messageId', 'tenantId']);
      expect(meta['tenantId']).toBe('t1');
    }
  });

  test('that become one: the alphabetically first wins, in whatever order they came', () => {
    const attributes: [string, string][] = [
      ['correlation-id', 'third'],
      ['CORRELATION_ID', 'second'],
      ['CORRELATION-ID', 'first'],
    ];
    expect(metaOf(attributes)['correlationId']).toBe('first');
    expect(metaOf(attributes.toReversed())['correlationId']).toBe('first');
  });

  test('keep an empty value', () => {
    expect(metaOf({ 'A-b': '', a_b: 'x' })['aB']).toBe('');
  });

  test.each(['camel-case', 'unchanged'])('do not pollute a prototype (%s)', (names) => {
    const attributes: [string, string][] = [
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['toString', 't'],
      ['hasOwnProperty', 'h'],
    ];
    const meta = metaOf(attributes, { meta: { names } });
    expect(Object.getPrototypeOf(meta)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(meta, 'constructor')?.value).toBe('c');
    expect(Object.getOwnPropertyDescriptor(meta, 'toString')?.value).toBe('t');
    expect(Object.getOwnPropertyDescriptor(meta, names === 'unchanged' ? '__proto__' : 'proto')?.value).toBe('p');
  });

  test('any name with any value gives well-formed JSON, and unchanged names give back what was sent', () => {
    const attributes = fc.uniqueArray(fc.tuple(anyName(), anyText()), {
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(attributes, (given) => {
        metaOf(given);
        const meta = metaOf(given, { meta: { names: 'unchanged', fields: {} } });
        expect(new Map(Object.entries(meta))).toEqual(new Map(given));
      }),
    );
  });
});

test('meta is the same whatever events came before: attributes are remembered by their names, times by their second', () => {
  const encode = encoderOf({ meta: { fields: { at: '{publishedAt}', tenant: '{Tenant-Id}' } } });
  const attributes = fc.array(
    fc.tuple(fc.constantFrom('Tenant-Id', 'tenant', 'a-b', 'aB', 'a', 'bb', 'b', 'ab'), anyText()),
  );
  const time = fc.oneof(fc.integer({ min: -3000, max: 3000 }), fc.double({ min: -2, max: 2, noNaN: true }));
  const event = fc.tuple(attributes, time);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      for (const [given, publishedAt] of events) {
        const one = eventOf(given, { publishedAt });
        const meta: Record<string, string> = { at: new Date(publishedAt).toISOString() };
        const tenant = one.attributes.get('Tenant-Id');
        if (tenant !== undefined) meta['tenant'] = tenant;
        for (const name of [...one.attributes.keys()].sort()) {
          const renamed = camelCase(name);
          if (renamed !== 'tenant') meta[renamed] ??= one.attributes.get(name) ?? '';
        }
        expect(argumentsOf(encode(one))[2]).toEqual(meta);
      }
    }),
  );
});

test('of more kinds of events than are remembered each is told in full', () => {
  const encode = encoderOf();
  // So many that it begins anew.
  for (let index = 0; index < 12_000; index += 1) {
    const meta = argumentsOf(encode(eventOf({ [`n${index}`]: 'x', b: 'y' })))[2];
    expect(meta).toMatchObject({ [`n${index}`]: 'x', b: 'y' });
  }
});

test('what is remembered of kinds of events is little, however many attributes they have', () => {
  const encode = encoderOf();
  const attributesOf = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, index) => [`name-${index}`.padEnd(100, 'x'), '']);
  const before = heapUsedBytes();
  for (let count = 999; count > 0; count -= 1) encode(eventOf(attributesOf(count)));
  expect(heapUsedBytes() - before).toBeLessThan(10_000_000);
  expect(metaOf([['a', 'b']])).toMatchObject({ a: 'b' });
  expect(encode(eventOf({}))).toContain('42');
});

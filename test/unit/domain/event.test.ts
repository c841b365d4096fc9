import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Event } from '../../../src/domain/event.ts';
import { eventOf } from '../../support/domain-fixtures.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const jsonTextOf = (payload: Uint8Array): string | null => eventOf({}, { payload }).jsonText();

describe('jsonText', () => {
  test.each([
    ['an object', '{"a":1}'],
    ['an array', '[1,2]'],
    ['a number', '1.50'],
    ['a number no double can hold', '12345678901234567890.123'],
    ['a text', '"é€😀"'],
    ['null', 'null'],
    ['true', 'true'],
    ['white space around it', ' \n{ "a" :\t1 }\r\n'],
    ['a name that is there twice', '{"a":1,"a":2}'],
    ['__proto__ as a name', '{"__proto__":{"polluted":true}}'],
    ['half a surrogate pair as an escape', '"\\ud800"'],
    ['escapes that need not be', '"\\u0061\\/"'],
    ['deep nesting', '['.repeat(1000) + ']'.repeat(1000)],
  ])('hiiretail 8.16: %s is kept letter for letter', (_what, text) => {
    expect(jsonTextOf(bytes(text))).toBe(text);
  });

  test.each([
    ['nothing', bytes('')],
    ['white space only', bytes(' ')],
    ['text that is no JSON', bytes('hello')],
    ['two values', bytes('{} {}')],
    ['a trailing comma', bytes('[1,]')],
    ['NaN', bytes('NaN')],
    ['an unfinished object', bytes('{"a":')],
    ['a byte order mark before an object (RFC 8259 section 8.1)', Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)],
    ['invalid UTF-8 alone', Uint8Array.of(0xff)],
    ['invalid UTF-8 inside a text', Uint8Array.of(0x22, 0xc3, 0x28, 0x22)],
    ['an overlong encoding', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22)],
    ['half a character at the end', Uint8Array.of(0x22, 0xe2, 0x82)],
    ['a surrogate half in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['UTF-16', Uint8Array.of(0x7b, 0x00, 0x7d, 0x00)],
  ])('hiiretail 8.16: %s is not JSON', (_what, payload) => {
    expect(jsonTextOf(payload)).toBeNull();
  });

  test('any JSON text comes back as it is', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', ' ', '\n\t'), (json, space) => {
        expect(jsonTextOf(bytes(space + json))).toBe(space + json);
      }),
    );
  });

  test('any bytes are JSON exactly when a strict reader says so', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), (payload) => {
        const text = jsonTextOf(payload);
        const buffer = Buffer.from(payload);
        const isUtf8 = Buffer.from(buffer.toString('utf8')).equals(buffer);
        expect(text).toBe(isUtf8 && parses(buffer.toString('utf8')) ? buffer.toString('utf8') : null);
      }),
    );
  });

  test.each([
    ['JSON', '{}'],
    ['no JSON', 'hello'],
  ])('%s is looked at once, however many ask', (_what, text) => {
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parse.mockRestore());
    const event = eventOf({}, { payload: bytes(text) });
    expect(parse).toHaveBeenCalledTimes(0);
    const first = event.jsonText();
    expect(event.jsonText()).toBe(first);
    expect(parse).toHaveBeenCalledTimes(1);
  });
});

test('an event is what was given, and nothing is copied', () => {
  const fields = {
    id: 'id-1',
    stream: 'orders',
    key: 'a.b',
    attributes: new Map([['Tenant-Id', '1']]),
    payload: bytes('{}'),
    contentType: 'application/json',
    publishedAt: 5,
    origin: { source: 'memory', properties: { attempt: 1 } },
  };
  const event = new Event(fields);
  expect(event).toMatchObject(fields);
  expect(event.payload).toBe(fields.payload);
  expect(event.attributes).toBe(fields.attributes);
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

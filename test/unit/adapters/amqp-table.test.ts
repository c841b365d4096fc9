import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProperties } from '../../../src/adapters/inbound/amqp/amqp-properties.ts';
import { decodeTable, type TableValue } from '../../../src/adapters/inbound/amqp/amqp-table.ts';

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const long = (bytes: Buffer): Buffer => Buffer.concat([u32(bytes.length), bytes]);
const short = (text: string): Buffer => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);
const field = (name: string, type: string, value: Buffer): Buffer =>
  Buffer.concat([short(name), Buffer.from(type), value]);

describe('field tables', () => {
  test.each<[string, string, TableValue]>([
    ['t', '01', true],
    ['t', '00', false],
    ['b', 'ff', -1],
    ['B', 'ff', 255],
    ['s', 'fffe', -2],
    ['u', 'fffe', 65534],
    ['I', 'ffffffff', -1],
    ['i', 'ffffffff', 4294967295],
    ['l', 'ffffffffffffffff', -1],
    ['l', '0020000000000001', '9007199254740993'],
    ['f', '3f000000', 0.5],
    ['d', '3fe0000000000000', 0.5],
    ['D', '02000007cf', 19.99],
    ['T', '000000006553f100', 1_700_000_000],
    ['S', '00000002c3a9', 'é'],
    ['x', '0000000200ff', Buffer.of(0, 255)],
    ['V', '', null],
    ['A', '000000047401'.concat('5656'), [true, null, null]],
    ['F', `00000004${short('a').toString('hex')}7401`, { a: true }],
  ])('the type %s of %s', (type, hex, value) => {
    expect(decodeTable(field('n', type, Buffer.from(hex, 'hex')))).toEqual({ n: value });
  });

  test('names of the prototype are names', () => {
    const names = ['__proto__', 'constructor', 'toString', ''];
    const table = decodeTable(Buffer.concat(names.map((name) => field(name, 'S', long(Buffer.from(name))))));
    expect(Object.entries(table)).toEqual(names.map((name) => [name, name]));
    expect(Object.getPrototypeOf(table)).toBeNull();
  });

  test('what is nested too deeply is nothing, and what follows it is read', () => {
    // A name without letters, the type, and the length of what is inside it.
    const levels = Array.from({ length: 20_000 }, (_, level) =>
      Buffer.concat([Buffer.of(0), Buffer.from('F'), u32(6 * level)]),
    );
    const deep = Buffer.concat(levels.toReversed());
    const table = decodeTable(Buffer.concat([deep, field('after', 't', Buffer.of(1))]));
    expect(table['after']).toBe(true);
    expect(JSON.stringify(table).match(/\{/g)).toHaveLength(16);
  });

  test('any bytes are a table or a RangeError, whose length does not matter', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeTable(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe('content headers', () => {
  const flags = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

  test('none', () => expect(decodeProperties(flags(0))).toEqual({}));

  test('all', () => {
    const texts = (...names: readonly string[]) => Buffer.concat(names.map(short));
    const bytes = Buffer.concat([
      flags(0xfff8),
      texts('a/b', 'gzip'),
      long(field('n', 't', Buffer.of(1))),
      Buffer.of(2, 9),
      texts('corr', 'reply', '60000', 'id'),
      Buffer.from('000000006553f100', 'hex'),
      texts('type', 'user', 'app'),
    ]);
    expect(decodeProperties(bytes)).toEqual({
      contentType: 'a/b',
      contentEncoding: 'gzip',
      headers: { n: true },
      deliveryMode: 2,
      priority: 9,
      correlationId: 'corr',
      replyTo: 'reply',
      expiration: '60000',
      messageId: 'id',
      timestamp: 1_700_000_000,
      type: 'type',
      userId: 'user',
      appId: 'app',
    });
  });

  test('a table that is none leaves the rest as it is', () => {
    const broken = field('n', '?', Buffer.of(1));
    expect(decodeProperties(Buffer.concat([flags(0x2080), long(broken), short('id')]))).toEqual({
      headers: {},
      messageId: 'id',
    });
  });

  test('cut off', () => {
    expect(() => decodeProperties(Buffer.concat([flags(0x0080), Buffer.of(9, 1)]))).toThrow(RangeError);
  });
});

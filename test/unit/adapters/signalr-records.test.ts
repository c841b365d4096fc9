import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaryFrame } from '../../../src/adapters/outbound/binary-frame.ts';
import { payloadStartOf } from '../../../src/adapters/outbound/frame-head.ts';
import { jsonProtocol } from '../../../src/adapters/outbound/signalr/json-protocol.ts';
import { isWholeValue } from '../../../src/adapters/outbound/signalr/message-pack-extent.ts';
import { lengthPrefix, messagePackProtocol } from '../../../src/adapters/outbound/signalr/message-pack-protocol.ts';
import { RecordReader } from '../../../src/adapters/outbound/signalr/record-reader.ts';
import { textOfFrame } from '../../../src/adapters/outbound/text-frame.ts';

const payloadOf = (frame: Buffer): Buffer => frame.subarray(payloadStartOf(frame));
const hex = (frame: Buffer): string => payloadOf(frame).toString('hex');
const bodyOf = (frame: Buffer): unknown => decode(payloadOf(frame).subarray(1));

describe('signalr 13.24: MessagePack on the wire', () => {
  test('a ping is 02 91 06, in a binary frame', () => {
    expect(messagePackProtocol.ping.toString('hex')).toBe('8203029106');
  });

  test('an event has no id, and empty headers and streams', () => {
    expect(bodyOf(messagePackProtocol.invocation('T', { kind: 'text', text: '{"a": 1}' }))).toEqual([
      1,
      {},
      null,
      'T',
      ['{"a": 1}'],
      [],
    ]);
    expect(bodyOf(messagePackProtocol.invocation('T', { kind: 'json', text: '{"a": 1}' }))).toEqual([
      1,
      {},
      null,
      'T',
      [{ a: 1 }],
      [],
    ]);
  });

  test('items, completions and Close', () => {
    expect(bodyOf(messagePackProtocol.item('7', { kind: 'json', text: '[1]' }))).toEqual([2, {}, '7', [1]]);
    expect(bodyOf(messagePackProtocol.completion('7'))).toEqual([3, {}, '7', 2]);
    expect(bodyOf(messagePackProtocol.completion('7', 'e'))).toEqual([3, {}, '7', 1, 'e']);
    expect(bodyOf(messagePackProtocol.close({ allowReconnect: true }))).toEqual([7, null, true]);
    expect(bodyOf(messagePackProtocol.close({ error: 'e', allowReconnect: false }))).toEqual([7, 'e', false]);
    expect(hex(messagePackProtocol.greeting)).toBe('7b7d1e');
  });

  test.each([0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 2 ** 31 - 1])('a length of %d is 7 bits a byte', (length) => {
    const bytes = lengthPrefix(length);
    const read = [...bytes].reduce((sum, byte, index) => sum + (byte & 0x7f) * 2 ** (7 * index), 0);
    expect([read, bytes.length <= 5]).toEqual([length, true]);
  });

  test.each([
    [[1, {}, '1', 'X', ['a'], []], { kind: 'invocation', id: '1', method: 'X', args: ['a'] }],
    [[1, {}, null, 'X', []], { kind: 'invocation', id: undefined, method: 'X', args: [] }],
    [[4, {}, '1', 'X', [], []], { kind: 'stream-invocation', id: '1', method: 'X', args: [] }],
    [[5, {}, '1'], { kind: 'cancel', id: '1' }],
    [[6], { kind: 'ping' }],
    [[7, null], { kind: 'close' }],
    [[9, 1], { kind: 'ignored' }],
    [[], undefined],
    [['1'], undefined],
    [{ type: 6 }, undefined],
    [[1, {}, '1', 'X'], undefined],
  ])('%j is %o', (record, message) => {
    expect(messagePackProtocol.read(Buffer.from(encode(record)))).toEqual(message);
  });
});

test('signalr 13.9: JSON has nothing that Java’s client cannot read', () => {
  const frames = [
    jsonProtocol.invocation('T', { kind: 'text', text: 'a' }),
    jsonProtocol.completion('1'),
    jsonProtocol.completion('1', 'e'),
    jsonProtocol.close({ allowReconnect: false }),
    jsonProtocol.close({ allowReconnect: true }),
    jsonProtocol.item('1', { kind: 'json', text: '1' }),
  ];
  expect(frames.map((frame) => textOfFrame(frame).slice(0, -1))).toEqual([
    '{"type":1,"target":"T","arguments":["a"]}',
    '{"type":3,"invocationId":"1"}',
    '{"type":3,"invocationId":"1","error":"e"}',
    '{"type":7}',
    '{"type":7,"allowReconnect":true}',
    '{"type":2,"invocationId":"1","item":1}',
  ]);
});

describe('a value of MessagePack that is whole', () => {
  test('is every one that the library writes, and none that is cut or goes on', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), (value, place) => {
        const bytes = Buffer.from(encode(value));
        expect(isWholeValue(bytes)).toBe(true);
        expect(isWholeValue(bytes.subarray(0, place % bytes.length))).toBe(false);
        expect(isWholeValue(Buffer.concat([bytes, Buffer.of(0)]))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('is of every format', () => {
    const wholes =
      'c0 c2 c3 c401aa c50001aa c600000001aa c70101aa c8000101aa c90000000101aa ca00000000 cb0000000000000000 cc01 cd0001 ce00000001 cf0000000000000001 d001 d10001 d200000001 d30000000000000001 d401aa d501aaaa d601aaaaaaaa d701aaaaaaaaaaaaaaaa d801aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa d90161 da000161 db0000000161 dc0001c0 dd00000001c0 de0001c0c0 df00000001c0c0 80 90 a0 00 7f e0 ff 8101c0 91c0 a161';
    for (const whole of wholes.split(' ')) {
      const bytes = Buffer.from(whole, 'hex');
      expect([whole, isWholeValue(bytes)]).toEqual([whole, true]);
      for (let length = 0; length < bytes.length; length += 1)
        expect(isWholeValue(bytes.subarray(0, length))).toBe(false);
    }
    expect(isWholeValue(Buffer.of(0xc1))).toBe(false);
  });

  test('is no nest of arrays that are longer than the record, which would take gigabytes', () => {
    const nested = Buffer.concat(Array.from({ length: 6000 }, () => Buffer.from('dd00007000', 'hex')));
    expect(isWholeValue(nested)).toBe(false);
    expect(messagePackProtocol.read(nested)).toBeUndefined();
  });
});

describe('a reader of records', () => {
  const readAll = (reader: RecordReader): unknown[] => {
    const seen: unknown[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      seen.push(typeof next === 'string' ? next : next.toString());
      if (typeof next === 'string') break;
    }
    return seen;
  };

  test('finds the same records however they are cut', () => {
    const record = fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\x1e', ''));
    fc.assert(
      fc.property(
        fc.array(record),
        fc.array(fc.integer({ min: 1, max: 30 })),
        fc.boolean(),
        (records, sizes, prefixed) => {
          const parts = records.map((text) => {
            const bytes = Buffer.from(text);
            return prefixed
              ? Buffer.concat([lengthPrefix(bytes.length), bytes])
              : Buffer.concat([bytes, Buffer.of(0x1e)]);
          });
          const reader = new RecordReader(200);
          if (prefixed) reader.framing = 'length-prefixed';
          let rest = Buffer.concat(parts);
          const seen: unknown[] = [];
          for (const size of [...sizes, rest.length]) {
            reader.append(Buffer.from(rest.subarray(0, size)));
            rest = rest.subarray(size);
            seen.push(...readAll(reader));
          }
          reader.append(rest);
          seen.push(...readAll(reader));
          expect(seen).toEqual(records);
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ['80808080', []],
    ['8080808080', ['malformed']],
    ['ffffffff07', ['too-large']],
    ['c901', ['too-large']],
  ])('a length of %s is %o', (bytes, seen) => {
    const reader = new RecordReader(200);
    reader.framing = 'length-prefixed';
    reader.append(Buffer.from(bytes, 'hex'));
    expect(readAll(reader)).toEqual(seen);
  });
});

test('a binary frame has the length that its payload needs', () => {
  for (const [length, start] of [
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
  ] as const) {
    const frame = binaryFrame(Buffer.alloc(length - 1), Buffer.of(7));
    expect([frame.length, payloadStartOf(frame), frame[0], frame.at(-1)]).toEqual([length + start, start, 0x82, 7]);
  }
});

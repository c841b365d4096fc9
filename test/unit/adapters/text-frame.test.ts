import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textFrame, textOfFrame } from '../../../src/adapters/outbound/text-frame.ts';
import { anyText } from '../../support/any-text.ts';

describe('a text frame', () => {
  test.each([
    ['of no bytes', 0, [0x81, 0]],
    ['with the longest short length', 125, [0x81, 125]],
    ['with the shortest 16-bit length', 126, [0x81, 126, 0, 126]],
    ['with the longest 16-bit length', 65_535, [0x81, 126, 0xff, 0xff]],
    ['with the shortest 64-bit length', 65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])('RFC 6455 section 5.2: %s', (_, length, header) => {
    const frame = textFrame('x'.repeat(length));
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.toString('utf8', header.length)).toBe('x'.repeat(length));
  });

  test('counts bytes, not characters', () => {
    expect([...textFrame('å€😀')]).toEqual([0x81, 9, ...Buffer.from('å€😀')]);
  });

  test('gives its text back', () => {
    fc.assert(
      fc.property(anyText(), fc.constantFrom(1, 400, 40_000), (text, times) => {
        const long = text.toWellFormed().repeat(times);
        expect(textOfFrame(textFrame(long))).toBe(long);
      }),
    );
  });
});

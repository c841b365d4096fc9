import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventJsonLine, eventLine } from '../../../src/bootstrap/cli/event-line.ts';

const at = Date.UTC(2026, 0, 31, 12);
const codeUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
const nasty = 'a\nb\r\u001b[31m\u0085\u2028\u202e\u0000';

describe('for people', () => {
  test('time, name, meta, data', () => {
    expect(eventLine({ name: 'prices.v1', args: [{ price: 1 }, { tenantId: '42' }] }, at)).toBe(
      '2026-01-31T12:00:00.000Z  prices.v1  {"tenantId":"42"}  {"price":1}\n',
    );
  });

  test('what is not there is left out', () => {
    expect(eventLine({ name: 'x', args: [] }, at)).toBe('2026-01-31T12:00:00.000Z  x\n');
    expect(eventLine({ name: 'x', args: [null] }, at)).toBe('2026-01-31T12:00:00.000Z  x  null\n');
  });

  test('nothing breaks out of the line', () => {
    const line = eventLine({ name: nasty, args: [{ [nasty]: nasty }, { a: nasty }] }, at);
    expect(line).toContain('a\\u000ab\\u000d\\u001b[31m\\u0085\\u2028\\u202e\\u0000');
    fc.assert(
      fc.property(fc.string({ unit: codeUnit }), fc.json(), (name, data) => {
        const text = eventLine({ name, args: [JSON.parse(data)] }, at);
        expect(text.endsWith('\n')).toBe(true);
        expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

test('for programs: one JSON object a line', () => {
  const line = eventJsonLine({ name: nasty, args: ['data', { a: nasty }] }, at);
  expect(line.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(line)).toEqual({
    receivedAt: '2026-01-31T12:00:00.000Z',
    name: nasty,
    meta: { a: nasty },
    data: 'data',
  });
});

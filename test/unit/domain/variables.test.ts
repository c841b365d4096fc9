import fc from 'fast-check';
import { expect, test } from 'vitest';
import { presentValues, singleValue, splitList } from '../../../src/domain/variables.ts';
import { hostileText } from '../../support/hostile-text.ts';

test.each([
  [undefined, []],
  ['', []],
  [' ', [' ']],
  ['a', ['a']],
  [[], []],
  [
    ['', 'a', '', 'b'],
    ['a', 'b'],
  ],
] as const)('presentValues(%o) are %o', (value, present) => {
  expect(presentValues(value)).toEqual(present);
});

test.each([
  ['', ',', []],
  [',', ',', []],
  [' , ,', ',', []],
  ['a', ',', ['a']],
  ['a,b', ',', ['a', 'b']],
  [' a , ,b,', ',', ['a', 'b']],
  ['a b', ',', ['a b']],
  ['a,b;c', ';', ['a,b', 'c']],
  ['a, b', ', ', ['a', 'b']],
  ['a,a', ',', ['a', 'a']],
] as const)('hiiretail 8.13: splitList("%s", "%s") is %o', (text, separator, parts) => {
  expect(splitList(text, separator)).toEqual(parts);
});

test('no part of a list is empty or holds the separator', () => {
  fc.assert(
    fc.property(fc.array(hostileText()), fc.constantFrom(',', ';', '/'), (parts, separator) => {
      for (const part of splitList(parts.join(separator), separator)) {
        expect(part).not.toBe('');
        expect(part).toBe(part.trim());
        expect(part).not.toContain(separator);
      }
    }),
  );
});

test.each([
  [{ x: 'a' }, 'a'],
  [{ x: '' }, undefined],
  [{ x: ['a'] }, undefined],
  [{}, undefined],
])('singleValue of x in %o is %o', (variables, value) => {
  expect(singleValue(new Map(Object.entries(variables)), 'x')).toBe(value);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RoomName } from '../../../src/domain/room.ts';
import { expand, valuesOf } from '../../../src/domain/room-template.ts';
import { templateOf } from '../../support/domain-fixtures.ts';

test('a room gives back what its template was filled with, whatever that is', () => {
  const template = templateOf('a/{one}/b/{two}');
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, two) => {
      const values = new Map([
        ['one', one],
        ['two', two],
      ]);
      const [room] = expand(template, values, 1);
      expect(room && valuesOf(template, room)).toEqual(values);
    }),
  );
});

test.each(['a', 'a/x/b', 'a/x/c/y', 'a/x/b/y/z', 'b/x/b/y'])('%s is no room of the template', (room) => {
  expect(valuesOf(templateOf('a/{one}/b/{two}'), room as RoomName)).toBeUndefined();
});

test('a template that ends in a rest has no single values', () => {
  expect(valuesOf(templateOf('a/{rest*}'), 'a/b' as RoomName)).toBeUndefined();
});

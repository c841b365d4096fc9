import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPathTable, pathOf } from '../../../src/adapters/operations/path-table.ts';

describe('pathOf (RFC 9112 3.2)', () => {
  test.each([
    ['/', '/'],
    ['/a/b?c=/d', '/a/b'],
    ['/a#b', '/a'],
    ['/a%2Fb', '/a%2Fb'],
    ['//a/b', '//a/b'],
    ['http://host/a?b', '/a'],
    ['HTTPS://host:1/a', '/a'],
    ['http://host?a', ''],
    ['*', '*'],
    ['', ''],
    [undefined, ''],
  ])('%s is %s', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });
});

describe('path table', () => {
  test('finds exactly, or the nearest above', () => {
    const table = createPathTable<string>();
    table.add('/a/', 'a');
    table.add('/a/b', 'b');
    expect(['/a', '/a/', '/a/b', '/a/b/', '/a/c', '/ab', '/', ''].map((path) => table.at(path))).toEqual([
      'a',
      'a',
      'b',
      'b',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(['/a/', '/a/c/d', '/a/b/c', '/a/bc', '/ab', '/', 'a'].map((path) => table.above(path))).toEqual([
      'a',
      'a',
      'b',
      'a',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a path is free again once its handler is taken away', () => {
    const table = createPathTable<string>();
    const take = table.add('/a', 'first');
    expect(() => table.add('/a/', 'second')).toThrow(/Two endpoints have the path "\/a\/"/);
    take();
    table.add('/a', 'second');
    expect(table.at('/a')).toBe('second');
  });

  test('no text throws or loops', () => {
    const table = createPathTable<string>();
    table.add('/a', 'a');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('/', 'a', '?', '#', '.', '\0', '%') }), (text) => {
        const path = pathOf(text);
        expect(table.above(path)).toBe(path === '/a' || path.startsWith('/a/') ? 'a' : undefined);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTopicIndex } from '../../../src/domain/topic-index.ts';
import { patternOf } from '../../support/domain-fixtures.ts';
import { heapUsedBytes } from '../../support/heap-used.ts';

/** AMQP 0-9-1 topic matching, as plainly as it can be said. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return matches(others, words) || (words.length > 0 && matches(pattern, words.slice(1)));
  if (words.length === 0) return false;
  return (first === '*' || first === words[0]) && matches(others, words.slice(1));
}

const split = (text: string): readonly string[] => (text === '' ? [] : text.split('.'));
const numerically = (one: number, other: number): number => one - other;
const isMatch = (pattern: string, text: string): boolean => matches(split(pattern), split(text));

const indexOf = (...patterns: readonly string[]) => {
  const index = createTopicIndex<string>();
  for (const pattern of patterns) index.add(patternOf(pattern), pattern);
  return index;
};

/** Words of patterns and of texts are from one small alphabet, so that `*` and `#` are words of texts too. */
const words = (max: number) => fc.array(fc.constantFrom('', 'a', 'b', '*', '#'), { maxLength: max });
const patternText = words(5)
  .filter((each) => each.filter((word) => word === '#').length <= 4)
  .map((each) => each.join('.'));
const text = words(6).map((each) => each.join('.'));

describe('match', () => {
  test.each([
    ['', ['']],
    ['a', ['a', '*', '#', 'a.#', '#.a']],
    ['a.b', ['a.b', 'a.*', '*.b', 'a.#', '#', 'a.*.#', '#.b']],
    ['a.b.c', ['a.#.c', 'a.*.c', '#', 'a.#', '#.c', 'a.#.#.c', 'a.b.c']],
  ])('AMQP 0-9-1 3.1.3.3: "%s" is matched by %o', (given, patterns) => {
    expect(
      indexOf(...patterns)
        .match(given)
        .sort(),
    ).toEqual([...patterns].sort());
  });

  test.each([
    ['', ['a', '*', '*.#', '#.*']],
    ['a', ['', 'b', 'a.b', 'a.*', '*.*', 'a.#.a', 'A']],
    ['a.b', ['a', '*', 'a.b.c', 'b.#', '#.a', '*.*.*']],
    ['.', ['', '*', '*.*.*']],
  ])('AMQP 0-9-1 3.1.3.3: "%s" is matched by none of %o', (given, patterns) => {
    expect(indexOf(...patterns).match(given)).toEqual([]);
  });

  test('the words "*" and "#" of a text are words like any other', () => {
    expect(indexOf('a.*', 'a.b', '#').match('a.#').sort()).toEqual(['#', 'a.*']);
    expect(indexOf('b.*', 'b').match('*')).toEqual([]);
  });

  test('__proto__ and constructor are words like any other', () => {
    const index = indexOf('__proto__.constructor', 'toString');
    expect(index.match('__proto__.constructor')).toEqual(['__proto__.constructor']);
    expect(index.match('constructor')).toEqual([]);
    expect(index.match('toString')).toEqual(['toString']);
  });

  test('agrees with the plain matcher on any patterns and text', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.uniqueArray(patternText, { maxLength: 12 }), text, (patterns, given) => {
        const expected = patterns.filter((pattern) => isMatch(pattern, given));
        expect(
          indexOf(...patterns)
            .match(given)
            .sort(),
        ).toEqual(expected.sort());
      }),
      { numRuns: 2000 },
    );
  });

  test('one pattern alone agrees with the plain matcher', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(patternText, text, (pattern, given) => {
        expect(indexOf(pattern).match(given).length === 1).toBe(isMatch(pattern, given));
      }),
      { numRuns: 3000 },
    );
  });

  test('a value kept under several patterns comes once for each', () => {
    const index = createTopicIndex<string>();
    for (const pattern of ['a.*', '#', 'a.b', 'c']) index.add(patternOf(pattern), 'value');
    expect(index.match('a.b')).toEqual(['value', 'value', 'value']);
  });

  test('many "#" and 500 words do not multiply', () => {
    // A walk of one path after the other would make some 500^4 / 4! steps for each of these.
    const patterns = ['#.a.#.a.#.a.#.b', '#.*.#.*.#.*.#.b', '#.#.#.#.b', '#.a.#.*.#.a.#'];
    const index = indexOf(...patterns);
    const given = Array.from({ length: 500 }, () => 'a').join('.');
    expect(index.match(given)).toEqual(['#.a.#.*.#.a.#']);
    expect(index.match(`${given}.b`).sort()).toEqual([...patterns].sort());
  });
});

describe('add and remove', () => {
  test('tell whether the pair was there', () => {
    const index = createTopicIndex<number>();
    expect(index.add(patternOf('a.#'), 1)).toBe(true);
    expect(index.add(patternOf('a.#'), 1)).toBe(false);
    expect(index.add(patternOf('a.#'), 2)).toBe(true);
    expect(index.size).toBe(2);
    expect(index.remove(patternOf('a'), 1)).toBe(false);
    expect(index.remove(patternOf('a.*'), 1)).toBe(false);
    expect(index.remove(patternOf('a.b.c'), 1)).toBe(false);
    expect(index.remove(patternOf('a.#'), 3)).toBe(false);
    expect(index.size).toBe(2);
    expect(index.remove(patternOf('a.#'), 1)).toBe(true);
    expect(index.remove(patternOf('a.#'), 1)).toBe(false);
    expect(index.match('a.b')).toEqual([2]);
    expect(index.size).toBe(1);
  });

  test('removing one pattern leaves those above, below and beside it', () => {
    const patterns = ['', 'a', 'a.b', 'a.b.c', 'a.*', 'a.*.c', 'a.#', 'a.#.c', '#', '*', '*.b'];
    for (const gone of patterns) {
      const index = indexOf(...patterns);
      expect(index.remove(patternOf(gone), gone)).toBe(true);
      for (const given of ['', 'a', 'a.b', 'a.b.c', 'a.x.c', 'b']) {
        const expected = patterns.filter((pattern) => pattern !== gone && isMatch(pattern, given));
        expect(index.match(given).sort()).toEqual(expected.sort());
      }
    }
  });

  test('any sequence keeps what a list of pairs keeps, and nothing matches when all are removed', {
    timeout: 60_000,
  }, () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'add', 'remove'),
      pattern: fc.constantFrom('', 'a', 'a.b', 'a.*', '*', '#', 'a.#', '#.a', 'a.#.b', '*.#'),
      value: fc.constantFrom(1, 2),
    });
    const keyOf = (pattern: string, value: number) => `${value} ${pattern}`;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), text, (steps, given) => {
        const index = createTopicIndex<number>();
        const model = new Map<string, { pattern: string; value: number }>();
        for (const { kind, pattern, value } of steps) {
          const key = keyOf(pattern, value);
          const present = model.has(key);
          if (kind === 'add') {
            expect(index.add(patternOf(pattern), value)).toBe(!present);
            model.set(key, { pattern, value });
          } else {
            expect(index.remove(patternOf(pattern), value)).toBe(present);
            model.delete(key);
          }
          expect(index.size).toBe(model.size);
          const expected = [...model.values()].filter((each) => isMatch(each.pattern, given)).map((each) => each.value);
          expect(index.match(given).toSorted(numerically)).toEqual(expected.toSorted(numerically));
        }
        for (const { pattern, value } of model.values()) expect(index.remove(patternOf(pattern), value)).toBe(true);
        expect(index.size).toBe(0);
        expect(index.match(given)).toEqual([]);
      }),
    );
  });

  test.each(['w{}.a.b', 'w{}.*.b', 'w{}.#.b', 'w{}.#', 'w{}.*'])(
    '%s: no place is left when its patterns have gone',
    (shape) => {
      const index = createTopicIndex<number>();
      index.add(patternOf('kept.*.#'), 0);
      const before = heapUsedBytes();
      for (let number = 0; number < 20_000; number += 1) {
        const pattern = patternOf(shape.replace('{}', `${number}`));
        index.add(pattern, 1);
        index.remove(pattern, 1);
      }
      // With its places left behind, each of these keeps 5 MB and more.
      expect(heapUsedBytes() - before).toBeLessThan(2_000_000);
      expect(index.match('kept.a')).toEqual([0]);
    },
  );
});

import { describe, expect, test } from 'vitest';
import {
  hashesPerPatternMax,
  parseTopicPattern,
  patternLengthMax,
  wordsOf,
} from '../../../src/domain/topic-pattern.ts';
import { allowedValue, refusalReason } from '../../support/domain-fixtures.ts';

describe('parseTopicPattern', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a.b', ['a', 'b']],
    ['.', ['', '']],
    ['a..b', ['a', '', 'b']],
    ['*.#', ['*', '#']],
    ['a*.b#', ['a*', 'b#']],
    ['#.#.#.#', ['#', '#', '#', '#']],
    ['##.##.##.##.##', ['##', '##', '##', '##', '##']],
  ])('"%s" has the words %o', (text, words) => {
    expect(allowedValue(parseTopicPattern(text))).toEqual({ text, words });
    expect(wordsOf(text)).toEqual(words);
  });

  test('refuses more "#" than matching can bear', () => {
    expect(hashesPerPatternMax).toBe(4);
    expect(refusalReason(parseTopicPattern('#.a.#.#.b.#.#'))).toBe('"#.a.#.#.b.#.#" has more than 4 "#"');
  });

  test('refuses what is too long, without repeating it', () => {
    expect(parseTopicPattern('a'.repeat(patternLengthMax)).ok).toBe(true);
    expect(refusalReason(parseTopicPattern('a'.repeat(patternLengthMax + 1)))).toBe(
      'a topic pattern has at most 1024 characters',
    );
  });
});

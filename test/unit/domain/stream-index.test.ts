import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStreamIndex, type StreamType, streamTypes } from '../../../src/domain/stream-index.ts';
import { patternOf } from '../../support/domain-fixtures.ts';

/** AMQP 0-9-1 section 3.1.3, word by word. */
function matchesWords(pattern: readonly string[], key: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return key.length === 0;
  if (first === '#') return matchesWords(rest, key) || (key.length > 0 && matchesWords(pattern, key.slice(1)));
  return key.length > 0 && (first === '*' || first === key[0]) && matchesWords(rest, key.slice(1));
}

const wordsOf = (text: string) => (text === '' ? [] : text.split('.'));

function matches(type: StreamType, pattern: string, key: string): boolean {
  if (type === 'topic') return matchesWords(wordsOf(pattern), wordsOf(key));
  return type === 'direct' ? pattern === key : true;
}

const word = fc.constantFrom('a', 'b', '*', '#', '', '__proto__');
const anyText = fc.array(word, { maxLength: 5 }).map((words) => words.join('.'));
/** Few, so that many meet. */
const text = fc.oneof(anyText, fc.constantFrom('', 'a', 'a.b', '#'));
const pattern = text.filter((each) => wordsOf(each).filter((part) => part === '#').length <= 4);

describe.each(streamTypes)('a stream of the type %s', (type) => {
  test('matches like a walk through all its patterns, whatever was added and removed', () => {
    const step = fc.record({ add: fc.boolean(), pattern, value: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(text, { maxLength: 10 }), (steps, keys) => {
        const index = createStreamIndex<object>(type);
        const values = new Map<string, { readonly pattern: string }>();
        for (const { add, pattern: each, value } of steps) {
          // As in the registry: a value belongs to one pattern.
          const name = `${each}|${value}`;
          const kept = values.get(name) ?? { pattern: each };
          if (add) {
            values.set(name, kept);
            index.add(patternOf(each), kept);
          } else if (values.delete(name)) {
            index.remove(patternOf(each), kept);
          }
        }
        for (const key of keys) {
          const expected = [...values.values()].filter((each) => matches(type, each.pattern, key));
          const found = index.match(key);
          expect(found).toHaveLength(expected.length);
          expect(new Set(found)).toEqual(new Set(expected));
        }
      }),
    );
  });
});

test('a direct stream takes * and # for what they are', () => {
  const index = createStreamIndex<string>('direct');
  index.add(patternOf('a.#'), 'x');
  expect([index.match('a.b'), index.match('a.#')]).toEqual([[], ['x']]);
});

import { allowed, refused, type Verdict } from './verdict.ts';

/**
 * A topic pattern as AMQP 0-9-1 topic exchanges have it: words between dots, `*` for one word, `#` for any number.
 * The empty text has no words.
 */
export type TopicPattern = { readonly text: string; readonly words: readonly string[] };

export const patternLengthMax = 1024;
export const hashesPerPatternMax = 4;

export const wordsOf = (text: string): readonly string[] => (text === '' ? [] : text.split('.'));

/** Refused when it is too long or has too many `#`, which are what makes matching expensive. */
export function parseTopicPattern(text: string): Verdict<TopicPattern> {
  if (text.length > patternLengthMax) return refused(`a topic pattern has at most ${patternLengthMax} characters`);
  const words = wordsOf(text);
  if (words.filter((word) => word === '#').length > hashesPerPatternMax) {
    return refused(`"${text}" has more than ${hashesPerPatternMax} "#"`);
  }
  return allowed({ text, words });
}

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type FindResult, type KeptResult, performancePage } from '../../../bench/report/performance-page.ts';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const kept: FindResult = (name) => JSON.parse(read(`bench/results/${name}.json`)) as KeptResult;

const spread = (median: number, runs = 3) => ({
  median,
  min: median - 1,
  max: median + 1,
  values: [median, median - 1, median + 1].slice(0, runs),
});
const result: KeptResult = {
  machine: { cores: 2 },
  columns: [{ key: 'cpuMicros', title: 'CPU', digits: 1 }],
  figures: [
    {
      situation: 'few',
      peer: 'one',
      values: { cpuMicros: spread(2.25), rssBytes: spread(9000, 1), heapBytes: spread(6400, 1) },
    },
    {
      situation: 'many',
      peer: 'one',
      values: { cpuMicros: spread(3, 1), rssBytes: spread(7000, 1), heapBytes: spread(1, 1) },
    },
    { situation: 'few', peer: 'other', values: { cpuMicros: spread(Number.NaN) }, error: 'it fell over' },
  ],
  targets: [
    { what: 'a ratio', value: 0.756, limit: 0.75, is: 'at most', met: false },
    { what: 'bytes', value: 9756.26, limit: 12_000, is: 'at most', met: true },
  ],
};
const rendered = (words: string): string =>
  performancePage(`before\n<!-- bench: ${words} -->\nstale\n<!-- /bench -->\nafter`, () => result);
const page =
  (...lines: readonly string[]) =>
  (words: string) =>
    ['before', `<!-- bench: ${words} -->`, '', ...lines, '', '<!-- /bench -->', 'after'].join('\n');

test('the tables of docs/performance.md are those of the results that are kept', () => {
  const text = read('docs/performance.md');
  expect(text.match(/<!-- bench: /g)?.length).toBeGreaterThan(10);
  expect(performancePage(text, kept)).toBe(text);
});

test.each<[words: string, expected: (words: string) => string]>([
  [
    'pivot some cpuMicros 1',
    page('|  | few | many |', '| --- | --- | --- |', '| one | 2.3 (1.3-3.3) | 3.0 |', '| other | failed |  |'),
  ],
  [
    'rows some cpuMicros:0',
    page(
      '|  | peer | CPU |',
      '| --- | --- | --- |',
      '| few | one | 2 (1-3) |',
      '| many | one | 3 |',
      '| few | other | failed |',
    ),
  ],
  [
    'memory some',
    page('|  | few | many |', '| --- | --- | --- |', '| one | 9.0 / 6.4 | 7.0 / 0.0 |', '| other | failed |  |'),
  ],
  [
    'targets some',
    page(
      '| target | measured | limit |  |',
      '| --- | --- | --- | --- |',
      '| a ratio | 0.76 | at most 0.75 | **not met** |',
      '| bytes | 9756 | at most 12000 | met |',
    ),
  ],
  ['machine some', page('Machine: `{"cores":2}`')],
])('%s', (words, expected) => {
  expect(rendered(words)).toBe(expected(words));
  expect(performancePage(rendered(words), () => result)).toBe(expected(words));
});

test('a table of no kind there is fails', () => {
  expect(() => rendered('pie some')).toThrow('docs/performance.md asks for "pie some"');
});

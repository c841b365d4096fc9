import { expect, test } from 'vitest';
import { literalText, readSources, readText } from './source-file.ts';

/**
 * The pages with a list of what a compatible server must do: the section of the list, its length, whose tests name its
 * items, and what stands before the numbers there.
 */
const lists = [
  { page: 'hiiretail', section: 8, count: 23, tests: ['test/e2e/hiiretail-*.test.ts'], prefix: '', missing: [] },
  {
    page: 'brainlife',
    section: 10,
    count: 16,
    tests: ['test/e2e/brainlife-*.test.ts'],
    prefix: '',
    missing: [],
  },
  {
    page: 'salto-ks',
    section: 8,
    count: 21,
    tests: ['test/e2e/salto-ks*.test.ts', 'test/adapters/signalr-*.test.ts'],
    prefix: 'salto-ks ',
    missing: [],
  },
  {
    page: 'signalr-protocol',
    section: 13,
    count: 25,
    tests: ['test/{unit/,}adapters/signalr-*.test.ts'],
    prefix: 'signalr ',
    missing: [],
  },
  { page: 'avaya-spaces', section: 6, count: 16, tests: ['test/e2e/avaya-spaces-*.test.ts'], prefix: '', missing: [] },
];

/** The numbers of the items of a section that is a list. */
function itemsOf(page: string, section: number): readonly string[] {
  const [, own = ''] = page.split(new RegExp(`^## ${section}\\. `, 'm'));
  const [list = ''] = own.split(/^## /m);
  return [...list.matchAll(/^(\d+)\. /gm)].map(([, item]) => `${section}.${item}`);
}

/** The numbers that names of tests and of their groups begin with: `8.1 …`, `10.3, 10.4: …`, `signalr 13.8, salto-ks 8.10: …`. */
function itemsNamed(tests: readonly string[], prefix: string, section: number): ReadonlySet<string> {
  const number = `${section}\\.\\d+`;
  const others = prefix === '' ? '' : '(?:(?:[a-z-]+ )?\\d+\\.\\d+, )*';
  const numbers = new RegExp(`^${others}${prefix}(${number}(, ${number})*)(?=[ :,]|$)`);
  const texts = readSources(...tests).flatMap(({ nodes }) => nodes.flatMap((node) => literalText(node) ?? []));
  return new Set(texts.flatMap((text) => numbers.exec(text)?.[1]?.split(', ') ?? []));
}

test.each(lists)('each item of section $section of $page has a test that names it', (list) => {
  const { page, section, count, tests, prefix, missing } = list;
  const items = itemsOf(readText(`docs/specs/${page}.md`), section);
  const named = itemsNamed(tests, prefix, section);
  expect(items).toHaveLength(count);
  expect([...named].filter((item) => !items.includes(item))).toEqual([]);
  expect(items.filter((item) => !named.has(item))).toEqual(missing);
});

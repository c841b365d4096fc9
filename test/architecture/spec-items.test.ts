import { describe, expect, test } from 'vitest';
import { literalText, readSources, readText } from './source-file.ts';

/** The numbers of the items of a section that is a list. */
function itemsOf(page: string, section: number): readonly string[] {
  const [, own = ''] = page.split(new RegExp(`^## ${section}\\. `, 'm'));
  const [list = ''] = own.split(/^## /m);
  return [...list.matchAll(/^(\d+)\. /gm)].map(([, item]) => `${section}.${item}`);
}

const textsOf = (pattern: string): readonly string[] =>
  readSources(pattern).flatMap(({ nodes }) => nodes.flatMap((node) => literalText(node) ?? []));

const numbersIn = (list: string | undefined): readonly string[] => list?.split(', ') ?? [];

test('each item of what a server compatible with Hii Retail must do has a test that names it', () => {
  const texts = textsOf('test/e2e/hiiretail-*.test.ts');
  const named = new Set(texts.flatMap((text) => numbersIn(/^(8\.\d+(, 8\.\d+)*) /.exec(text)?.[1])));
  const items = itemsOf(readText('docs/specs/hiiretail.md'), 8);
  expect(items).toHaveLength(23);
  expect([...named].filter((item) => !items.includes(item))).toEqual([]);
  expect(items.filter((item) => !named.has(item))).toEqual([]);
});

/** `signalr 13.8, 13.9, salto-ks 8.10: …` */
describe('each item of a list has a test whose name begins with its page and number', () => {
  const texts = ['test/{unit,adapters}/**/s*.test.ts', 'test/e2e/salto-ks*.test.ts'].flatMap((pattern) =>
    textsOf(pattern),
  );
  const heads = texts.flatMap(
    (text) => /^((?:(?:signalr|salto-ks) )?\d+\.\d+, )*(?:(?:signalr|salto-ks) )?\d+\.\d+(?=:)/.exec(text)?.[0] ?? [],
  );

  test.each([
    ['signalr', 'signalr-protocol', 13, 25],
    ['salto-ks', 'salto-ks', 8, 21],
  ])('%s', (name, page, section, count) => {
    const items = itemsOf(readText(`docs/specs/${page}.md`), section);
    expect(items).toHaveLength(count);
    const lists = heads.flatMap((head) => [...head.matchAll(new RegExp(`${name} ((?:\\d+\\.\\d+(?:, )?)+)`, 'g'))]);
    const named = new Set(lists.flatMap(([, list]) => numbersIn(list?.replace(/, $/, ''))));
    expect([...named].filter((item) => !items.includes(item))).toEqual([]);
    expect(items.filter((item) => !named.has(item))).toEqual([]);
  });
});

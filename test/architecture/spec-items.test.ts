import { expect, test } from 'vitest';
import { literalText, readSources, readText } from './source-file.ts';

/** The numbers of the items of a section that is a list. */
function itemsOf(page: string, section: number): readonly string[] {
  const [, own = ''] = page.split(new RegExp(`^## ${section}\\. `, 'm'));
  const [list = ''] = own.split(/^## /m);
  return [...list.matchAll(/^(\d+)\. /gm)].map(([, item]) => `${section}.${item}`);
}

const files = readSources('test/e2e/hiiretail-*.test.ts');
const texts = files.flatMap(({ nodes }) => nodes.flatMap((node) => literalText(node) ?? []));
const named = new Set(texts.flatMap((text) => /^(8\.\d+(, 8\.\d+)*) /.exec(text)?.[1]?.split(', ') ?? []));

test('each item of what a server compatible with Hii Retail must do has a test that names it', () => {
  const items = itemsOf(readText('docs/specs/hiiretail.md'), 8);
  expect(items).toHaveLength(23);
  expect([...named].filter((item) => !items.includes(item))).toEqual([]);
  expect(items.filter((item) => !named.has(item))).toEqual([]);
});

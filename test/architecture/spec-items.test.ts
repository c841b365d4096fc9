import { expect, test } from 'vitest';
import { literalText, readSources, readText } from './source-file.ts';

/** The numbers of the items of a section that is a list. */
function itemsOf(page: string, section: number): readonly string[] {
  const [, own = ''] = page.split(new RegExp(`^## ${section}\\. `, 'm'));
  const [list = ''] = own.split(/^## /m);
  return [...list.matchAll(/^(\d+)\. /gm)].map(([, item]) => `${section}.${item}`);
}

/** The items of a section that the names of tests begin with: `8.1, 8.2 connects`. */
function namedIn(pattern: string, section: number): ReadonlySet<string> {
  const texts = readSources(pattern).flatMap(({ nodes }) => nodes.flatMap((node) => literalText(node) ?? []));
  const names = new RegExp(`^(${section}\\.\\d+(, ${section}\\.\\d+)*) `);
  return new Set(texts.flatMap((text) => names.exec(text)?.[1]?.split(', ') ?? []));
}

test.each([
  ['Hii Retail', 'hiiretail', 8, 23],
  ['Avaya Spaces', 'avaya-spaces', 6, 16],
])('each item of what a server compatible with %s must do has a test that names it', (_, name, section, count) => {
  const items = itemsOf(readText(`docs/specs/${name}.md`), section);
  const named = namedIn(`test/e2e/${name}-*.test.ts`, section);
  expect(items).toHaveLength(count);
  expect([...named].filter((item) => !items.includes(item))).toEqual([]);
  expect(items.filter((item) => !named.has(item))).toEqual([]);
});

import { describe, expect, test } from 'vitest';
import { denialCodes } from '../../src/domain/denial.ts';
import { unroutableCauses } from '../../src/domain/ports/event-routing.ts';
import {
  firstOf,
  identifierName,
  literalText,
  parseSource,
  readSources,
  readText,
  type SourceFile,
} from './source-file.ts';

const files = readSources('src/**/*.ts');

/** First arguments of calls by one of these names, and the files where they are no plain text. */
function firstArguments(sources: readonly SourceFile[], ...names: readonly string[]) {
  const texts = new Set<string>();
  const unread: string[] = [];
  for (const { path, nodes } of sources) {
    for (const node of nodes) {
      if (!names.includes(identifierName(node['callee']) ?? '')) continue;
      const text = literalText(firstOf(node['arguments']));
      if (text === undefined) unread.push(path);
      else texts.add(text);
    }
  }
  return { texts, unread };
}

/** The codes that begin the rows of the tables below a heading of `docs/errors.md`. */
function documented(page: string, heading: string): readonly string[] {
  const [, section] = page.split(new RegExp(`^## ${heading}$`, 'm'));
  if (section === undefined) throw new Error(`there is no heading "${heading}"`);
  const [own = ''] = section.split(/^## /m);
  return [...own.matchAll(/^\| *`([^`]+)` *\|/gm)].map(([, code = '']) => code);
}

const sorted = (codes: Iterable<string>): readonly string[] => [...codes].toSorted();

describe('docs/errors.md lists every code, once, and none that does not exist', () => {
  const page = readText('docs/errors.md');

  test('denials', () => {
    expect(sorted(documented(page, 'Denied'))).toEqual(sorted(denialCodes));
  });

  test('problems of what is posted', () => {
    const { texts, unread } = firstArguments(
      files.filter(({ path }) => path.startsWith('src/adapters/inbound/')),
      'problem',
    );
    expect(unread).toEqual([]);
    expect(texts.size).toBeGreaterThan(10);
    expect(sorted(documented(page, 'Problems of what is posted'))).toEqual(sorted(texts));
  });

  test('events that lead nowhere', () => {
    expect(sorted(documented(page, 'Unroutable events'))).toEqual(sorted(unroutableCauses));
  });

  test('faults', () => {
    const { texts, unread } = firstArguments(files, 'Fault');
    const listenFaults = files.filter(({ path }) => path === 'src/adapters/operations/listen-fault.ts');
    // The one place that does not write the code where the fault is made has a function of its own for it.
    expect(unread).toEqual(listenFaults.map(({ path }) => path));
    const codes = texts.union(firstArguments(listenFaults, 'stop').texts);
    expect(codes.size).toBeGreaterThan(15);
    expect(sorted(documented(page, 'Faults'))).toEqual(sorted(codes));
  });

  test('there is no other table of codes', () => {
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => heading);
    const withCodes = headings.filter((heading) => documented(page, heading).length > 0);
    expect(withCodes).toEqual(['Denied', 'Problems of what is posted', 'Unroutable events', 'Faults']);
  });
});

describe('what is compared is really read', () => {
  test('codes of calls', () => {
    const source = parseSource(
      'src/x.ts',
      "new Fault('one', 'stop', ''); stop('two'); other('three'); new Fault(code);",
    );
    expect(firstArguments([source], 'Fault', 'stop')).toEqual({
      texts: new Set(['one', 'two']),
      unread: ['src/x.ts'],
    });
  });

  test('codes of tables, below their own heading only', () => {
    const page = '# x\n\n## One\n\n| code | y |\n|---|---|\n| `a` | `no` |\n| `b` |\n\n## Two\n\n| `c` | |\n| d | |\n';
    expect(documented(page, 'One')).toEqual(['a', 'b']);
    expect(documented(page, 'Two')).toEqual(['c']);
    expect(() => documented(page, 'Three')).toThrow('there is no heading');
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillUrlTemplate, parseUrlTemplate } from '../../../src/adapters/access/url-template.ts';
import type { Variables } from '../../../src/domain/variables.ts';
import { hostileText } from '../../support/hostile-text.ts';

function filled(text: string, variables: Variables): string {
  const template = parseUrlTemplate(text);
  if (!template.ok) throw new Error(template.reason);
  const url = fillUrlTemplate(template.value, variables);
  return url.ok ? url.value : `refused: ${url.reason}`;
}

const variablesOf = (values: Record<string, string | string[]>): Variables => new Map(Object.entries(values));

test.each([
  ['https://h/event/checkaccess/project/{project}', 'https://h/event/checkaccess/project/a%2Fb%3F%23%26%25%20%C3%A9'],
  ['https://h/?q={project}&x={project}', 'https://h/?q=a%2Fb%3F%23%26%25%20%C3%A9&x=a%2Fb%3F%23%26%25%20%C3%A9'],
  ['http://localhost:8081/{project}', 'http://localhost:8081/a%2Fb%3F%23%26%25%20%C3%A9'],
  ['https://h/all', 'https://h/all'],
])('%s is filled', (text, expected) => {
  expect(filled(text, variablesOf({ project: 'a/b?#&% é' }))).toBe(expected);
});

test.each([
  ['absent', {}, 'refused: there is no single value for {project}'],
  ['empty', { project: '' }, 'refused: there is no single value for {project}'],
  ['a list', { project: ['a'] }, 'refused: there is no single value for {project}'],
  ['.', { project: '.' }, 'refused: a value would change the path of the URL'],
  ['..', { project: '..' }, 'refused: a value would change the path of the URL'],
  ['../../other', { project: '../../other' }, 'refused: a value would change the path of the URL'],
  ['a\\..', { project: 'a\\..' }, 'refused: a value would change the path of the URL'],
  ['a/b..c', { project: 'a/b..c' }, 'https://h/projects/a%2Fb..c/members'],
  ['not Unicode', { project: '\ud800' }, 'refused: the value of {project} is not valid Unicode'],
])('a value that is %s', (_, values, expected) => {
  expect(filled('https://h/projects/{project}/members', variablesOf(values as Record<string, string>))).toBe(expected);
});

test('two values that are dots together', () => {
  expect(filled('https://h/{a}{b}', variablesOf({ a: '.', b: '.' }))).toContain('would change the path');
  expect(filled('https://h/?q={a}{b}', variablesOf({ a: '.', b: '.' }))).toBe('https://h/?q=..');
});

test.each([
  ['https://{host}/a', 'must have its host and a "/" before the first variable'],
  ['https://h{x}/a', 'must have its host and a "/" before the first variable'],
  ['{url}', 'must have its host and a "/" before the first variable'],
  ['https://h:{port}/a', 'must have its host and a "/" before the first variable'],
  ['https://h', 'must have its host and a "/" before the first variable'],
  ['https://u:p@h/{a}', 'must hold no user name or password'],
  ['http://h/{a}', 'must begin with https://'],
  ['https://h/{a', 'holds a single brace, or a "#"'],
  ['https://h/a}', 'holds a single brace, or a "#"'],
  ['https://h/{}', 'holds a single brace, or a "#"'],
  ['https://h/#{a}', 'holds a single brace, or a "#"'],
  ['https://h/../{a}', 'holds "." or ".." as a segment of its path'],
  ['https://h//a/{a}', 'holds "//" in its path; see whether a variable ends with "/"'],
  ['https://h/%2e%2E/{a}', 'holds "." or ".." as a segment of its path'],
])('%s is refused: %s', (text, reason) => {
  expect(parseUrlTemplate(text)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
});

test('no value leaves its place: host, number of segments and the other fields stay', { timeout: 30_000 }, () => {
  fc.assert(
    fc.property(hostileText(), hostileText(), (project, site) => {
      const text = filled('https://host.example/p/{project}/end?site={site}&last=1', variablesOf({ project, site }));
      if (text.startsWith('refused: ')) return;
      const url = new URL(text);
      expect(url.origin).toBe('https://host.example');
      expect(url.hash).toBe('');
      const [, first, value, end, more] = url.pathname.split('/');
      expect([first, decodeURIComponent(value ?? ''), end, more]).toEqual(['p', project, 'end', undefined]);
      expect([...url.searchParams]).toEqual([
        ['site', site],
        ['last', '1'],
      ]);
    }),
  );
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseReferences, type ScalarPart } from '../../../src/bootstrap/config/reference.ts';
import {
  alsoUnderTopic,
  decisionFor,
  needed,
  presetText,
  presetWith,
  problemsWith,
} from '../../support/hiiretail-preset.ts';

const page = readFileSync(new URL('../../../docs/presets/hiiretail.md', import.meta.url), 'utf8');

/** What stands below a heading, down to the next one. */
function section(heading: string): string {
  const [, text] = page.split(new RegExp(`^#+ ${heading}$`, 'm'));
  if (text === undefined) throw new Error(`there is no heading "${heading}"`);
  return text.split(/^#+ /m)[0] ?? '';
}

/** The cells of each row of a table, without its head. */
const rowsOf = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/^\|(.*)\|$/gm)].slice(2).map(([, row = '']) => row.split('|').map((cell) => cell.trim()));

const codeBlocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code = '']) => code);

/** Every text of a parsed YAML file, aliases once for each place. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

type Default = readonly [name: string, fallback: string];

/** Every reference with its default, as the page writes it; those within a default stand for themselves. */
function defaultsIn(parts: readonly ScalarPart[]): readonly Default[] {
  return parts.flatMap((part): readonly Default[] => {
    if (part.kind === 'text') return [];
    const { name, fallback } = part;
    if (!fallback) return [[name, 'none']];
    const text = fallback.map((each) => (each.kind === 'text' ? each.text : `\${${each.name}}`)).join('');
    return [[name, text === '' ? 'nothing' : `\`${text}\``], ...defaultsIn(fallback)];
  });
}

describe('the table of the environment', () => {
  const required = problemsWith({}).map((problem) => /variable (\w+) has no value/.exec(problem)?.[1]);
  const parts = textsIn(parse(presetText)).map((text) => {
    const parsed = parseReferences(text);
    return parsed.ok ? parsed.value : [];
  });
  const defaults = parts.flatMap(defaultsIn);
  const table = rowsOf(section('Environment'));

  test('has every variable of the preset, once, with its default, and no other', () => {
    const read = new Map<string, Set<string>>();
    for (const [name, text] of defaults) {
      const fallback = required.includes(name) ? 'required' : text;
      read.set(name, (read.get(name) ?? new Set()).add(fallback));
    }
    const expected = [...read].map(([name, texts]) => `\`${name}\` | ${[...texts].join(' and ')}`).sort();
    expect(expected.length).toBeGreaterThan(30);
    expect(table.map(([name, fallback]) => `${name} | ${fallback}`).sort()).toEqual(expected);
  });
});

test('the lines for production make a config that is right', () => {
  const [lines = ''] = codeBlocks(section('In production'), 'sh');
  const exported = [...lines.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]);
  expect(exported.length).toBeGreaterThan(2);
  expect(problemsWith(Object.fromEntries(exported))).toEqual([]);
});

test('the rooms of the table are those of the preset', () => {
  const names = new Map([
    ['{unit}', '{businessUnit}'],
    ['{user}', '{userProfileId}'],
    ['{session}', '{sessionId}'],
    ['{room}', '{additionalBusinessUnitRooms*}'],
  ]);
  const told = rowsOf(section('Rooms')).map(([room = '']) =>
    (/`([^`]+)`/.exec(room)?.[1] ?? '').replaceAll(/\{\w+\}/g, (name) => names.get(name) ?? name),
  );
  const [endpoint] = presetWith().endpoints;
  if (endpoint?.kind !== 'socketio') throw new Error('the preset has changed');
  const templates = endpoint.settings.rooms.flatMap(({ templates: own = [] }) => own);
  expect(told.toSorted()).toEqual(templates.filter((template) => template !== 'topics/{topics}').toSorted());
});

test('the attributes of the routing table, in its order, are those of the preset', () => {
  const told = rowsOf(section('Routing')).map(([attributes = '']) =>
    [...attributes.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name).sort(),
  );
  const [route] = presetWith().routes;
  const templates = route?.firstOf?.map((template) =>
    [...template.matchAll(/\{([\w-]+)\*?\}/g)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'Tenant-Id')
      .sort(),
  );
  expect(told).toEqual(templates);
});

test('a message without a tenant reaches who has named its topic, with the lines that the page has for that', () => {
  const [broadcast = ''] = codeBlocks(section('Deviations and choices'), 'yaml');
  const edited = presetText.replace(/^unroutable:/m, (next) => `${broadcast}\n${next}`);
  expect(edited).not.toBe(presetText);
  expect(problemsWith(needed, edited)).toEqual([]);
  expect(decisionFor({}, {}, edited)).toMatchObject({ kind: 'routed', rooms: ['topics/che.a.v1'] });
  expect(decisionFor({ 'Tenant-Id': 't1' }, {}, edited)).toMatchObject({ rooms: alsoUnderTopic(['tenants/t1']) });
  expect(decisionFor({ 'User-Id': 'u' }, {}, edited)).toMatchObject({ kind: 'unroutable' });
});

test('every variable that the page names is one of the preset, of Google or of the examples', () => {
  const known = new Set([
    ...rowsOf(section('Environment')).map(([name = '']) => name.replaceAll('`', '')),
    ...['GOOGLE_APPLICATION_CREDENTIALS', 'TOKEN', 'USER_TOKEN', 'TOPICS'],
  ]);
  const named = [...page.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
  expect(named.length).toBeGreaterThan(50);
  expect([...new Set(named)].filter((name) => !known.has(name) && name !== 'CORRELATION-ID')).toEqual([]);
});

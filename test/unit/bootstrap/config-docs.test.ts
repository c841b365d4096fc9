import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { accessNames } from '../../../src/bootstrap/config/build-access.ts';
import { configurationPage } from '../../../src/bootstrap/config/configuration-page.ts';
import { configSchema, loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';
import { editorSchema } from '../../../src/bootstrap/config/editor-schema.ts';
import type { JsonSchema } from '../../../src/bootstrap/config/field-shape.ts';
import { inputSchema } from '../../../src/bootstrap/config/load-config.ts';
import { fileBytesMax } from '../../../src/bootstrap/config/parse-yaml.ts';
import { staleDocs } from '../../../src/bootstrap/generated-docs.ts';
import { fixtureSchema } from './config-fixture.ts';

const schema = inputSchema(configSchema);

/** Every field of a schema, with its path. */
function fieldsOf(part: JsonSchema, path = ''): readonly (readonly [string, JsonSchema])[] {
  const { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] } = part;
  return [
    ...Object.entries(properties).flatMap(([key, field]) => {
      const place = path === '' ? key : `${path}.${key}`;
      return [[place, field] as const, ...fieldsOf(field, place)];
    }),
    ...(typeof additionalProperties === 'object' ? fieldsOf(additionalProperties, `${path}.NAME`) : []),
    ...(typeof items === 'object' ? fieldsOf(items, `${path}[]`) : []),
    ...[...anyOf, ...oneOf].flatMap((choice) => fieldsOf(choice, path)),
  ];
}

describe('the reference page', () => {
  const page = configurationPage(schema);
  const fields = fieldsOf(schema);

  test('every field has a description, which ends as a sentence does', () => {
    expect(fields.length).toBeGreaterThan(100);
    expect(fields.filter(([, field]) => !field.description).map(([path]) => path)).toEqual([]);
    expect(fields.filter(([, field]) => !/[.]$/.test(field.description ?? '')).map(([path]) => path)).toEqual([]);
    expect(fieldsOf(inputSchema(fixtureSchema)).filter(([, field]) => !field.description).length).toBeGreaterThan(0);
  });

  test('it says how large a file may be, and of dead letters that one of two must be said', () => {
    expect(page).toContain(`more than ${fileBytesMax / 1024} KiB`);
    expect(page).toMatch(/^\| `deadLetter` .* Either this or `onDeadLetter`\. \|$/m);
    expect(page).toMatch(/^\| `onDeadLetter` .* Either this or `deadLetter`\. \|$/m);
  });

  test('every field has its row', () => {
    const rows = new Set([...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key));
    const missing = fields
      .map(([path]) =>
        path
          .replace(/^(sources|endpoints)\[\]\.(?!(name|onlyIf|unless)$)\w+\.?/, '')
          .replace(/^\w+(\[\]|\.|$)/, (top) =>
            Object.hasOwn(schema.properties ?? {}, top.replace(/\W+$/, '')) ? '' : top,
          ),
      )
      .map((path) => path.replace(/^\./, ''))
      .filter((path) => path !== '' && !rows.has(path));
    expect(missing).toEqual([]);
  });

  test('every section and every adapter has its heading', () => {
    const headings = [...page.matchAll(/^##+ (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(expect.arrayContaining(Object.keys(schema.properties ?? {})));
    expect(headings).toEqual(expect.arrayContaining(['sources: memory', 'sources: http', 'endpoints: socketio']));
  });

  test('every name that conditions may read is on it', () => {
    for (const name of [...accessNames, 'event']) expect(page).toContain(`\`${name}\``);
  });

  test('no row is broken', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.filter((row) => /undefined|\[object|\| \|/.test(row))).toEqual([]);
  });
});

describe('the JSON Schema for editors', () => {
  const validate = new Ajv2020({ strict: true, strictRequired: false, validateFormats: false }).compile(
    editorSchema(schema),
  );
  const valid = (text: string): boolean => validate(parse(text));
  const base = 'sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\n';

  test.each([
    '',
    'listen: { port: 80 }',
    'development: { exposed: true }',
    'routes: [{ eachOf: [a] }]',
    'log: { level: warn }',
  ])('takes %j', (text) => {
    expect(valid(base + text)).toBe(true);
  });

  test.each([
    'listen: { port: "${PORT:-8080}" }',
    'development: "${DEVELOPMENT}"',
    'log: { level: "${LEVEL}" }',
    'identity: { tokens: { a: { issuers: "${ISSUERS}", jwks: "https://${HOST}/", clockToleranceMs: "${MS:-5}" } } }',
    'routes: [{ firstOf: "${TEMPLATES}", withoutTenant: "${ALL:-false}" }]',
    'isolation: { event: "{${TENANT}}", connection: "${C}", rooms: "${ROOMS}" }',
    'identity: { roles: "${ROLES}" }',
    'checks: { c: { onlyIf: "${URL}", url: "${URL}" } }',
  ])('takes references: %j', (text) => {
    expect(valid(base + text)).toBe(true);
  });

  test.each([
    'listen: { port: "8080" }',
    'listen: { port: "x${PORT}" }',
    'listen: { hst: a }',
    'log: { level: loud }',
    'development: maybe',
    'nonsense: 1',
    'routes: [{ firstOf: "a" }]',
    'identity: { tokens: { a: { issuers: "a" } } }',
    'identity: { roles: "a" }',
    'isolation: "${ISOLATION}"',
  ])('refuses %j', (text) => {
    expect(valid(base + text)).toBe(false);
  });

  test.each(['sources: []', 'sources: [{}]', 'sources: [{ memory: {}, http: {} }]', 'sources: [{ socketio: {} }]'])(
    'refuses %j',
    (text) => {
      expect(valid(`${text}\nendpoints: [{ socketio: {} }]\n`)).toBe(false);
    },
  );
});

describe('presets', () => {
  const folder = new URL('../../../presets/', import.meta.url);
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(editorSchema(schema));

  test.each(readdirSync(folder))('%s is right, and editors say so', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    const config = loadEdgewardConfig(text, {});
    const problems = config.ok ? [] : config.reason;
    // A preset may need variables that have no default; nothing else may be wrong with it.
    expect(problems.filter(({ message }) => !message.includes('has no value'))).toEqual([]);
  });

  test.each(readdirSync(folder))('%s is in the table of README.md', (name) => {
    const readme = readFileSync(new URL('../README.md', folder), 'utf8');
    expect(readme).toContain(`| [\`${name.replace('.yaml', '')}\`](`);
  });

  test('demo needs nothing', () => {
    const config = loadEdgewardConfig(readFileSync(new URL('demo.yaml', folder), 'utf8'), {});
    expect(config.ok ? [] : config.reason).toEqual([]);
  });
});

test('a page that is not what the code says is named, and written only when asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgeward-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const root = pathToFileURL(`${folder}/`);
  mkdirSync(new URL('docs', root));
  const all = ['docs/command-line.md', 'docs/configuration.md', 'docs/edgeward.schema.json'];
  expect(await staleDocs(root, { write: false })).toEqual(all);
  expect(readdirSync(new URL('docs', root))).toEqual([]);
  expect(await staleDocs(root, { write: true })).toEqual(all);
  expect(await staleDocs(root, { write: false })).toEqual([]);
  writeFileSync(new URL('docs/configuration.md', root), 'old');
  expect(await staleDocs(root, { write: false })).toEqual(['docs/configuration.md']);
});

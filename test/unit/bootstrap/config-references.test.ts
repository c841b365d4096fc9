import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import { parseReferences } from '../../../src/bootstrap/config/reference.ts';

const schema = z.strictObject({
  text: z.string().optional(),
  needed: z.string().default('as always'),
  number: z.number().optional(),
  truth: z.boolean().optional(),
  list: z.array(z.string()).optional(),
  numbers: z.array(z.number()).optional(),
  size: z.union([z.number(), z.literal('none')]).optional(),
  oneOrMore: z.union([z.string(), z.array(z.string())]).optional(),
  development: z.union([z.boolean(), z.strictObject({ exposed: z.boolean() })]).optional(),
  section: z.strictObject({ required: z.string() }).optional(),
  record: z.record(z.string(), z.number()).optional(),
  lists: z.record(z.string(), z.array(z.string())).default({}),
});

const load = createConfigLoader({ schema, check: () => [] });

const resolvedValue = (text: string, environment: Record<string, string> = {}) => {
  const config = load(text, environment);
  return config.ok ? config.value : config.reason.map(({ path, message }) => `${path}: ${message}`);
};

const environment = {
  WORD: 'hello',
  NUMBER: '8080',
  NEGATIVE: '-1.5e3',
  TRUE: 'true',
  LIST: ' a, b ,,c ',
  NUMBERS: '1, 2',
  EMPTY: '',
  BLANK: ' \n',
  HOSTILE: 'x"\n# }: ${WORD} $${',
  COMMAS: ',',
  JSON: '{"a": 1, "b c": -2.5}',
  JSON_LISTS: '{"x": ["${WORD}", "a, b"], "y": []}',
};

describe('a scalar that is one reference takes the type of its field', () => {
  test.each([
    ['text: ${WORD}', { text: 'hello' }],
    ['text: "${NUMBER}"', { text: '8080' }],
    ['text: ${TRUE}', { text: 'true' }],
    ['text: ${LIST}', { text: ' a, b ,,c ' }],
    ['number: ${NUMBER}', { number: 8080 }],
    ['number: ${NEGATIVE}', { number: -1500 }],
    ['number: ${UNSET:-7}', { number: 7 }],
    ['truth: ${TRUE}', { truth: true }],
    ['truth: ${UNSET:-false}', { truth: false }],
    ['list: ${LIST}', { list: ['a', 'b', 'c'] }],
    ['list: ${UNSET:-x,y}', { list: ['x', 'y'] }],
    ['list: ["${WORD}", b]', { list: ['hello', 'b'] }],
    ['numbers: ${NUMBERS}', { numbers: [1, 2] }],
    ['size: ${NUMBER}', { size: 8080 }],
    ['number: ${UNSET:-${NUMBER}}', { number: 8080 }],
    ['size: ${UNSET:-none}', { size: 'none' }],
    ['oneOrMore: ${LIST}', { oneOrMore: ' a, b ,,c ' }],
    ['development: ${TRUE}', { development: true }],
    ['development: { exposed: "${TRUE}" }', { development: { exposed: true } }],
    ['record: { a: "${NUMBER}" }', { record: { a: 8080 } }],
    ['record: ${JSON}', { record: { a: 1, 'b c': -2.5 } }],
    ['lists: ${JSON_LISTS}', { lists: { x: ['${WORD}', 'a, b'], y: [] } }],
    ['lists: ${UNSET}', {}],
    ['lists: ${UNSET:-{}}', {}],
    ['lists: \'${UNSET:-{"x": ["y"]}}\'', { lists: { x: ['y'] } }],
  ])('%s', (text, expected) => {
    expect(resolvedValue(text, environment)).toEqual({ needed: 'as always', lists: {}, ...expected });
  });
});

describe('an empty variable counts as unset', () => {
  test.each([
    ['text: ${UNSET}', {}],
    ['text: ${EMPTY}', {}],
    ['text: ${BLANK}', {}],
    ['list: ${BLANK}', {}],
    ['text: ${EMPTY:-else}', { text: 'else' }],
    ['text: ${EMPTY:-}', {}],
    ['needed: ${UNSET}', {}],
    ['number: ${EMPTY}', {}],
    ['list: ${UNSET:-}', {}],
    ['section: { required: "${UNSET:-}" }', { section: { required: '' } }],
  ])('%s leaves an optional field out', (text, expected) => {
    expect(resolvedValue(text, environment)).toEqual({ needed: 'as always', lists: {}, ...expected });
  });

  test.each([
    ['section: { required: "${UNSET}" }', 'section.required'],
    ['section: { required: "${EMPTY}" }', 'section.required'],
    ['list: ["${UNSET}"]', 'list[0]'],
    ['record: { a: "${UNSET}" }', 'record.a'],
    ['text: "http://${UNSET}/"', 'text'],
  ])('%s is one problem, which names the variable', (text, path) => {
    expect(resolvedValue(text, environment)).toEqual([
      expect.stringMatching(`^${path.replace(/[[\]]/g, '\\$&')}: the environment variable (UNSET|EMPTY) has no value`),
    ]);
  });
});

describe('values are text and never syntax', () => {
  test.each([
    ['text: a ${WORD} b', 'a hello b'],
    ['text: "${WORD}${NUMBER}"', 'hello8080'],
    ['text: ${UNSET:-tenants/{t}/{u}}/x', 'tenants/{t}/{u}/x'],
    ['text: ${UNSET:-a:-b}', 'a:-b'],
    ['text: ${UNSET:-${WORD}}', 'hello'],
    ['text: ${UNSET:-<${NONE:-${WORD}}>}/{x}', '<hello>/{x}'],
    ['text: ${WORD:-${NONE}}', 'hello'],
    ['text: ${HOSTILE}', environment.HOSTILE],
    ['text: "<${HOSTILE}>"', `<${environment.HOSTILE}>`],
    ['text: "$${WORD}"', '${WORD}'],
    ['text: "$${WORD} ${WORD} $${"', '${WORD} hello ${'],
    ['text: 5 $ and {x}', '5 $ and {x}'],
  ])('%s', (text, expected) => {
    expect(resolvedValue(text, environment)).toEqual({ needed: 'as always', lists: {}, text: expected });
  });

  test('keys are left as they are', () => {
    expect(load('record: { "${WORD}": 1 }', environment)).toEqual({
      ok: true,
      value: { needed: 'as always', lists: {}, record: { '${WORD}': 1 } },
    });
  });

  test('names of the language are no variables', () => {
    expect(resolvedValue('section: { required: "${constructor}" }')).toEqual([
      expect.stringContaining('constructor has no value'),
    ]);
  });

  test.each([
    '${',
    '${}',
    '${1A}',
    '${A',
    '${A:-b',
    '${A:?b}',
    '${A-b}',
    '${ A }',
    '${A:-${B}',
    '${A:-${}}',
    '${A:-${B:-${C:-${D:-${E:-${F}}}}}}',
    'x${é}',
  ])('%s is refused', (text) => {
    expect(parseReferences(text).ok).toBe(false);
    expect(resolvedValue(`text: '${text}'`)).toHaveLength(1);
  });
});

test('a text that is not of the field’s type is refused without being shown', () => {
  expect(resolvedValue('number: ${WORD}', environment)).toEqual([
    'number: expected a number, found text (from ${WORD})',
  ]);
  expect(resolvedValue('truth: ${WORD}', environment)).toEqual([
    'truth: expected true or false, found text (from ${WORD})',
  ]);
  expect(resolvedValue('numbers: ${LIST}', environment)).toContain(
    'numbers[0]: expected a number, found text (from ${LIST})',
  );
});

test.each(['hello', '', ' ', '[1]', '"a"', '5', 'true', 'null', '{"a": 1', "{'a': 1}"])(
  'for an object by names, %j is no JSON of one, or nothing',
  (text) => {
    const expected =
      text.trim() === '' ? { needed: 'as always', lists: {} } : ['record: what is in OBJECT is no object in JSON'];
    expect(resolvedValue('record: ${OBJECT}', { OBJECT: text })).toEqual(expected);
  },
);

test('what is wrong within such an object is told without its names', () => {
  const text = '{"secret-name": ["a"], "another-name": "a"}';
  expect(resolvedValue('record: ${OBJECT}', { OBJECT: text })).toEqual([
    'record: within it: expected a number, found a list (from ${OBJECT})',
    'record: within it: expected a number, found text (from ${OBJECT})',
  ]);
});

test('a list of nothing but commas is a mistake', () => {
  expect(resolvedValue('list: ${COMMAS}', environment)).toEqual(['list: the list in COMMAS has no items']);
});

describe('a field that guards something is not left out because a variable is not set', () => {
  const guarded = z.strictObject({
    audiences: z.array(z.string()).default([]),
    require: z.string().optional(),
    narrowing: z.array(z.string()).optional(),
    other: z.string().optional(),
  });
  const loadGuarded = createConfigLoader({ schema: guarded, check: () => [] });

  test.each(['audiences', 'require', 'narrowing'])('%s', (field) => {
    expect(loadGuarded(`${field}: "\${NONE}"`, {})).toMatchObject({
      ok: false,
      reason: [{ path: field, message: expect.stringContaining('NONE has no value') }],
    });
    expect(loadGuarded(`${field}: "\${NONE:-}"`, {})).toEqual({ ok: true, value: { audiences: [] } });
    expect(loadGuarded('other: "${NONE}"', {})).toEqual({ ok: true, value: { audiences: [] } });
  });
});

import { describe, expect, test } from 'vitest';
import type { Rule } from './boundary-rules.ts';
import { parseSource, readSources, type SourceFile } from './source-file.ts';
import { sizeRules, stateRules, styleRules } from './style-rules.ts';

const program = readSources('src/**/*.ts', 'bin/*.js', 'tools/**/*.{ts,js,mjs}');
const tests = readSources('test/**/*.ts');
const tables = tests.filter(({ path }) => path.endsWith('.test.ts'));
const everything = [...program, ...tests];

test('all files were read', () => {
  expect(program.length).toBeGreaterThan(90);
  expect(tables.length).toBeGreaterThan(50);
});

const violations = (files: readonly SourceFile[], rule: Rule): readonly string[] =>
  files.flatMap((file) => rule(file).map((violation) => `${file.path}: ${violation}`));

test.each(Object.entries(styleRules))('%s', (_name, rule) => {
  expect(violations(everything, rule)).toEqual([]);
});

test.each(Object.entries(sizeRules))('%s', (_name, rule) => {
  expect(violations([...program, ...tests.filter((file) => !tables.includes(file))], rule)).toEqual([]);
});

test.each(Object.entries(stateRules))('%s', (_name, rule) => {
  expect(violations(program, rule)).toEqual([]);
});

describe('each rule is seen to fail', () => {
  const rules: Readonly<Record<string, Rule>> = { ...styleRules, ...sizeRules, ...stateRules };
  const linesOf = (count: number, line = '  a();') => Array.from({ length: count }, () => line).join('\n');

  test.each([
    ['no escapes from the type checker, no syntax that is not JavaScript', 'const a: any = 1;'],
    [
      'no escapes from the type checker, no syntax that is not JavaScript',
      'const a = b as unknown as Map<string, any>;',
    ],
    ['no escapes from the type checker, no syntax that is not JavaScript', 'const a = b!;'],
    ['no escapes from the type checker, no syntax that is not JavaScript', 'enum A { B }'],
    ['no escapes from the type checker, no syntax that is not JavaScript', 'namespace A { const b = 1; }'],
    [
      'no escapes from the type checker, no syntax that is not JavaScript',
      'class A { constructor(private b: string) {} }',
    ],
    ['no escapes from the type checker, no syntax that is not JavaScript', '@b class A {}'],
    ['no escapes from the type checker, no syntax that is not JavaScript', 'export default 1;'],
    ['no escapes from the type checker, no syntax that is not JavaScript', "export * from './a.ts';"],
    ['no escapes from the type checker, no syntax that is not JavaScript', 'debugger;'],
    ['no comment silences a tool', '// @ts-ignore\na();'],
    ['no comment silences a tool', '/* @ts-expect-error */ a();'],
    ['no comment silences a tool', '// biome-ignore lint/a: b'],
    ['no comment silences a tool', '/* eslint-disable */'],
    ['no comment silences a tool', '// oxlint-disable-next-line a'],
    ['nothing is written to the console', 'console.log(1);'],
    ['nothing is written to the console', "const f = console['error'];"],
    ['whatever is left to do has an issue', '// TODO later'],
    ['whatever is left to do has an issue', '/** FIXME: 12 */'],
    ['no test is left out', "test.only('a', () => {});"],
    ['no test is left out', "test.skip('a', () => {});"],
    ['no test is left out', "describe.skip.each([1])('a', () => {});"],
    ['no test is left out', "it.todo('a');"],
    ['no test is left out', "test.concurrent.only('a', () => {});"],
    ['no module has a state', 'let a = 1;'],
    ['no module has a state', 'export let a = 1;'],
    ['no module has a state', 'var a = 1;'],
  ])('%s', (name, text) => {
    expect(rules[name]?.(parseSource('src/domain/x.ts', text))).toHaveLength(1);
  });

  test.each([
    ['const any = "any"; // any of them'],
    ['const a = "// @ts-ignore TODO console.log";'],
    ['const a = b !== c;'],
    ['// TODO #12: later'],
    ['// TODO (issue 12): later'],
    ["test.skipIf(a)('b', () => {}); context.skip(); list.only();"],
    ['const a = 1; function b() { let c = 1; return c; }'],
    ["export { a } from './a.ts'; import * as b from './b.ts';"],
  ])('what is right passes: %s', (text) => {
    expect(Object.values(rules).flatMap((rule) => rule(parseSource('src/domain/x.ts', text)))).toEqual([]);
  });

  test.each([
    ['a file of 301 lines', 'files are short', linesOf(301)],
    ['a function of 61 lines', 'functions are short', `function a() {\n${linesOf(59)}\n}`],
    ['an arrow function of 61 lines', 'functions are short', `const a = () => {\n${linesOf(59)}\n};`],
    ['a method of 61 lines', 'functions are short', `class A {\n  b() {\n${linesOf(59)}\n  }\n}`],
    ['one of 61 with one inside', 'functions are short', `function a() {\n  b(() => {\n  c();\n});\n${linesOf(58)}\n}`],
    ['one of 61 inside another', 'functions are short', `function a() {\n  b(() => {\n${linesOf(59)}\n});\n}`],
  ])('%s', (_what, name, text) => {
    expect(rules[name]?.(parseSource('src/domain/x.ts', text))).toHaveLength(1);
  });

  test.each([
    ['a file of 300 lines', linesOf(300)],
    ['a function of 60 lines', `function a() {\n${linesOf(58)}\n}`],
    ['two of 60 inside one', `function a() {\n  b(() => {\n${linesOf(58)}\n});\n  b(() => {\n${linesOf(58)}\n});\n}`],
  ])('%s passes', (_what, text) => {
    expect(Object.values(rules).flatMap((rule) => rule(parseSource('src/domain/x.ts', text)))).toEqual([]);
  });
});

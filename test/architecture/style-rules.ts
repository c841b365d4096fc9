import type { Rule } from './boundary-rules.ts';
import { identifierName, isNode, lineOf, type SourceFile, type SyntaxNode } from './source-file.ts';

const fileLinesMax = 300;
const functionLinesMax = 60;

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const unwanted: Readonly<Record<string, string>> = {
  TSAnyKeyword: 'any',
  TSNonNullExpression: 'a non-null assertion',
  TSEnumDeclaration: 'an enum',
  TSModuleDeclaration: 'a namespace',
  TSParameterProperty: 'a parameter property',
  Decorator: 'a decorator',
  ExportDefaultDeclaration: 'a default export',
  ExportAllDeclaration: 'a barrel',
  DebuggerStatement: 'a debugger statement',
};

const at = ({ text }: SourceFile, { start }: SyntaxNode): string => `line ${lineOf(text, start)}`;

/** `declare module 'vitest'`, the only way to say what tests are provided with; it is types alone. */
const isAugmentation = (node: SyntaxNode): boolean =>
  node.type === 'TSModuleDeclaration' && isNode(node['id']) && node['id'].type === 'Literal';

const isConsole = (node: SyntaxNode): boolean =>
  node.type === 'MemberExpression' && identifierName(node['object']) === 'console';

/** `test.only`, `describe.skip.each`, `test.todo` and the like; `skipIf` and `runIf` say when, and are fine. */
function leavesTestsOut(node: SyntaxNode): boolean {
  if (node.type !== 'MemberExpression' || !isNode(node['object'])) return false;
  const name = identifierName(node['property']) ?? '';
  return /^(only|skip|todo|fails)$/.test(name) && /^(test|it|describe|suite)\b/.test(firstName(node['object']));
}

function firstName(node: SyntaxNode): string {
  const inner = node['object'];
  return isNode(inner) ? firstName(inner) : (identifierName(node) ?? '');
}

const linesBetween = ({ text }: SourceFile, { start, end }: SyntaxNode): number =>
  text.slice(start, end).split('\n').length;

/** The lines of a function without those of the functions inside it, which are counted by themselves. */
function ownLines(file: SourceFile, outer: SyntaxNode): number {
  const inside = file.nodes.filter(
    (node) => functionTypes.has(node.type) && node.start > outer.start && node.end < outer.end,
  );
  const outermost = inside.filter((node) => !inside.some((other) => other.start < node.start && other.end >= node.end));
  return outermost.reduce((lines, node) => lines - linesBetween(file, node) + 1, linesBetween(file, outer));
}

/** For sources and tests alike. */
export const styleRules: Readonly<Record<string, Rule>> = {
  'no escapes from the type checker, no syntax that is not JavaScript': (file) =>
    file.nodes.flatMap((node) => {
      const what = isAugmentation(node) ? undefined : unwanted[node.type];
      return what === undefined ? [] : [`${at(file, node)} has ${what}`];
    }),

  'no comment silences a tool': ({ comments }) =>
    comments.filter((comment) => /@ts-|biome-ignore|(oxlint|eslint)-(disable|enable)|v8 ignore/.test(comment)),

  'nothing is written to the console': (file) =>
    file.nodes.filter((node) => isConsole(node)).map((node) => `${at(file, node)} writes to the console`),

  'whatever is left to do has an issue': ({ comments }) =>
    comments.filter((comment) => /\b(TODO|FIXME|XXX|HACK)\b(?!.*(#|issue )\d+)/.test(comment)),

  'no test is left out': (file) =>
    file.nodes.filter((node) => leavesTestsOut(node)).map((node) => `${at(file, node)} leaves a test out`),
};

/** For everything but the tables of cases that tests are. */
export const sizeRules: Readonly<Record<string, Rule>> = {
  'files are short': ({ text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > fileLinesMax ? [`has ${lines} lines`] : [];
  },

  'functions are short': (file) =>
    file.nodes
      .filter((node) => functionTypes.has(node.type))
      .map((node) => ({ node, lines: ownLines(file, node) }))
      .filter(({ lines }) => lines > functionLinesMax)
      .map(({ node, lines }) => `${at(file, node)} begins a function of ${lines} lines`),
};

/** For the program only. */
export const stateRules: Readonly<Record<string, Rule>> = {
  'no module has a state': (file) => {
    const [program] = file.nodes;
    const statements = Array.isArray(program?.['body']) ? program['body'].filter(isNode) : [];
    return statements
      .map((statement) => (isNode(statement['declaration']) ? statement['declaration'] : statement))
      .filter((node) => node.type === 'VariableDeclaration' && node['kind'] !== 'const')
      .map((node) => `${at(file, node)} can be changed`);
  },
};

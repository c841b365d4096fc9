import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** A part of the syntax tree (ESTree with TypeScript's additions), with what is needed to tell what it is. */
export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
};

/** Something that a file imports, types and dynamic imports included. */
export type Import = {
  readonly specifier: string;
  readonly isRelative: boolean;
  /** Where a relative one leads, from the top of the repository. */
  readonly target: string;
  /** Nothing of it is left when the program runs. */
  readonly isTypeOnly: boolean;
};

export type SourceFile = {
  /** From the top of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly nodes: readonly SyntaxNode[];
  readonly comments: readonly string[];
  readonly imports: readonly Import[];
};

const root = new URL('../../', import.meta.url);

export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be read: ${errors[0]?.message}`);
  const nodes: SyntaxNode[] = [];
  collect(program, nodes);
  return { path, text, nodes, comments: comments.map(({ value }) => value), imports: importsOf(nodes, path) };
}

const importsOf = (nodes: readonly SyntaxNode[], path: string): readonly Import[] =>
  nodes.flatMap((node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return [];
    const isTypeOnly = node['importKind'] === 'type' || node['exportKind'] === 'type' || node.type === 'TSImportType';
    const target = posix.join(posix.dirname(path), specifier);
    return [{ specifier, isRelative: specifier.startsWith('.'), target, isTypeOnly }];
  });

/** Every file of the given patterns, parsed. */
export const readSources = (...patterns: readonly string[]): readonly SourceFile[] =>
  patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => parseSource(path, readText(path)));

export const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The line that a place in the text is in, from 1. */
export const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length;

export const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** The text of a literal, and nothing for every other part. */
export const literalText = (value: unknown): string | undefined =>
  isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string' ? value['value'] : undefined;

export const identifierName = (value: unknown): string | undefined =>
  isNode(value) && value.type === 'Identifier' && typeof value['name'] === 'string' ? value['name'] : undefined;

function collect(value: unknown, nodes: SyntaxNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, nodes);
  } else if (isNode(value)) {
    nodes.push(value);
    for (const field of Object.values(value)) collect(field, nodes);
  }
}

function specifierOf(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literalText(node['source']);
    case 'CallExpression':
      return identifierName(node['callee']) === 'require' ? literalText(firstOf(node['arguments'])) : undefined;
    default:
      return undefined;
  }
}

export const firstOf = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined);

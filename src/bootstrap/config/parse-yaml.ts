import {
  CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import type { ConfigEntry, ConfigNode } from './config-tree.ts';
import type { ConfigPath, Finding, Position } from './problem.ts';
import { unquotedReferences } from './unquoted-references.ts';
import { unquotedReferenceFault, yamlFaults } from './yaml-faults.ts';

/** Ten times what a large config needs; no text of this size keeps the parser busy for longer than a second. */
export const fileBytesMax = 128 * 1024;
export const depthMax = 64;
/** Counted with aliases followed, so that a few lines of them cannot stand for billions. */
export const valuesMax = 10_000;
/** One slip in the syntax makes many faults; the first few say it all. */
const syntaxFindingsMax = 10;

export type ParsedYaml = {
  readonly root: ConfigNode;
  /** What is wrong with single keys and values though the syntax is right. */
  readonly findings: readonly Finding[];
};

/** Reads one YAML 1.2 document, core schema. Refused when its syntax is wrong or it is over a limit. */
export function parseYaml(text: string): Verdict<ParsedYaml, readonly Finding[]> {
  const bytes = Buffer.byteLength(text);
  if (bytes > fileBytesMax) {
    return refused([{ path: [], message: `the file has ${bytes} bytes, a config has at most ${fileBytesMax}` }]);
  }
  const deep = tooDeep(text);
  if (deep) return refused([{ path: [], at: deep, message: tooDeepMessage }]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    // Duplicates are found while reading: the library compares every key with every other one.
    uniqueKeys: false,
    prettyErrors: false,
    merge: false,
    version: '1.2',
    schema: 'core',
  });
  const faults = syntaxFindings(document, lines, text);
  return faults.length > 0 ? refused(faults) : readTree(document, lines);
}

const tooDeepMessage = `nested more than ${depthMax} levels deep`;

/**
 * Where the text first nests too deeply, looked for before the parser sees it, which recurses. Brackets count until
 * they close, indicators ("- - - a") until their line ends; what indentation can do is bounded by the size of the file.
 */
function tooDeep(text: string): Position | undefined {
  let brackets = 0;
  let indicators = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer's own signs are not in the text.
    if (lexeme === CST.DOCUMENT || lexeme === CST.SCALAR || lexeme === CST.FLOW_END) continue;
    const type = CST.tokenType(lexeme) ?? '';
    brackets += bracketSteps[type] ?? 0;
    if (type === 'newline') indicators = 0;
    // Within brackets every pair has its ":", none of them deeper than the one before it.
    if (isIndicator(type) || (type === 'map-value-ind' && brackets === 0)) indicators += 1;
    if (brackets + indicators > depthMax) {
      const before = text.slice(0, offset).split('\n');
      return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    }
    offset += lexeme.length;
  }
  return undefined;
}

const bracketSteps: Readonly<Record<string, number>> = {
  'flow-map-start': 1,
  'flow-seq-start': 1,
  'flow-map-end': -1,
  'flow-seq-end': -1,
};

const isIndicator = (type: string): boolean => type === 'seq-item-ind' || type === 'explicit-key-ind';

/**
 * One a line: what follows the first fault of a line is mostly its consequence. What follows a reference without quotes
 * is one down to the end of the file.
 */
function syntaxFindings({ errors, warnings }: Document, lines: LineCounter, text: string): readonly Finding[] {
  const faults = [...errors, ...warnings].map(({ pos: [offset], code }) => ({ offset, message: yamlFaults[code] }));
  const references = errors.length === 0 ? [] : unquotedReferences(text);
  const [first = Number.POSITIVE_INFINITY] = references;
  const told = [
    ...faults.filter(({ offset }) => offset < first).toSorted((a, b) => a.offset - b.offset),
    ...references.map((offset) => ({ offset, message: unquotedReferenceFault })),
  ];
  const byLine = new Map<number, Finding>();
  for (const { offset, message } of told) {
    const at = positionAt(lines, offset);
    if (!byLine.has(at.line)) byLine.set(at.line, { path: [], at, message });
  }
  return [...byLine.values()].slice(0, syntaxFindingsMax);
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

type Reading = {
  readonly document: Document;
  readonly at: (node: Node) => Position;
  readonly findings: Finding[];
  values: number;
};

function readTree(document: Document, lines: LineCounter): Verdict<ParsedYaml, readonly Finding[]> {
  const findings: Finding[] = [];
  const reading = { document, at: (node: Node) => positionAt(lines, node.range?.[0] ?? 0), findings, values: 0 };
  const root = readNode(document.contents, { line: 1, column: 1 }, [], reading);
  if (reading.values <= valuesMax) return allowed({ root, findings });
  return refused([{ path: [], message: `more than ${valuesMax} values, aliases followed` }]);
}

/** @param above where an empty value stands. */
function readNode(node: unknown, above: Position, path: ConfigPath, reading: Reading): ConfigNode {
  const nothing: ConfigNode = { kind: 'scalar', value: null, at: above };
  reading.values += 1;
  if (reading.values > valuesMax) return nothing;
  const fail = (at: Position, message: string): ConfigNode => {
    reading.findings.push({ path, at, message });
    return nothing;
  };
  if (isAlias(node)) {
    const target = node.resolve(reading.document);
    return target ? readNode(target, above, path, reading) : fail(reading.at(node), 'no anchor of this name before it');
  }
  if (isScalar(node)) return readScalar(node.value, reading.at(node), fail);
  if (!isMap(node) && !isSeq(node)) return nothing;
  const at = reading.at(node);
  if (path.length >= depthMax) return fail(at, tooDeepMessage);
  if (isMap(node)) return { kind: 'map', entries: readEntries(node, path, reading), at };
  return {
    kind: 'list',
    items: node.items.map((item, index) => readNode(item, at, [...path, index], reading)),
    at,
  };
}

function readScalar(value: unknown, at: Position, fail: (at: Position, message: string) => ConfigNode): ConfigNode {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'scalar', value, at };
  }
  return fail(at, 'a value is text, a number, true or false; leave the tag away');
}

function readEntries(map: YAMLMap, path: ConfigPath, reading: Reading): ReadonlyMap<string, ConfigEntry> {
  const entries = new Map<string, ConfigEntry>();
  for (const { key, value } of map.items) {
    const keyAt = isScalar(key) ? reading.at(key) : reading.at(map);
    const name = isScalar(key) ? keyName(key.value, key.source) : undefined;
    const first = name === undefined ? undefined : entries.get(name);
    if (name === undefined) {
      reading.findings.push({ path, at: keyAt, message: 'a key must be text' });
    } else if (first) {
      const message = `given twice, first in line ${first.keyAt.line}`;
      reading.findings.push({ path: [...path, name], at: keyAt, message });
    } else {
      entries.set(name, { keyAt, node: readNode(value, keyAt, [...path, name], reading) });
    }
  }
  return entries;
}

/** As it is written: `0001` is a name like any other. `__proto__` would be no key of a record, so it is none. */
function keyName(value: unknown, source: string | undefined): string | undefined {
  const name = typeof value === 'string' ? value : source;
  return value === null || name === '__proto__' ? undefined : name;
}

import { splitList } from '../../domain/variables.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import type { ConfigNode } from './config-tree.ts';
import { type FieldShape, mayBeAbsent, shapeBelow } from './field-shape.ts';
import { type ConfigPath, type Finding, pathText } from './problem.ts';
import { parseReferences, type Reference, type ScalarPart } from './reference.ts';

/** The process's environment, or a stand-in for it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type ResolvedConfig = {
  /** What the schema validates. */
  readonly value: unknown;
  /** Names of the environment variables that a scalar came from, by its path's text. */
  readonly origins: ReadonlyMap<string, readonly string[]>;
  /** Every text that came out of the environment, with its variable. */
  readonly taken: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
};

/**
 * Puts the environment's values in the place of `${NAME}` in scalars, never in keys, and never reads them again: quotes,
 * line breaks and `${` in a value are its text. A scalar that is one whole reference takes the type of its field; a list
 * takes comma text. An empty variable counts as unset; unset without a default, an optional field is absent.
 */
export function resolveReferences(root: ConfigNode, shape: FieldShape, environment: Environment): ResolvedConfig {
  const resolving = { environment, origins: new Map(), taken: new Map(), findings: [] };
  const value = resolveNode(root, shape, [], false, resolving);
  return { value: value === absent ? undefined : value, ...resolving };
}

type Resolving = {
  readonly environment: Environment;
  readonly origins: Map<string, readonly string[]>;
  readonly taken: Map<string, string>;
  readonly findings: Finding[];
};

/** A field that is as if it were not in the file. */
const absent = Symbol('absent');

function resolveNode(
  node: ConfigNode,
  shape: FieldShape,
  path: ConfigPath,
  optional: boolean,
  resolving: Resolving,
): unknown {
  if (node.kind === 'scalar') {
    return typeof node.value === 'string' ? resolveText(node.value, shape, path, optional, resolving) : node.value;
  }
  if (node.kind === 'list') {
    return node.items.map((item, index) => {
      const value = resolveNode(item, shapeBelow(shape, index), [...path, index], false, resolving);
      return value === absent ? undefined : value;
    });
  }
  const record: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    const below = [...path, key];
    const value = resolveNode(entry.node, shapeBelow(shape, key), below, mayBeAbsent(shape, key), resolving);
    if (value !== absent) record[key] = value;
  }
  return record;
}

function resolveText(
  text: string,
  shape: FieldShape,
  path: ConfigPath,
  optional: boolean,
  resolving: Resolving,
): unknown {
  const parsed = parseReferences(text);
  if (!parsed.ok) {
    resolving.findings.push({ path, message: parsed.reason });
    return absent;
  }
  const references = parsed.value.filter((part) => part.kind === 'reference');
  if (references.length > 0) takeNote(references, path, resolving);
  const whole = references.length === 1 && parsed.value.length === 1;
  const filled = fill(parsed.value, resolving.environment);
  if (whole && optional && (!filled.ok || filled.value === '')) return absent;
  if (filled.ok) return whole ? typed(filled.value, shape) : filled.value;
  const message = `the environment variable ${filled.reason} is not set, and has no default (\${${filled.reason}:-default})`;
  resolving.findings.push({ path, message });
  return absent;
}

function takeNote(
  references: readonly Reference[],
  path: ConfigPath,
  { environment, origins, taken }: Resolving,
): void {
  origins.set(pathText(path), [...new Set(references.map(({ name }) => name))]);
  for (const { name } of references) {
    const value = variable(environment, name);
    for (const text of value === undefined ? [] : [value, ...splitList(value, ',')]) taken.set(text, name);
  }
}

/** Refused with the name of a variable that has neither a value nor a default. */
function fill(parts: readonly ScalarPart[], environment: Environment): Verdict<string> {
  let text = '';
  for (const part of parts) {
    const value = part.kind === 'text' ? part.text : (variable(environment, part.name) ?? part.fallback);
    if (value === undefined) return refused(part.kind === 'text' ? '' : part.name);
    text += value;
  }
  return allowed(text);
}

function variable(environment: Environment, name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value === '' ? undefined : value;
}

/** The text as its field's type, or as it is where that cannot be: the schema says what is wrong with it. */
function typed(text: string, shape: FieldShape): unknown {
  if (shape.some((schema) => takesText(schema, text))) return text;
  if (/^(true|false)$/.test(text) && shape.some(({ type }) => type === 'boolean')) return text === 'true';
  if (isNumber(text) && shape.some(({ type }) => type === 'number' || type === 'integer')) return Number(text);
  const list = shape.find(({ type }) => type === 'array');
  if (!list) return text;
  return splitList(text, ',').map((item) => typed(item, shapeBelow([list], 0)));
}

/** A field of a few fixed texts leaves the others to its other alternatives, such as true and false. */
const takesText = (schema: FieldShape[number], text: string): boolean =>
  schema.type === 'string' && (schema.enum?.includes(text) ?? (schema.const === undefined || schema.const === text));

const isNumber = (text: string): boolean => /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text);

import { splitList } from '../../domain/variables.ts';
import type { ConfigNode } from './config-tree.ts';
import { type FieldShape, mayBeAbsent, shapeBelow } from './field-shape.ts';
import { type ConfigPath, type Finding, pathText } from './problem.ts';
import { type Environment, fillReferences, parseReferences, referencedNames, variableOf } from './reference.ts';

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
 * Puts the environment's values in the place of `${NAME}` in scalars, never in keys, and never reads them again: line
 * breaks, quotes and `${` in a value are its text. A scalar that is one whole reference takes the type of its field; a
 * list takes comma text, an object by names JSON. An empty variable counts as unset. Unset and without a default, an optional field is absent,
 * except where its absence would open something.
 */
export function resolveReferences(root: ConfigNode, shape: FieldShape, environment: Environment): ResolvedConfig {
  const resolving = { environment, origins: new Map(), taken: new Map(), findings: [] };
  const value = resolveNode(root, shape, [], 'never', resolving);
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

/** When a field that is one reference is absent: never, when the reference says so by `:-`, or when it has no value. */
type Absence = 'never' | 'when-said' | 'when-unset';

/** Fields that keep something out or apart. A variable that somebody forgot to set must not take one of them away. */
export const guards: ReadonlySet<string> = new Set([
  ...['issuers', 'audiences', 'algorithms', 'requiredVariables', 'jwks', 'x509', 'pem', 'pemFile', 'secret'],
  ...['membership', 'members', 'credentials', 'identityOnly', 'require', 'checks', 'when', 'allow', 'deny'],
  ...['stream', 'key', 'narrowing', 'under'],
]);

const absenceOf = (shape: FieldShape, key: string): Absence =>
  !mayBeAbsent(shape, key) ? 'never' : guards.has(key) ? 'when-said' : 'when-unset';

function resolveNode(
  node: ConfigNode,
  shape: FieldShape,
  path: ConfigPath,
  absence: Absence,
  resolving: Resolving,
): unknown {
  if (node.kind === 'scalar') {
    return typeof node.value === 'string' ? resolveText(node.value, shape, path, absence, resolving) : node.value;
  }
  if (node.kind === 'list') {
    return node.items.map((item, index) => {
      const value = resolveNode(item, shapeBelow(shape, index), [...path, index], 'never', resolving);
      return value === absent ? undefined : value;
    });
  }
  const record: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    const below = [...path, key];
    const value = resolveNode(entry.node, shapeBelow(shape, key), below, absenceOf(shape, key), resolving);
    if (value !== absent) record[key] = value;
  }
  return record;
}

function resolveText(
  text: string,
  shape: FieldShape,
  path: ConfigPath,
  absence: Absence,
  resolving: Resolving,
): unknown {
  const parsed = parseReferences(text);
  if (!parsed.ok) {
    resolving.findings.push({ path, message: parsed.reason });
    return absent;
  }
  const names = referencedNames(parsed.value);
  if (names.length > 0) takeNote(names, path, resolving);
  const filled = fillReferences(parsed.value, resolving.environment);
  const whole = parsed.value.length === 1 && parsed.value[0]?.kind === 'reference';
  if (!filled.ok) {
    if (whole && absence === 'when-unset') return absent;
    const name = filled.reason;
    const message = `the environment variable ${name} has no value, and the reference no default: \${${name}:-default}`;
    resolving.findings.push({ path, message });
    return absent;
  }
  if (!whole) return filled.value;
  if (filled.value === '' && absence !== 'never') return absent;
  const value = typed(filled.value, shape);
  if (filled.value !== '' && Array.isArray(value) && value.length === 0) {
    resolving.findings.push({ path, message: `the list in ${names.join(', ')} has no items` });
  }
  return typeof value === 'string' && isForObject(shape, value) ? jsonObject(value, names, path, resolving) : value;
}

function takeNote(names: readonly string[], path: ConfigPath, { environment, origins, taken }: Resolving): void {
  origins.set(pathText(path), names);
  for (const name of names) {
    const value = variableOf(environment, name);
    for (const text of value === undefined ? [] : [value, ...splitList(value, ',')]) taken.set(text, name);
  }
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

/** Whether a field wants names that the file does not know, and no text. */
const isForObject = (shape: FieldShape, text: string): boolean =>
  shape.some(({ type, additionalProperties }) => type === 'object' && typeof additionalProperties === 'object') &&
  !shape.some((schema) => takesText(schema, text));

function jsonObject(text: string, names: readonly string[], path: ConfigPath, { findings, taken }: Resolving): unknown {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    findings.push({ path, message: `what is in ${names.join(', ')} is no object in JSON` });
    return absent;
  }
  for (const each of textsIn(value)) taken.set(each, names[0] ?? '');
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names and texts of a JSON value, however deep. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return [...names, ...Object.values(value).flatMap(textsIn)];
}

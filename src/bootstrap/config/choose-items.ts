import type { ConfigEntry, ConfigNode } from './config-tree.ts';
import { type FieldShape, knownKeys, shapeBelow } from './field-shape.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { type Environment, fillReferences, parseReferences } from './reference.ts';

export type ChosenItems = { readonly root: ConfigNode; readonly findings: readonly Finding[] };

/**
 * Leaves out what has `onlyIf` without a value, or `unless` with one, where the schema knows these keys: items of lists
 * and of sections by name, whole sections. Nothing else in them is asked for. Positions in paths count what is left. Where
 * nothing is left of a list, that is a finding.
 */
export function chooseItems(root: ConfigNode, shape: FieldShape, environment: Environment): ChosenItems {
  const findings: Finding[] = [];
  return { root: chooseBelow(root, shape, [], { environment, findings }), findings };
}

type Choosing = { readonly environment: Environment; readonly findings: Finding[] };

function chooseBelow(node: ConfigNode, shape: FieldShape, path: ConfigPath, choosing: Choosing): ConfigNode {
  if (node.kind === 'scalar') return node;
  if (node.kind === 'list') {
    const below = shapeBelow(shape, 0);
    const left = node.items.filter((item, index) => isChosen(item, below, [...path, index], choosing));
    if (left.length === 0 && node.items.length > 0)
      choosing.findings.push({ path, message: noneLeft(node.items.length) });
    return { ...node, items: left.map((item, index) => chooseBelow(item, below, [...path, index], choosing)) };
  }
  const mayChoose = isChoosable(shape);
  const entries = new Map<string, ConfigEntry>();
  for (const [key, entry] of node.entries) {
    const place = [...path, key];
    const below = shapeBelow(shape, key);
    if ((mayChoose && choiceKeys.has(key)) || !isChosen(entry.node, below, place, choosing)) continue;
    entries.set(key, { ...entry, node: chooseBelow(entry.node, below, place, choosing) });
  }
  return { ...node, entries };
}

const choiceKeys: ReadonlySet<string> = new Set(['onlyIf', 'unless']);

const isChoosable = (shape: FieldShape): boolean => knownKeys(shape).includes('onlyIf');

function noneLeft(count: number): string {
  const all = count === 1 ? 'the only item is' : `all ${count} items are`;
  return `${all} left out by onlyIf or unless; set the variables of one, or give one that needs none`;
}

function isChosen(item: ConfigNode, shape: FieldShape, path: ConfigPath, choosing: Choosing): boolean {
  if (item.kind !== 'map' || !isChoosable(shape)) return true;
  const values = (key: string): readonly boolean[] => {
    const node = item.entries.get(key)?.node;
    if (node === undefined) return [];
    return (node.kind === 'list' ? node.items : [node]).map((each) => hasValue(each, [...path, key], choosing));
  };
  return values('onlyIf').every((value) => value) && !values('unless').some((value) => value);
}

function hasValue(node: ConfigNode, path: ConfigPath, { environment, findings }: Choosing): boolean {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return true;
  const parts = parseReferences(node.value);
  if (!parts.ok) {
    findings.push({ path, at: node.at, message: parts.reason });
    return false;
  }
  const filled = fillReferences(parts.value, environment);
  return filled.ok && filled.value !== '';
}

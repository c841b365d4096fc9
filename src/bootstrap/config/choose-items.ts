import type { ConfigEntry, ConfigNode } from './config-tree.ts';
import { type FieldShape, knownKeys, shapeBelow } from './field-shape.ts';
import type { Finding } from './problem.ts';
import { type Environment, fillReferences, parseReferences } from './reference.ts';

export type ChosenItems = { readonly root: ConfigNode; readonly findings: readonly Finding[] };

/**
 * Leaves out the items of lists whose `onlyIf` has no value, or whose `unless` has one, so that nothing else in them is
 * asked for. Positions in paths count what is left. Where nothing is left of a list, that is a finding.
 */
export function chooseItems(root: ConfigNode, shape: FieldShape, environment: Environment): ChosenItems {
  if (root.kind !== 'map') return { root, findings: [] };
  const findings: Finding[] = [];
  const entries = [...root.entries].map(([key, entry]): readonly [string, ConfigEntry] => {
    const { node } = entry;
    const mayChoose = knownKeys(shapeBelow(shapeBelow(shape, key), 0)).includes('onlyIf');
    if (node.kind !== 'list' || !mayChoose) return [key, entry];
    const items = node.items.filter((item) => isChosen(item, environment)).map(withoutChoice);
    if (items.length === 0 && node.items.length > 0)
      findings.push({ path: [key], message: noneLeft(node.items.length) });
    return [key, { ...entry, node: { ...node, items } }];
  });
  return { root: { ...root, entries: new Map(entries) }, findings };
}

function noneLeft(count: number): string {
  const all = count === 1 ? 'the only item is' : `all ${count} items are`;
  return `${all} left out by onlyIf or unless; set the variables of one, or give one that needs none`;
}

function isChosen(item: ConfigNode, environment: Environment): boolean {
  if (item.kind !== 'map') return true;
  const values = (key: string): readonly boolean[] => {
    const node = item.entries.get(key)?.node;
    if (node === undefined) return [];
    return (node.kind === 'list' ? node.items : [node]).map((each) => hasValue(each, environment));
  };
  return values('onlyIf').every((value) => value) && !values('unless').some((value) => value);
}

function hasValue(node: ConfigNode, environment: Environment): boolean {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return true;
  const parts = parseReferences(node.value);
  const filled = parts.ok ? fillReferences(parts.value, environment) : undefined;
  return filled?.ok === true && filled.value !== '';
}

function withoutChoice(item: ConfigNode): ConfigNode {
  if (item.kind !== 'map') return item;
  return { ...item, entries: new Map([...item.entries].filter(([key]) => key !== 'onlyIf' && key !== 'unless')) };
}

import type { ConfigEntry, ConfigNode } from './config-tree.ts';
import { type FieldShape, knownKeys, shapeBelow } from './field-shape.ts';
import { type Environment, fillReferences, parseReferences } from './reference.ts';

/**
 * Leaves out the items of lists whose `onlyIf` has no value, or whose `unless` has one, so that nothing else in them is
 * asked for. Positions in paths count what is left.
 */
export function chooseItems(root: ConfigNode, shape: FieldShape, environment: Environment): ConfigNode {
  if (root.kind !== 'map') return root;
  const entries = [...root.entries].map(([key, entry]): readonly [string, ConfigEntry] => {
    const { node } = entry;
    const mayChoose = knownKeys(shapeBelow(shapeBelow(shape, key), 0)).includes('onlyIf');
    if (node.kind !== 'list' || !mayChoose) return [key, entry];
    const items = node.items.filter((item) => isChosen(item, environment)).map(withoutChoice);
    return [key, { ...entry, node: { ...node, items } }];
  });
  return { ...root, entries: new Map(entries) };
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

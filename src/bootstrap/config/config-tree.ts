import type { ConfigPath, Position } from './problem.ts';

/** A config file's values, each with its place in the file. */
export type ConfigNode =
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null; readonly at: Position }
  | { readonly kind: 'list'; readonly items: readonly ConfigNode[]; readonly at: Position }
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, ConfigEntry>; readonly at: Position };

export type ConfigEntry = { readonly keyAt: Position; readonly node: ConfigNode };

/**
 * Where a path stands in the file: a section at its key, since its values begin on a line of their own.
 * What is not there stands where the nearest thing above it does.
 */
export function locate(root: ConfigNode, path: ConfigPath, of: 'key' | 'value' = 'value'): Position {
  let node: ConfigNode = root;
  let at = root.at;
  for (const [depth, part] of path.entries()) {
    const entry: ConfigEntry | undefined = entryOf(node, part);
    if (!entry) break;
    const atKey = entry.node.kind !== 'scalar' || (of === 'key' && depth === path.length - 1);
    at = atKey ? entry.keyAt : entry.node.at;
    node = entry.node;
  }
  return at;
}

function entryOf(node: ConfigNode, part: string | number): ConfigEntry | undefined {
  if (node.kind === 'map') return node.entries.get(String(part));
  const item = node.kind === 'list' && typeof part === 'number' ? node.items[part] : undefined;
  return item && { keyAt: item.at, node: item };
}

import type { CelInput } from '@bufbuild/cel';

/**
 * What a condition sees of a JavaScript value. Objects and maps become maps of their own entries, so that nothing is
 * ever read from a prototype and no claim's name (`constructor`, `$typeName`) is taken for a type; numbers become
 * doubles, which CEL compares with whole numbers; what JSON has no word for (`undefined`, functions) is left out.
 */
export function celValue(value: unknown): CelInput {
  const converted = convert(value);
  return converted === undefined ? null : converted;
}

function convert(value: unknown): CelInput | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (typeof value === 'bigint') return value;
  return typeof value === 'object' ? convertObject(value) : undefined;
}

function convertObject(value: object): CelInput {
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(celValue);
  if (value instanceof Set) return [...value].map(celValue);
  const entries: Iterable<readonly [unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  const map = new Map<string, CelInput>();
  for (const [name, item] of entries) {
    const converted = convert(item);
    if (converted !== undefined) map.set(String(name), converted);
  }
  return map;
}

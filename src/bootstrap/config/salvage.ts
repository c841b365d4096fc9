import { z } from 'zod';
import type { Mistake } from './find-mistakes.ts';
import { type ConfigPath, pathText } from './problem.ts';

/**
 * A config of which what is wrong by itself is missing; what is left of its lists stands where it stood. A section that
 * the file leaves out is there, and `undefined`.
 */
export type ConfigDraft<C> = {
  readonly [K in keyof C]?: C[K] extends readonly (infer Item)[] ? readonly (Item | undefined)[] : C[K];
};

/**
 * What is right of a config with mistakes, so that it can be looked at further: every section that is right by itself,
 * of lists every item, of an adapter every field. Unknown keys are left away.
 */
export function salvage(
  shape: Readonly<Record<string, z.ZodType>>,
  value: unknown,
  mistakes: readonly Mistake[],
): Readonly<Record<string, unknown>> {
  const unknownKeys = mistakes.flatMap(({ code, path }) => (code === 'unrecognized_keys' ? [path] : []));
  const known = without(value, unknownKeys);
  const sections = isRecord(known) ? known : {};
  const byItem = Map.groupBy(mistakes, ({ path }) => pathText(path.slice(0, 2)));
  const draft: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(shape)) {
    const section = Object.hasOwn(sections, key) ? sections[key] : undefined;
    const whole = schema.safeParse(section);
    if (whole.success) draft[key] = whole.data;
    else if (Array.isArray(section) && isList(schema)) {
      draft[key] = section.map((item, index) => {
        const paths = byItem.get(pathText([key, index])) ?? [];
        return salvageItem(
          schema,
          item,
          paths.map(({ path }) => path.slice(2)),
        );
      });
    }
  }
  return draft;
}

const isList = (schema: z.ZodType): boolean =>
  (schema instanceof z.ZodDefault ? schema.unwrap() : schema) instanceof z.ZodArray;

/** @param mistakes of an adapter: `[kind, field, …]`. */
function salvageItem(list: z.ZodType, item: unknown, mistakes: readonly ConfigPath[]): unknown {
  const right = parseItem(list, item);
  if (right !== undefined) return right;
  const fields = mistakes.map((path) => path.slice(0, 2)).filter((path) => path.length === 2);
  const adapter = parseItem(list, without(item, fields));
  // What was left away has its default now, which says nothing about the config.
  return without(
    adapter,
    fields.map(([, field = '']) => ['settings', field]),
  );
}

function parseItem(list: z.ZodType, item: unknown): unknown {
  const parsed = list.safeParse([item]);
  return parsed.success && Array.isArray(parsed.data) ? parsed.data[0] : undefined;
}

/** The value without the keys at these paths; lists keep all their items. */
function without(value: unknown, paths: readonly ConfigPath[]): unknown {
  const left = new Set(paths.map(pathText));
  const copy = (each: unknown, path: ConfigPath): unknown => {
    if (Array.isArray(each)) return each.map((item, index) => copy(item, [...path, index]));
    if (!isRecord(each)) return each;
    const entries = Object.entries(each).filter(([key]) => !left.has(pathText([...path, key])));
    return Object.fromEntries(entries.map(([key, below]) => [key, copy(below, [...path, key])]));
  };
  return left.size === 0 ? value : copy(value, []);
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

import { z } from 'zod';
import type { Mistake } from './find-mistakes.ts';
import type { ConfigPath } from './problem.ts';

/**
 * A config of which what is wrong by itself is missing; what is left of its lists stands where it stood. A section that
 * the file leaves out is there, and `undefined`.
 */
export type ConfigDraft<C> = {
  readonly [K in keyof C]?: C[K] extends readonly (infer Item)[] ? readonly (Item | undefined)[] : C[K];
};

type Values = Readonly<Record<string, unknown>>;

/**
 * What is right of a config with mistakes, so that it can be looked at further: every section that is right by itself, of
 * lists every item, of an adapter every field. Unknown keys are left away.
 */
export function salvage(
  shape: Readonly<Record<string, z.ZodType>>,
  value: unknown,
  mistakes: readonly Mistake[],
): Readonly<Record<string, unknown>> {
  const unknown = mistakes.filter(({ code }) => code === 'unrecognized_keys');
  const sections = unknown.reduce((left, { path }) => without(left, path), value);
  const draft: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(shape)) {
    const section = isRecord(sections) && Object.hasOwn(sections, key) ? sections[key] : undefined;
    const whole = schema.safeParse(section);
    if (whole.success) draft[key] = whole.data;
    else if (Array.isArray(section) && isList(schema)) {
      draft[key] = section.map((item, index) => salvageItem(schema, item, mistakesBelow(mistakes, [key, index])));
    }
  }
  return draft;
}

const isList = (schema: z.ZodType): boolean =>
  (schema instanceof z.ZodDefault ? schema.unwrap() : schema) instanceof z.ZodArray;

function salvageItem(list: z.ZodType, item: unknown, paths: readonly ConfigPath[]): unknown {
  const right = parseItem(list, item);
  if (right !== undefined) return right;
  // Of the adapter that the item chooses, its fields: `[kind, field, …]`.
  const fields = paths.map((path) => path.slice(0, 2)).filter((path) => path.length === 2);
  const adapter = parseItem(
    list,
    fields.reduce((left, path) => without(left, path), item),
  );
  // What was left away has its default now, which says nothing about the config.
  return fields.reduce((left, [, field = '']) => without(left, ['settings', field]), adapter);
}

function parseItem(list: z.ZodType, item: unknown): unknown {
  const parsed = list.safeParse([item]);
  return parsed.success && Array.isArray(parsed.data) ? parsed.data[0] : undefined;
}

const mistakesBelow = (mistakes: readonly Mistake[], place: ConfigPath): readonly ConfigPath[] =>
  mistakes
    .filter(({ path }) => place.every((part, index) => path[index] === part))
    .map(({ path }) => path.slice(place.length));

/** The value without what stands at a path. */
function without(value: unknown, [part, ...rest]: ConfigPath): unknown {
  if (part === undefined) return value;
  if (Array.isArray(value)) return value.map((item, index) => (index === part ? without(item, rest) : item));
  if (!isRecord(value) || !Object.hasOwn(value, part)) return value;
  const { [part]: at, ...others } = value;
  return rest.length === 0 ? others : { ...others, [part]: without(at, rest) };
}

const isRecord = (value: unknown): value is Values => typeof value === 'object' && value !== null;

import type { Presented } from '../../../application/ports/admission.ts';
import type { SignalrSettings } from './signalr-settings.ts';

/** Names of the fields of the query, in the order of the config. */
export const queryFields = (query: SignalrSettings['query']): readonly string[] =>
  Object.entries(query).map(([variable, { field = variable }]) => field);

/**
 * What stands in the place of the query in a call: one object of fields, or texts in the order of the fields. A field is
 * a text or a list of texts; null is none. `undefined` where it is anything else.
 */
export function presentedInCall(args: readonly unknown[], fields: readonly string[]): Presented | undefined {
  const given = fieldsOf(args, fields);
  const read = new Map<string, readonly string[]>();
  for (const [field, value] of given) {
    const texts = textsOf(value);
    if (!texts || !fields.includes(field)) return undefined;
    read.set(`query.${field}`, texts).set(`query.${field}[]`, texts);
  }
  return { read: (place) => read.get(place) ?? [] };
}

/** By which a subscription is known again. */
export const fieldsKey = (presented: Presented, fields: readonly string[]): string =>
  JSON.stringify(fields.map((field) => presented.read(`query.${field}[]`)));

function fieldsOf(args: readonly unknown[], fields: readonly string[]): readonly (readonly [string, unknown])[] {
  const [first] = args;
  if (args.length === 1 && typeof first === 'object' && first !== null && !Array.isArray(first)) {
    return Object.entries(first);
  }
  return args.map((value, index) => [fields[index] ?? '', value] as const);
}

function textsOf(value: unknown): readonly string[] | undefined {
  if (value === null || value === undefined) return [];
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.every((text) => typeof text === 'string') ? texts : undefined;
}

/**
 * Named values that templates and conditions read. A list stands for several rooms.
 * A map, since names come from tokens and messages: `__proto__` is a name like any other.
 */
export type Variables = ReadonlyMap<string, VariableValue>;
export type VariableValue = string | readonly string[];

/** What templates need of them. */
export type VariableReader = Pick<Variables, 'get'>;

/** The values that can stand in a template: empty text counts as absent, and so does a list with nothing left. */
export function presentValues(value: VariableValue | undefined): readonly string[] {
  if (value === undefined || value === '') return [];
  return typeof value === 'string' ? [value] : value.filter((item) => item !== '');
}

/** Whether there is any such value. */
export const isPresent = (value: VariableValue | undefined): boolean =>
  typeof value === 'string' ? value !== '' : value?.some((item) => item !== '') === true;

/** Splits list text: parts are trimmed, empty ones dropped. */
export const splitList = (text: string, separator: string): readonly string[] =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** All of both; where they name the same one, the upper's counts. */
export function united(lower: Variables, upper: Variables): Map<string, VariableValue> {
  const all = new Map(lower);
  for (const [name, value] of upper) all.set(name, value);
  return all;
}

/** The one text that a variable has, or `undefined` when it is absent or a list. */
export function singleValue(variables: VariableReader, name: string): string | undefined {
  const value = variables.get(name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

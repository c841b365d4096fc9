import type { Denial } from '../domain/denial.ts';
import { splitList, type VariableValue } from '../domain/variables.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import type { Presented } from './ports/admission.ts';
import { presentTexts } from './present-texts.ts';

/** A variable that a client gives in the query of its URL. */
export type QueryRule = {
  readonly variable: string;
  readonly field: string;
  /** Separator of a list; without one the field is one text, and is given once. */
  readonly list?: string | undefined;
  readonly required: boolean;
  /** `refuse`: a field that is given without a value is no absent one. */
  readonly empty?: 'absent' | 'refuse';
  /** What each text must match. */
  readonly pattern?: RegExp | undefined;
};

/** What the fields say, and the first that says it wrongly. */
export type QueryReading = {
  readonly variables: Map<string, VariableValue>;
  readonly problem: Denial | undefined;
};

/** Lists come as comma text, as repeated fields, or both; each item once. What is wrong is no variable. */
export function readQueryVariables(presented: Presented, rules: readonly QueryRule[]): QueryReading {
  const variables = new Map<string, VariableValue>();
  const problems: Denial[] = [];
  for (const rule of rules) {
    const value = readField(presented, rule);
    if (!value.ok) problems.push(value.reason);
    else if (value.value !== undefined) variables.set(rule.variable, value.value);
  }
  return { variables, problem: problems[0] };
}

function readField(
  presented: Presented,
  { field, list, required, empty, pattern }: QueryRule,
): Verdict<VariableValue | undefined, Denial> {
  const invalid = (what: string) =>
    refused({ code: 'query_invalid', reason: `the query field "${field}" ${what}` } as const);
  const place = list === undefined ? `query.${field}` : `query.${field}[]`;
  const given = presented.read(place);
  // What is given twice is not clear, also where one of them says nothing.
  if (list === undefined && given.length > 1) return invalid('was given more than once');
  const texts = presentTexts(presented, place);
  const items = list === undefined ? texts : [...new Set(texts.flatMap((text) => splitList(text, list)))];
  if (pattern && !items.every((item) => pattern.test(item))) return invalid('does not match its pattern');
  if (items.length > 0) return allowed(list === undefined ? items[0] : items);
  if (required) return invalid('is missing');
  return empty === 'refuse' && given.length > 0 ? invalid('has no value') : allowed(undefined);
}

import type { Denial } from '../domain/denial.ts';
import { splitList, type VariableValue } from '../domain/variables.ts';
import { allowed, refused, type Verdict } from '../domain/verdict.ts';
import type { Presented } from './ports/admission.ts';
import { presentTexts } from './present-texts.ts';

/** A variable that a client gives in the query of its URL. */
export type QueryRule = {
  readonly variable: string;
  readonly field: string;
  /** Separator of a list; without one the field is one text. */
  readonly list?: string | undefined;
  readonly required: boolean;
};

/** Lists come as comma text, as repeated fields, or both; each item once. */
export function readQueryVariables(
  presented: Presented,
  rules: readonly QueryRule[],
): Verdict<Map<string, VariableValue>, Denial> {
  const variables = new Map<string, VariableValue>();
  for (const { variable, field, list, required } of rules) {
    const texts = presentTexts(presented, `query.${field}`);
    if (list !== undefined) {
      const items = new Set(texts.flatMap((text) => splitList(text, list)));
      if (items.size > 0) variables.set(variable, [...items]);
    } else if (texts.length > 1) {
      return refused({ code: 'query_invalid', reason: `the query field "${field}" was given more than once` });
    } else if (texts[0] !== undefined) {
      variables.set(variable, texts[0]);
    }
    if (required && !variables.has(variable)) {
      return refused({ code: 'query_invalid', reason: `the query field "${field}" is missing` });
    }
  }
  return allowed(variables);
}

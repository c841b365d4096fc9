import { singleValue, type Variables } from '../../domain/variables.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

/** A header whose value is one variable: `{password}`. */
const variableValue = /^\{([^{}]+)\}$/;

/** The variable that a header's value is, where it is one. */
export const headerVariable = (value: string): string | undefined => variableValue.exec(value)?.[1];

/** RFC 9110 section 5.5, without what is obsolete. */
export const isHeaderValue = (text: string): boolean => /^[\t\x20-\x7e]*$/.test(text);

/** A header whose variable is absent is left out. Refused when a value could be no header's. */
export function fillHeaders(
  headers: Readonly<Record<string, string>>,
  variables: Variables,
): Verdict<Readonly<Record<string, string>>> {
  const filled: Record<string, string> = {};
  for (const [name, text] of Object.entries(headers)) {
    const variable = headerVariable(text);
    const value = variable === undefined ? text : singleValue(variables, variable);
    if (value === undefined) continue;
    if (!isHeaderValue(value)) return refused(`the value of {${variable}} is not printable ASCII`);
    filled[name] = value;
  }
  return allowed(filled);
}

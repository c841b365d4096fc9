import type { Condition } from '../../domain/condition.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { compileExpression } from './cel-expression.ts';

/**
 * A condition from its CEL text. It is refused, never thrown, when it cannot be evaluated or is not true or false:
 * `error` tells these from a condition that says no. Reasons quote the text, never a value.
 *
 * @param knownNames the names that may be read at the top level; an unknown one is a compile error.
 */
export function compileCondition(text: string, knownNames?: readonly string[]): Verdict<Condition> {
  const expression = compileExpression(text, knownNames);
  if (!expression.ok) return expression;
  return allowed((scope) => {
    const result = expression.value(scope);
    if (!result.ok) return refused({ error: true, text: result.reason });
    if (result.value === true) return allowed(true);
    if (result.value === false) return refused({ error: false, text: `the condition does not hold: ${text}` });
    return refused({ error: true, text: `the condition is neither true nor false: ${text}` });
  });
}

import type { z } from 'zod';
import { describeIssue } from './describe-issue.ts';
import { alternativeKeys, choiceKeys, type FieldShape, knownKeys, shapeBelow } from './field-shape.ts';
import { nearestName } from './nearest-name.ts';
import { type ConfigPath, type Finding, pathText } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** A finding, and what zod would call it. */
export type Mistake = Finding & { readonly code: Issue['code'] | 'missing' };

/** Validates; one mistake is one finding, however many rules it breaks. */
export function findMistakes<T>(
  schema: z.ZodType<T>,
  value: unknown,
  shape: FieldShape,
): { readonly mistakes: readonly Mistake[]; readonly data: T | undefined } {
  const result = schema.safeParse(value, { error: describeIssue, reportInput: true });
  if (result.success) return { mistakes: [], data: result.data };
  const all = result.error.issues.flatMap((issue) => mistakesOf(issue, [], shape));
  return { mistakes: withoutConsequences(all), data: undefined };
}

function mistakesOf(issue: Issue, above: ConfigPath, shape: FieldShape): readonly Mistake[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  const { code, message } = issue;
  if (code === 'unrecognized_keys') {
    const object = shapeAt(shape, path);
    return issue.keys.map((key) => unknownKey([...path, key], key, object));
  }
  if (code === 'invalid_union' && issue.errors.length > 0) {
    const choice = wrongChoice(issue.input, alternativeKeys(shapeAt(shape, path)));
    if (choice !== undefined) return [{ code, path, message: choice }];
    const closest = closestAlternative(issue.errors, path, shape);
    if (closest) return closest;
  }
  if (code === 'invalid_type' && issue.input === undefined) return [{ code: 'missing', path, message }];
  if (code === 'invalid_key') return [{ code, path, message, at: 'key' }];
  return [{ code, path, message, suggestion: suggestionFor(issue) }];
}

function unknownKey(path: ConfigPath, key: string, shape: FieldShape): Mistake {
  const suggestion = nearestName(key, knownKeys(shape));
  return { code: 'unrecognized_keys', path, at: 'key', message: unknownKeyMessage(shape, suggestion), suggestion };
}

function unknownKeyMessage(shape: FieldShape, suggestion: string | undefined): string {
  const adapters = choiceKeys(shape);
  if (adapters.length > 0) return `unknown adapter; the known ones are ${adapters.join(', ')}`;
  if (suggestion !== undefined) return 'unknown key';
  const known = knownKeys(shape);
  return known.length === 0 ? 'unknown key; nothing may stand here' : `unknown key; known here are ${known.join(', ')}`;
}

/** No alternative was meant, or several; of an unknown key it is said what may have been meant by it. */
function wrongChoice(input: unknown, alternatives: readonly string[]): string | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || alternatives.length === 0)
    return undefined;
  const keys = Object.keys(input);
  const given = keys.filter((key) => alternatives.includes(key));
  if (given.length === 1 || (given.length === 0 && keys.length > 0)) return undefined;
  const stated = given.length === 0 ? 'none is given' : `given are ${given.join(' and ')}`;
  return `give exactly one of ${alternatives.join(', ')}; ${stated}`;
}

/** What is wrong with the alternative that was meant: of those that have the value's own type, the least broken. */
function closestAlternative(
  alternatives: readonly (readonly Issue[])[],
  path: ConfigPath,
  shape: FieldShape,
): readonly Mistake[] | undefined {
  return alternatives
    .filter((issues) => !issues.some(isOfAnotherType))
    .map((issues) => withoutConsequences(issues.flatMap((each) => mistakesOf(each, path, shape))))
    .toSorted((a, b) => a.length - b.length)[0];
}

const isOfAnotherType = ({ path, code }: Issue): boolean =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');

function suggestionFor(issue: Issue): string | undefined {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return undefined;
  return nearestName(issue.input, issue.values.map(String));
}

const shapeAt = (shape: FieldShape, path: ConfigPath): FieldShape => path.reduce<FieldShape>(shapeBelow, shape);

/** A key that is written wrong is also missing where it should be, and breaks the rules of its object. */
function withoutConsequences(mistakes: readonly Mistake[]): readonly Mistake[] {
  const explained = new Set<string>();
  for (const { code, path, suggestion } of mistakes) {
    if (code !== 'unrecognized_keys') continue;
    const object = path.slice(0, -1);
    explained.add(`custom ${pathText(object)}`);
    if (suggestion !== undefined) explained.add(`missing ${pathText([...object, suggestion])}`);
  }
  return mistakes.filter(({ code, path }) => !explained.has(`${code} ${pathText(path)}`));
}

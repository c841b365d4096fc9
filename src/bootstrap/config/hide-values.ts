import { descriptionOf, type FieldShape, shapeBelow } from './field-shape.ts';
import { type ConfigPath, type Finding, pathText } from './problem.ts';
import type { ResolvedConfig } from './resolve-references.ts';

/** Shorter texts of the environment are nothing secret, and would be found in every sentence. */
const hiddenLengthMin = 4;

/**
 * Keeps values of the environment out of a finding, whose message may be written by somebody who saw the value, and
 * says which variable it is. A message that may quote gives way to the field's description.
 */
export function hideValues(finding: Finding, resolved: ResolvedConfig, shape: FieldShape): Finding {
  const { names, path } = originOf(finding.path, resolved.origins);
  if (path.length < finding.path.length) {
    return hideValues({ ...finding, path, message: `within it: ${finding.message}` }, resolved, shape);
  }
  const variables = names.map((name) => `\${${name}}`).join(' and ');
  if (names.length > 0 && mayQuote(finding.message, resolved, names)) {
    if (finding.withoutValue !== undefined) {
      return { ...finding, message: `${finding.withoutValue} (from ${variables})`, suggestion: undefined };
    }
    const description = descriptionOf(finding.path.reduce<FieldShape>(shapeBelow, shape));
    const expected = description === undefined ? '' : `; expected: ${description}`;
    return { ...finding, message: `the value of ${variables} is not accepted here${expected}`, suggestion: undefined };
  }
  let { message, suggestion } = finding;
  for (const [text, name] of longestFirst(resolved.taken)) {
    if (text.length < hiddenLengthMin) continue;
    message = message.replaceAll(text, `\${${name}}`);
    if (suggestion?.includes(text)) suggestion = undefined;
  }
  return { ...finding, message: names.length > 0 ? `${message} (from ${variables})` : message, suggestion };
}

/**
 * The variables that the value at a path, or the list or object it is in, came from; and the path as far as it holds no
 * name out of them.
 */
function originOf(path: ConfigPath, origins: ResolvedConfig['origins']): Origin {
  for (let length = path.length; length > 0; length -= 1) {
    const names = origins.get(pathText(path.slice(0, length)));
    if (!names) continue;
    const foreign = path.findIndex((part, index) => index >= length && typeof part === 'string');
    return { names, path: foreign === -1 ? path : path.slice(0, foreign) };
  }
  return { names: [], path };
}

type Origin = { readonly names: readonly string[]; readonly path: ConfigPath };

/** Messages put what they quote in quotes; those of a library may show words of it without. */
function mayQuote(message: string, { taken }: ResolvedConfig, names: readonly string[]): boolean {
  if (/["\n]/.test(message)) return true;
  const words = new Set(wordsOf(message));
  return [...taken].some(([text, name]) => names.includes(name) && wordsOf(text).some((word) => words.has(word)));
}

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}_-]{5,}/gu) ?? [];

const longestFirst = (taken: ReadonlyMap<string, string>) => [...taken].toSorted(([a], [b]) => b.length - a.length);

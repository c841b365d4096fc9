import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

/** A piece of a scalar: plain text, or `${NAME}` or `${NAME:-fallback}`. */
export type ScalarPart = { readonly kind: 'text'; readonly text: string } | Reference;
export type Reference = {
  readonly kind: 'reference';
  readonly name: string;
  readonly fallback: readonly ScalarPart[] | undefined;
};

/** References within the fallback of a reference, and so on. */
const depthMax = 4;

/**
 * Takes a scalar apart. `$${` stands for the text `${`; a lone `$` is text. A fallback may hold references, and braces
 * in pairs, such as those of a room template. Refused when a `${` does not begin a reference.
 */
export function parseReferences(text: string, depth = 0): Verdict<readonly ScalarPart[]> {
  if (depth > depthMax) return refused(`references are nested more than ${depthMax} deep`);
  const parts: ScalarPart[] = [];
  let plain = '';
  let rest = text;
  for (let begin = rest.indexOf('${'); begin !== -1; begin = rest.indexOf('${')) {
    if (rest[begin - 1] === '$') {
      plain += `${rest.slice(0, begin - 1)}\${`;
      rest = rest.slice(begin + 2);
      continue;
    }
    const opened = readReference(rest.slice(begin + 2), depth);
    if (!opened.ok) return opened;
    plain += rest.slice(0, begin);
    if (plain !== '') parts.push({ kind: 'text', text: plain });
    plain = '';
    parts.push(opened.value.reference);
    rest = rest.slice(begin + 2 + opened.value.length);
  }
  plain += rest;
  if (plain !== '' || parts.length === 0) parts.push({ kind: 'text', text: plain });
  return allowed(parts);
}

const form = `write \${NAME} or \${NAME:-default}, or $\${ for the text "\${"`;
const nameThenEnd = /^([A-Za-z_][A-Za-z0-9_]*)(:-|\})/;

/** @param text what follows `${`; `length` is how much of it the reference takes. */
function readReference(text: string, depth: number): Verdict<{ reference: Reference; length: number }> {
  const [opening = '', name = '', end] = nameThenEnd.exec(text) ?? [];
  if (name === '') return refused(`"\${" does not begin a reference: ${form}`);
  if (end === '}')
    return allowed({ reference: { kind: 'reference', name, fallback: undefined }, length: opening.length });
  const length = closingBrace(text, opening.length);
  if (length === undefined) return refused(`\${${name}:- has no closing brace: ${form}`);
  const fallback = parseReferences(text.slice(opening.length, length), depth + 1);
  if (!fallback.ok) return fallback;
  return allowed({ reference: { kind: 'reference', name, fallback: fallback.value }, length: length + 1 });
}

/** Where the brace closes that was open at the beginning. */
function closingBrace(text: string, begin: number): number | undefined {
  let open = 1;
  for (let index = begin; index < text.length; index += 1) {
    if (text[index] === '{') open += 1;
    if (text[index] === '}') open -= 1;
    if (open === 0) return index;
  }
  return undefined;
}

/** Every variable that the parts may read. */
export const referencedNames = (parts: readonly ScalarPart[]): readonly string[] => [
  ...new Set(
    parts.flatMap((part) => (part.kind === 'text' ? [] : [part.name, ...referencedNames(part.fallback ?? [])])),
  ),
];

/** The process's environment, or a stand-in for it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable holds; one that is empty or blank counts as unset. */
export function variableOf(environment: Environment, name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value?.trim() === '' ? undefined : value;
}

/** The text of the parts; refused with the name of a variable that has neither a value nor a default. */
export function fillReferences(parts: readonly ScalarPart[], environment: Environment): Verdict<string> {
  let text = '';
  for (const part of parts) {
    const filled = part.kind === 'text' ? allowed(part.text) : fillReference(part, environment);
    if (!filled.ok) return filled;
    text += filled.value;
  }
  return allowed(text);
}

function fillReference({ name, fallback }: Reference, environment: Environment): Verdict<string> {
  const value = variableOf(environment, name);
  if (value !== undefined) return allowed(value);
  return fallback ? fillReferences(fallback, environment) : refused(name);
}

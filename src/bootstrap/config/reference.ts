import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

/** A piece of a scalar: plain text, or `${NAME}` or `${NAME:-fallback}`. */
export type ScalarPart = { readonly kind: 'text'; readonly text: string } | Reference;
export type Reference = { readonly kind: 'reference'; readonly name: string; readonly fallback: string | undefined };

const nameThenEnd = /^([A-Za-z_][A-Za-z0-9_]*)(:-|\})/;

/**
 * Takes a scalar apart. `$${` stands for the text `${`; a lone `$` is text. A fallback may hold braces in pairs, such as
 * a room template's, and no further reference. Refused when a `${` does not begin a reference.
 */
export function parseReferences(text: string): Verdict<readonly ScalarPart[]> {
  const parts: ScalarPart[] = [];
  let plain = '';
  let rest = text;
  for (;;) {
    const begin = rest.indexOf('${');
    if (begin === -1) break;
    if (rest[begin - 1] === '$') {
      plain += `${rest.slice(0, begin - 1)}\${`;
      rest = rest.slice(begin + 2);
      continue;
    }
    plain += rest.slice(0, begin);
    const reference = closeReference(rest.slice(begin + 2));
    if (!reference.ok) return reference;
    if (plain !== '') parts.push({ kind: 'text', text: plain });
    plain = '';
    parts.push({ kind: 'reference', name: reference.value.name, fallback: reference.value.fallback });
    rest = rest.slice(begin + 2 + reference.value.length);
  }
  plain += rest;
  if (plain !== '' || parts.length === 0) parts.push({ kind: 'text', text: plain });
  return allowed(parts);
}

const form = `write \${NAME} or \${NAME:-default}, or $\${ for the text "\${"`;

type Opened = { readonly name: string; readonly fallback: string | undefined; readonly length: number };

/** @param text what follows `${`. */
function closeReference(text: string): Verdict<Opened> {
  const [opening = '', name = '', end] = nameThenEnd.exec(text) ?? [];
  if (name === '') return refused(`"\${" does not begin a reference: ${form}`);
  if (end === '}') return allowed({ name, fallback: undefined, length: opening.length });
  let open = 0;
  for (let index = opening.length; index < text.length; index += 1) {
    if (text.startsWith('${', index)) return refused(`the default of \${${name}} cannot hold a reference`);
    if (text[index] === '{') open += 1;
    if (text[index] !== '}') continue;
    if (open === 0) return allowed({ name, fallback: text.slice(opening.length, index), length: index + 1 });
    open -= 1;
  }
  return refused(`\${${name}:- has no closing brace: ${form}`);
}

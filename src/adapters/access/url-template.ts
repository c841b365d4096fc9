import { singleValue, type Variables } from '../../domain/variables.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { urlProblem } from '../secure-url.ts';

/** `https://host/projects/{project}?site={site}`, taken apart: plain texts and, between each two of them, a variable. */
export type UrlTemplate = { readonly texts: readonly string[]; readonly variables: readonly string[] };

const variablePattern = /\{([^{}]+)\}/;

/** Variables may stand in the path and the query only, so that none chooses who is asked. */
export function parseUrlTemplate(text: string): Verdict<UrlTemplate> {
  const parts = text.split(variablePattern);
  const template = {
    texts: parts.filter((_, index) => index % 2 === 0),
    variables: parts.filter((_, index) => index % 2 === 1),
  };
  const [origin = ''] = template.texts;
  if (!/^https?:\/\/[^/?#]+\//.test(origin)) {
    return refused('must have its host and a "/" before the first variable, such as https://host/projects/{project}');
  }
  if (template.texts.some((part) => /[{}#]/.test(part))) return refused('holds a single brace, or a "#"');
  const sample = fill(
    template,
    template.variables.map(() => 'x'),
  );
  const problem = urlProblem(sample);
  if (problem !== undefined) return refused(problem);
  if (hasDotSegment(sample)) return refused('holds "." or ".." as a segment of its path');
  if (/^https?:\/\/[^?]*\/\//.test(sample))
    return refused('holds "//" in its path; see whether a variable ends with "/"');
  return allowed(template);
}

/**
 * The URL, each value percent-encoded. Refused when a variable is absent, is a list, or would climb out of its place in
 * the path: `.` and `..` are dot segments however they are encoded (WHATWG URL, section 4.1), and behind a proxy that
 * decodes slashes they are that between slashes, too.
 */
export function fillUrlTemplate(template: UrlTemplate, variables: Variables): Verdict<string> {
  const values: string[] = [];
  for (const name of template.variables) {
    const value = singleValue(variables, name);
    if (value === undefined) return refused(`there is no single value for {${name}}`);
    if (!value.isWellFormed()) return refused(`the value of {${name}} is not valid Unicode`);
    values.push(encodeURIComponent(value));
  }
  const url = fill(template, values);
  return hasDotSegment(url) ? refused('a value would change the path of the URL') : allowed(url);
}

const fill = ({ texts }: UrlTemplate, values: readonly string[]): string =>
  texts.map((text, index) => `${text}${values[index] ?? ''}`).join('');

function hasDotSegment(url: string): boolean {
  const [path = ''] = url.split('?');
  const segments = path.split(/[/\\]|%2f|%5c/i);
  return segments.some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
}

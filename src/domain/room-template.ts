import { type RoomName, roomSegment, segmentsOf, segmentValue } from './room.ts';
import { isPresent, presentValues, type VariableReader } from './variables.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

export type TemplateSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  /** `{name*}`, the last segment only: the value may hold further segments, all below what stands before it. */
  | { readonly kind: 'rest'; readonly name: string };

/** `tenants/{tenant}/users/{user}`, taken apart. */
export type RoomTemplate = {
  readonly text: string;
  readonly segments: readonly TemplateSegment[];
  /** Names of the variables, each once. */
  readonly variables: ReadonlySet<string>;
};

const variableSegment = /^\{([^{}*/]+)(\*?)\}$/;

/** Reads a template; the reason of a refusal names the segment. */
export function parseRoomTemplate(text: string): Verdict<RoomTemplate> {
  if (text === '') return refused('a room template must not be empty');
  const segments: TemplateSegment[] = [];
  const parts = text.split('/');
  for (const part of parts) {
    const segment = parseSegment(part, text);
    if (!segment.ok) return segment;
    segments.push(segment.value);
  }
  const rest = segments.findIndex((segment) => segment.kind === 'rest');
  if (rest === 0) return refused(`"${text}" needs plain text before ${parts[0]}`);
  if (rest !== -1 && rest !== segments.length - 1)
    return refused(`${parts[rest]} must be the last segment of "${text}"`);
  const variables = new Set(segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name])));
  return allowed({ text, segments, variables });
}

function parseSegment(part: string, text: string): Verdict<TemplateSegment> {
  if (part === '') return refused(`"${text}" has an empty segment (a leading, trailing or double "/")`);
  const variable = variableSegment.exec(part);
  if (variable?.[1] !== undefined)
    return allowed({ kind: variable[2] === '*' ? 'rest' : 'variable', name: variable[1] });
  if (!/[{}]/.test(part)) return allowed({ kind: 'literal', text: part });
  return refused(`segment "${part}" of "${text}" must be plain text, {name} or, at the end, {name*}`);
}

/** The template below another: `topics/{stream}` and `tenants/{t}` make `topics/{stream}/tenants/{t}`. */
export const below = (prefix: RoomTemplate, template: RoomTemplate): RoomTemplate => ({
  text: `${prefix.text}/${template.text}`,
  segments: [...prefix.segments, ...template.segments],
  variables: new Set([...prefix.variables, ...template.variables]),
});

/** The first variable that has no value, or `undefined` when the template is complete. */
export function missingVariable(template: RoomTemplate, variables: VariableReader): string | undefined {
  for (const name of template.variables) {
    if (!isPresent(variables.get(name))) return name;
  }
  return undefined;
}

/**
 * The rooms that a template names: none when a variable is absent, one a value where a variable is a list.
 * A template that names a list twice takes the same item in both places.
 *
 * @param roomsMax at most so many are made.
 */
export function expand(template: RoomTemplate, variables: VariableReader, roomsMax: number): readonly RoomName[] {
  const names = [...template.variables];
  const values = names.map((name) => presentValues(variables.get(name)));
  const combinations = values.reduce((product, list) => product * list.length, 1);
  const count = Math.min(combinations, roomsMax);
  const rooms: RoomName[] = [];
  for (let index = 0; index < count; index += 1) {
    let rest = index;
    const chosen = new Map<string, string>();
    for (const [position, name] of names.entries()) {
      const list = values[position] ?? [];
      chosen.set(name, list[rest % list.length] ?? '');
      rest = Math.floor(rest / list.length);
    }
    rooms.push(fill(template, chosen));
  }
  return rooms;
}

/**
 * Makes a template's one room, with the text between its variables put together beforehand; `undefined` when a variable
 * is absent or a list, which is for `expand`.
 */
export function createFiller({ segments }: RoomTemplate): (variables: VariableReader) => RoomName | undefined {
  const fields: Exclude<TemplateSegment, { kind: 'literal' }>[] = [];
  const begins: string[] = [];
  let text = '';
  for (const [index, segment] of segments.entries()) {
    text += index === 0 ? '' : '/';
    if (segment.kind === 'literal') {
      text += segment.text;
    } else {
      fields.push(segment);
      begins.push(text);
      text = '';
    }
  }
  const end = text;
  return (variables) => {
    let room = '';
    for (const [index, { kind, name }] of fields.entries()) {
      const value = variables.get(name);
      if (typeof value !== 'string' || value === '') return undefined;
      room += begins[index] + (kind === 'rest' ? value : roomSegment(value));
    }
    return (room + end) as RoomName;
  };
}

/** The values that a template with these variables, none of them a rest, has made the room of; or nothing. */
export function valuesOf(template: RoomTemplate, room: RoomName): ReadonlyMap<string, string> | undefined {
  const [first] = template.segments;
  // Most rooms that are asked about are of other templates, which shows here at the least cost.
  if (first?.kind === 'literal' && !room.startsWith(first.text)) return undefined;
  const segments = segmentsOf(room);
  if (segments.length !== template.segments.length) return undefined;
  const values = new Map<string, string>();
  for (const [index, segment] of template.segments.entries()) {
    const text = segments[index] ?? '';
    if (segment.kind === 'literal' ? segment.text !== text : segment.kind === 'rest') return undefined;
    if (segment.kind === 'variable') values.set(segment.name, segmentValue(text));
  }
  return values;
}

function fill(template: RoomTemplate, chosen: ReadonlyMap<string, string>): RoomName {
  const text = template.segments.map((segment) => {
    if (segment.kind === 'literal') return segment.text;
    const value = chosen.get(segment.name) ?? '';
    return segment.kind === 'rest' ? value : roomSegment(value);
  });
  return text.join('/') as RoomName;
}

/** Of templates of which the first complete one counts, those that are never chosen: a narrower one must stand first. */
export const unreachableTemplates = (
  templates: readonly RoomTemplate[],
): readonly { readonly position: number; readonly reason: string }[] =>
  templates.flatMap((template, position) => {
    const earlier = templates.slice(0, position).find((each) => each.variables.isSubsetOf(template.variables));
    if (!earlier) return [];
    const reason = `"${template.text}" is never chosen: "${earlier.text}" stands before it and needs no variable more`;
    return [{ position, reason }];
  });

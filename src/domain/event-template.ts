import type { Event } from './event.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

/** `wf.task.{payload.status}`, taken apart: plain texts and, between each two of them, a field of the event. */
export type EventTemplate = { readonly texts: readonly string[]; readonly fields: readonly EventField[] };

type EventField =
  | { readonly kind: 'id' | 'stream' | 'key' }
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'payload'; readonly path: readonly string[] };

/** What templates read of an event: its JSON is parsed once, whatever the number of templates. */
export type EventFacts = { readonly event: Event; readonly payload: unknown };

export function eventFacts(event: Event): EventFacts {
  const text = event.jsonText();
  return { event, payload: text === null ? undefined : JSON.parse(text) };
}

export function parseEventTemplate(text: string): Verdict<EventTemplate> {
  const parts = text.split(/\{([^{}]*)\}/);
  const texts = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  if (texts.some((part) => /[{}]/.test(part))) return refused(`"${text}" has a single brace`);
  const fields: EventField[] = [];
  for (const name of names) {
    const field = parseField(name);
    if (!field) {
      return refused(
        `{${name}} is none of {id}, {stream}, {key}, {attributes.NAME}, {payload.NAME} and {payload.NAME.NAME}`,
      );
    }
    fields.push(field);
  }
  return allowed({ texts, fields });
}

function parseField(name: string): EventField | undefined {
  if (name === 'id' || name === 'stream' || name === 'key') return { kind: name };
  const [, kind, rest = ''] = /^(attributes|payload)\.(.+)$/.exec(name) ?? [];
  if (kind === 'attributes') return { kind: 'attribute', name: rest };
  const path = rest.split('.');
  return kind === 'payload' && path.every((step) => step !== '') ? { kind: 'payload', path } : undefined;
}

/** The text; nothing where a field is absent, empty, or no text, number or truth value. */
export function fillEventTemplate({ texts, fields }: EventTemplate, facts: EventFacts): string | undefined {
  let filled = texts[0] ?? '';
  for (const [index, field] of fields.entries()) {
    const value = fieldText(field, facts);
    if (value === undefined || value === '') return undefined;
    filled += `${value}${texts[index + 1] ?? ''}`;
  }
  return filled;
}

/** Whether some event could fill the template to this text. */
export function couldFill({ texts }: EventTemplate, text: string): boolean {
  const [begin = '', ...others] = texts;
  if (others.length === 0) return text === begin;
  const end = others.at(-1) ?? '';
  if (!text.startsWith(begin) || !text.endsWith(end)) return false;
  let at = begin.length;
  for (const part of others.slice(0, -1)) {
    // A field has at least one character.
    const found = text.indexOf(part, at + 1);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at + 1 <= text.length - end.length;
}

function fieldText(field: EventField, { event, payload }: EventFacts): string | undefined {
  switch (field.kind) {
    case 'id':
    case 'stream':
    case 'key':
      return event[field.kind];
    case 'attribute':
      return event.attributes.get(field.name);
    case 'payload':
      return scalarText(field.path.reduce<unknown>(member, payload));
  }
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/**
 * Ids are numbers with some and text with others: `5` and `"5"` are the same. An integer beyond 2^53 is nothing: it may
 * have been another one before it was parsed.
 */
export function scalarText(value: unknown): string | undefined {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

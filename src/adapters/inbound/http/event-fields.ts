import { z } from 'zod';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import type { HttpSettings } from './http-settings.ts';

/** What an item leaves out is asked for here, so that mapping stays pure. */
export type Intake = {
  readonly source: string;
  readonly settings: HttpSettings;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly newId: () => string;
};

export type FieldError = { readonly path: readonly PropertyKey[]; readonly message: string };

const controlCharacter = /\p{Cc}/u;

/** Names and ids: they stand in logs, metrics and other brokers' headers. */
const nameText = (charactersMin: number, charactersMax: number) =>
  z
    .string('must be a text')
    .min(charactersMin, 'must not be empty')
    .max(charactersMax, `must have at most ${charactersMax} characters`)
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
    .refine((text) => !controlCharacter.test(text), 'must hold no control character');

export const streamField = nameText(1, 255);
export const keyField = nameText(0, 1024);
export const idField = nameText(1, 255);
export const contentTypeField = nameText(1, 255).regex(/^[^/\s]+\/[^/\s]+/, 'must be a media type');

const earliestTime = Date.parse('0000-01-01T00:00:00.000Z');
const latestTime = Date.parse('9999-12-31T23:59:59.999Z');
export const timeRange = 'must be in the years 0000 to 9999 of UTC';

/** An offset can lead out of the years of RFC 3339, and so out of what clients can read. True for what is no time. */
export function isTimeInRange(text: string): boolean {
  const time = Date.parse(text);
  return !(time < earliestTime || time > latestTime);
}

const attributeNameCharactersMax = 256;

/** Numbers and booleans become text. Entries and a map, so that `__proto__` is a name like any other. */
export function readAttributes(
  entries: readonly (readonly [string, unknown])[],
  { attributesPerEventMax, attributeBytesMax }: HttpSettings,
): Verdict<ReadonlyMap<string, string>, readonly FieldError[]> {
  if (entries.length > attributesPerEventMax) {
    return refused([{ path: [], message: `are more than ${attributesPerEventMax}` }]);
  }
  const attributes = new Map<string, string>();
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const [name, value] of entries) {
    const text = attributeText(value);
    const mistake = mistakeInName(name) ?? mistakeInText(text);
    if (mistake !== undefined) errors.push({ path: [name.slice(0, attributeNameCharactersMax)], message: mistake });
    else attributes.set(name, text ?? '');
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text ?? '');
  }
  if (bytes > attributeBytesMax)
    errors.push({ path: [], message: `are more than ${attributeBytesMax} bytes together` });
  return errors.length === 0 ? allowed(attributes) : refused(errors);
}

function mistakeInName(name: string): string | undefined {
  if (name === '') return 'the name must not be empty';
  if (name.length > attributeNameCharactersMax)
    return `the name is longer than ${attributeNameCharactersMax} characters`;
  return name.isWellFormed() ? undefined : 'the name must be well-formed Unicode';
}

function mistakeInText(text: string | undefined): string | undefined {
  if (text === undefined) return 'must be a text, a number or a boolean';
  return text.isWellFormed() ? undefined : 'must be well-formed Unicode';
}

const attributeText = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

/** `application/json` and every `…+json` (RFC 6839 section 3.1). */
export const isJsonType = (contentType: string): boolean => /^[^/\s]+\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(contentType);

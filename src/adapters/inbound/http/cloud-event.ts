import { CloudEvent, ValidationError } from 'cloudevents';
import { z } from 'zod';
import { Event } from '../../../domain/event.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { readBase64 } from '../base64.ts';
import { contextNames, isExtensionName } from './cloud-event-names.ts';
import {
  type FieldError,
  type Intake,
  idField,
  isJsonType,
  isTimeInRange,
  keyField,
  readAttributes,
  streamField,
  timeRange,
} from './event-fields.ts';

type Data = { readonly payload: Uint8Array; readonly contentType: string | undefined };
type Attributes = Readonly<Record<string, unknown>>;

/** What becomes of context attributes here, beside what CloudEvents itself demands of them. */
const limits = z.object({
  type: streamField,
  subject: z.exactOptional(keyField),
  id: idField,
  source: z.string().max(2048),
});

/** An item of the JSON format (CloudEvents JSON format 1.0.2), alone or in a batch. */
export function readStructured(
  given: unknown,
  dataText: string | undefined,
  intake: Intake,
): Verdict<Event, readonly FieldError[]> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return refused([{ path: [], message: 'must be an object' }]);
  }
  // A null attribute is an absent one (section 2.2). A map, so that `__proto__` is refused and not obeyed.
  const attributes = new Map(Object.entries(given).filter(([, value]) => value !== null));
  const base64: unknown = attributes.get('data_base64');
  attributes.delete('data');
  attributes.delete('data_base64');
  const data = readData(attributes.get('datacontenttype'), dataText, base64);
  return data.ok ? toEvent(attributes, data.value, intake) : refused([data.reason]);
}

/**
 * Binary mode (CloudEvents HTTP binding 1.0.2 section 3.1): the body is the data, headers are the attributes.
 *
 * @param headers every value of every header, by lower-case name.
 */
export function readBinary(
  headers: Readonly<Record<string, readonly string[] | undefined>>,
  body: Uint8Array,
  intake: Intake,
): Verdict<Event, readonly FieldError[]> {
  const attributes = new Map<string, unknown>();
  const errors: FieldError[] = [];
  for (const [header, values = []] of Object.entries(headers)) {
    if (!header.startsWith('ce-')) continue;
    const name = header.slice('ce-'.length);
    const text = values.length === 1 ? decodeHeader(values[0] ?? '') : undefined;
    if (text === undefined) errors.push({ path: [header], message: 'must be given once, percent-encoded in UTF-8' });
    if (name === 'datacontenttype') errors.push({ path: [header], message: 'is what Content-Type says' });
    attributes.set(name, text);
  }
  if (errors.length > 0) return refused(errors);
  return toEvent(attributes, { payload: body, contentType: headers['content-type']?.[0] }, intake);
}

/** HTTP binding section 3.1.3.2: quotes come off, then percent-encoding. */
function decodeHeader(value: string): string | undefined {
  const bare = /^"(.*)"$/.exec(value)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? value;
  // Node hands bytes above ASCII over as Latin-1, which they may or may not have been.
  if (!/^[\x20-\x7e]*$/.test(bare)) return undefined;
  try {
    return decodeURIComponent(bare);
  } catch {
    return undefined;
  }
}

/** JSON format section 3.1: which bytes `data` stands for. */
function readData(contentType: unknown, dataText: string | undefined, base64: unknown): Verdict<Data, FieldError> {
  const type = typeof contentType === 'string' ? contentType : undefined;
  if (base64 !== undefined) {
    if (dataText !== undefined) return refused({ path: ['data_base64'], message: 'must not stand beside "data"' });
    const payload = typeof base64 === 'string' ? readBase64(base64) : undefined;
    if (!payload)
      return refused({ path: ['data_base64'], message: 'must be base64 with padding (RFC 4648 section 4)' });
    return allowed({ payload, contentType: type });
  }
  if (dataText === undefined) return allowed({ payload: Buffer.alloc(0), contentType: type });
  const isText = type !== undefined && !isJsonType(type) && dataText.startsWith('"');
  const text = isText ? String(JSON.parse(dataText)) : dataText;
  return allowed({ payload: Buffer.from(text), contentType: type ?? 'application/json' });
}

function toEvent(
  attributes: ReadonlyMap<string, unknown>,
  data: Data,
  intake: Intake,
): Verdict<Event, readonly FieldError[]> {
  const context: Record<string, unknown> = {};
  const extensions = new Map<string, unknown>();
  const errors: FieldError[] = [];
  for (const [name, value] of attributes) {
    if (contextNames.has(name)) context[name] = value;
    else if (isExtensionName(name)) extensions.set(name, value);
    else errors.push({ path: [name], message: 'must be made of lower-case letters and digits' });
  }
  errors.push(...mistakesInContext(context));
  const named = renamed(extensions, intake.settings.cloudEvents.attributes);
  const read = named.ok ? readAttributes([...named.value], intake.settings) : named;
  if (!read.ok) errors.push(...read.reason);
  if (!read.ok || errors.length > 0) return refused(errors);
  const { type: stream, subject: key = '', id } = limits.parse(context);
  const { specversion, source, dataschema, time } = context;
  return allowed(
    new Event({
      id,
      stream,
      key,
      attributes: read.value,
      ...data,
      publishedAt: typeof time === 'string' ? Date.parse(time) : intake.now,
      origin: {
        source: intake.source,
        properties: { specversion, source, ...(dataschema === undefined ? {} : { dataschema }) },
      },
    }),
  );
}

/** The package says what a CloudEvent must be, except for what it makes up itself: an absent id and version. */
function mistakesInContext(context: Attributes): readonly FieldError[] {
  if (context['specversion'] !== '1.0') return [{ path: ['specversion'], message: 'must be "1.0"' }];
  const parsed = limits.safeParse(context);
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => ({ path, message }));
  try {
    new CloudEvent({ ...context, ...parsed.data }, true);
  } catch (error) {
    return mistakesOf(error);
  }
  // The package takes leap seconds, which no `Date` has.
  const { time } = context;
  if (typeof time !== 'string') return [];
  if (Number.isNaN(Date.parse(time))) {
    return [{ path: ['time'], message: 'must be a time of RFC 3339, such as 2026-01-31T12:00:00Z' }];
  }
  return isTimeInRange(time) ? [] : [{ path: ['time'], message: timeRange }];
}

const validationIssues = z.array(z.object({ instancePath: z.string(), message: z.string() }));

function mistakesOf(error: unknown): readonly FieldError[] {
  const issues = error instanceof ValidationError ? validationIssues.safeParse(error.errors) : undefined;
  if (!issues?.success || issues.data.length === 0) return [{ path: [], message: 'is not a valid CloudEvent' }];
  return issues.data.map(({ instancePath, message }) => ({ path: [instancePath.slice(1)], message }));
}

function renamed(
  extensions: ReadonlyMap<string, unknown>,
  names: Readonly<Record<string, string>>,
): Verdict<ReadonlyMap<string, unknown>, readonly FieldError[]> {
  const attributes = new Map<string, unknown>();
  const errors: FieldError[] = [];
  for (const [extension, value] of extensions) {
    const name = (Object.hasOwn(names, extension) ? names[extension] : undefined) ?? extension;
    if (attributes.has(name)) errors.push({ path: [extension], message: `the attribute "${name}" is given twice` });
    // Other numbers than integers are no CloudEvents type (section 3.1).
    const isType = typeof value === 'string' || typeof value === 'boolean' || Number.isInteger(value);
    if (!isType) errors.push({ path: [extension], message: 'must be a text, an integer or a boolean' });
    attributes.set(name, value);
  }
  return errors.length === 0 ? allowed(attributes) : refused(errors);
}

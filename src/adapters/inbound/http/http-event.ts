import { z } from 'zod';
import { Event } from '../../../domain/event.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { readBase64 } from '../base64.ts';
import {
  contentTypeField,
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

const isPlainObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `{stream, key?, attributes?, data | dataBase64, contentType?, id?, publishedAt?}` */
const item = z.strictObject({
  stream: streamField,
  key: keyField.default(''),
  id: idField.optional(),
  publishedAt: z.iso
    .datetime({ offset: true, error: 'must be a time of RFC 3339, such as 2026-01-31T12:00:00Z' })
    .refine(isTimeInRange, timeRange)
    .optional(),
  contentType: contentTypeField.optional(),
  attributes: z.custom<object>(isPlainObject, 'must be an object of names and texts').optional(),
  data: z.unknown().optional(),
  dataBase64: z.string('must be a text').optional(),
});
type Item = z.infer<typeof item>;

/**
 * @param given one parsed item.
 * @param dataText its `data` as it was sent: numbers, spaces and the order of names stay the publisher's.
 */
export function readItem(
  given: unknown,
  dataText: string | undefined,
  intake: Intake,
): Verdict<Event, readonly FieldError[]> {
  const parsed = item.safeParse(given);
  if (!parsed.success) return refused(parsed.error.issues.map(({ path, message }) => ({ path, message })));
  const attributes = readAttributes(Object.entries(parsed.data.attributes ?? {}), intake.settings);
  const payload = readPayload(parsed.data, dataText);
  if (!attributes.ok || !payload.ok) {
    return refused([
      ...(attributes.ok ? [] : attributes.reason.map((error) => ({ ...error, path: ['attributes', ...error.path] }))),
      ...(payload.ok ? [] : [payload.reason]),
    ]);
  }
  const { stream, key, id, publishedAt } = parsed.data;
  return allowed(
    new Event({
      id: id ?? intake.newId(),
      stream,
      key,
      attributes: attributes.value,
      ...payload.value,
      publishedAt: publishedAt === undefined ? intake.now : Date.parse(publishedAt),
      origin: { source: intake.source, properties: {} },
    }),
  );
}

type Payload = { readonly payload: Uint8Array; readonly contentType: string | undefined };

function readPayload({ dataBase64, contentType }: Item, dataText: string | undefined): Verdict<Payload, FieldError> {
  if ((dataText === undefined) === (dataBase64 === undefined)) {
    return refused({ path: [], message: 'must have either "data" (any JSON value) or "dataBase64"' });
  }
  if (dataBase64 !== undefined) {
    const payload = readBase64(dataBase64);
    if (!payload) return refused({ path: ['dataBase64'], message: 'must be base64 with padding (RFC 4648 section 4)' });
    return allowed({ payload, contentType });
  }
  if (contentType !== undefined && !isJsonType(contentType)) {
    return refused({ path: ['contentType'], message: '"data" is JSON; other types go into "dataBase64"' });
  }
  return allowed({ payload: Buffer.from(dataText ?? ''), contentType: contentType ?? 'application/json' });
}

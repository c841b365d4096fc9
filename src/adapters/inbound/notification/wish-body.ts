import { scalarText } from '../../../domain/event-template.ts';
import type { NotificationWish } from '../../../domain/notification.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { readJson } from '../json-document.ts';

/** An answer of Express and its body parser (brainlife section 2), or in their manner. */
export type ErrorAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

export const errorAnswer = (status: number, message: string): ErrorAnswer => ({ status, body: { message } });

/** Deeper than anything that means something. */
const depthMax = 64;

/** What a body asks for; nothing of it needs to make sense. Fields that a notification does not have are dropped. */
export function readWish(bytes: Uint8Array): Verdict<NotificationWish, ErrorAnswer> {
  // A body parser makes an empty object of no body.
  const document = bytes.byteLength === 0 ? allowed({ value: {} as unknown }) : readJson(bytes, { depthMax });
  if (!document.ok) return refused(unparsable(bytes));
  const { value } = document.value;
  if (typeof value !== 'object' || value === null) return refused(unparsable(bytes));
  if (Array.isArray(value)) return refused(errorAnswer(400, 'a notification is an object'));
  const { event, handler, config } = value as Record<string, unknown>;
  const wish: Record<string, unknown> = {};
  for (const [name, given] of [
    ['event', event],
    ['handler', handler],
  ] as const) {
    if (given === undefined || given === null) continue;
    const text = scalarText(given);
    if (text === undefined) return refused(errorAnswer(400, `${name} is no text`));
    if (text.length > nameCharactersMax)
      return refused(errorAnswer(400, `${name} has more than ${nameCharactersMax} characters`));
    wish[name] = text;
  }
  return allowed({ ...wish, ...(config === undefined ? {} : { config }) });
}

const nameCharactersMax = 1000;

const unparsable = (bytes: Uint8Array): ErrorAnswer => ({
  status: 400,
  body: {
    expose: true,
    statusCode: 400,
    status: 400,
    body: new TextDecoder().decode(bytes),
    type: 'entity.parse.failed',
  },
});

export const tooLarge = (limit: number, length: number | undefined): ErrorAnswer => ({
  status: 413,
  body: { expose: true, statusCode: 413, status: 413, expected: length, length, limit, type: 'entity.too.large' },
});

export const encodingUnsupported = (encoding: string): ErrorAnswer => ({
  status: 415,
  body: { expose: true, statusCode: 415, status: 415, encoding, type: 'encoding.unsupported' },
});

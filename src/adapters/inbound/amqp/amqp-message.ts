import type { ConsumeMessageFields, Options } from 'amqplib';
import { Event } from '../../../domain/event.ts';
import { deadLetterAttributes } from '../../dead-letter-attributes.ts';
import { eventId } from '../event-id.ts';
import type { BasicProperties } from './amqp-properties.ts';
import type { Table, TableValue } from './amqp-table.ts';

/** What the broker delivers, as `readContentHeaders` reads it. */
export type AmqpMessage = {
  readonly content: Buffer;
  readonly fields: ConsumeMessageFields;
  readonly properties: BasicProperties;
};

/** Which source has consumed it, from which queue, and when (milliseconds since the epoch). */
export type Intake = { readonly source: string; readonly queue: string; readonly now: number };

/** What is published. */
export type Publication = {
  readonly exchange: string;
  readonly key: string;
  readonly content: Buffer;
  readonly options: Options.Publish;
};

/** @param id what a message without an id of its own was called when it came before. */
export function eventOf(message: AmqpMessage, { source, queue, now }: Intake, id?: string): Event {
  const { content, fields, properties } = message;
  const { exchange, routingKey, deliveryTag, consumerTag, redelivered } = fields;
  return new Event({
    id: properties.messageId || id || eventId(),
    // The default exchange has no name, and leads to the queue that the key names.
    stream: exchange === '' ? queue : exchange,
    key: routingKey,
    ...attributesOf(properties.headers),
    payload: content,
    contentType: properties.contentType,
    publishedAt: publishedAtOf(properties.timestamp) ?? now,
    origin: {
      source,
      properties: { ...properties, queue, deliveryTag, redelivered, exchange, routingKey, consumerTag },
    },
  });
}

function attributesOf(headers: Table | undefined): Pick<Event, 'attributes' | 'unreadable'> {
  const attributes = new Map<string, string>();
  let unreadable: Set<string> | undefined;
  // A table has no prototype, so these are its own names.
  for (const name in headers) {
    const text = textOf(headers[name]);
    if (text !== undefined) {
      attributes.set(name, text);
    } else {
      unreadable ??= new Set();
      unreadable.add(name);
    }
  }
  return { attributes, unreadable };
}

const textOf = (value: TableValue | undefined): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;

/** No time in seconds that anybody means: the year 5138. */
const secondsEnd = 100_000_000_000;
/** The last time that a `Date` can hold. */
const dateMsMax = 8.64e15;

/** Seconds (AMQP 0-9-1, section 4.2.5.4). Several clients write milliseconds, which are taken for what they are. */
function publishedAtOf(timestamp: number | undefined): number | undefined {
  if (timestamp === undefined || timestamp > dateMsMax) return undefined;
  return timestamp < secondsEnd ? timestamp * 1000 : timestamp;
}

/**
 * How often the broker has offered it, from 1. Only quorum queues count, in a header of their own; of the others there
 * is no more than a flag.
 *
 * @param remembered how often it has come to this process before.
 */
export function attemptOf({ fields, properties }: AmqpMessage, remembered = 0): number {
  const count = properties.headers?.['x-delivery-count'];
  const counted = typeof count === 'number' && count >= 0 ? count + 1 : 1;
  return Math.max(counted, remembered + 1, fields.redelivered ? 2 : 1);
}

const persistent = 2;

/** The event as a message: its stream is the exchange, its attributes are headers. */
export function publicationOf(event: Event): Publication {
  const { id, stream, key, attributes, payload, contentType, publishedAt } = event;
  return {
    exchange: stream,
    key,
    content: bufferOf(payload),
    options: {
      messageId: id,
      timestamp: Math.floor(publishedAt / 1000),
      deliveryMode: persistent,
      headers: Object.fromEntries(attributes),
      ...(contentType === undefined ? {} : { contentType }),
    },
  };
}

/** Headers that would send a dead letter elsewhere as well, or that the broker's queues keep for themselves. */
const headersLeftOut: ReadonlySet<string> = new Set(['CC', 'BCC', 'x-delivery-count']);

/** Where dead letters go; with the key of the message when it says none. */
export type LetterPlace = { readonly exchange: string; readonly key?: string | undefined };

/** The message again, with its headers and why and from where it came; for good: without its time to live. */
export function deadLetterOf(message: AmqpMessage, event: Event, place: LetterPlace, cause: string): Publication {
  const { contentType, contentEncoding, headers, priority, correlationId, replyTo, timestamp, type, appId } =
    message.properties;
  const kept = Object.entries(headers ?? {}).filter(([name]) => !headersLeftOut.has(name));
  const added = [...deadLetterAttributes(event, event.origin.source, cause)].filter(
    ([name]) => !event.attributes.has(name) || name.startsWith('Dead-Letter-'),
  );
  const options = { contentType, contentEncoding, priority, correlationId, replyTo, timestamp, type, appId };
  return {
    exchange: place.exchange,
    key: place.key ?? event.key,
    content: message.content,
    options: {
      ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
      messageId: event.id,
      deliveryMode: persistent,
      headers: Object.fromEntries([...kept, ...added]),
    },
  };
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

import { decodeTable, type Table } from './amqp-table.ts';

/** The basic properties of AMQP 0-9-1 (section 4.2.6.1) under the names that amqplib has for them; only those sent. */
export type BasicProperties = {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: Table;
  readonly deliveryMode?: number;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly expiration?: string;
  readonly messageId?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  readonly type?: string;
  readonly userId?: string;
  readonly appId?: string;
};

type Cursor = { readonly bytes: Buffer; at: number };

function take(cursor: Cursor, length: number): Buffer {
  const begin = cursor.at;
  cursor.at += length;
  if (cursor.at > cursor.bytes.length) throw new RangeError('a content header is cut off');
  return cursor.bytes.subarray(begin, cursor.at);
}

const shortText = (cursor: Cursor): string => take(cursor, take(cursor, 1).readUInt8()).toString();
const octet = (cursor: Cursor): number => take(cursor, 1).readUInt8();

/** A table that is none harms nobody but itself: the rest of the message is as good as ever. */
function table(cursor: Cursor): Table {
  const bytes = take(cursor, take(cursor, 4).readUInt32BE());
  try {
    return decodeTable(bytes);
  } catch {
    return Object.create(null);
  }
}

const fields: readonly (readonly [keyof BasicProperties, number, (cursor: Cursor) => unknown])[] = [
  ['contentType', 0x8000, shortText],
  ['contentEncoding', 0x4000, shortText],
  ['headers', 0x2000, table],
  ['deliveryMode', 0x1000, octet],
  ['priority', 0x0800, octet],
  ['correlationId', 0x0400, shortText],
  ['replyTo', 0x0200, shortText],
  ['expiration', 0x0100, shortText],
  ['messageId', 0x0080, shortText],
  ['timestamp', 0x0040, (cursor) => Number(take(cursor, 8).readBigUInt64BE())],
  ['type', 0x0020, shortText],
  ['userId', 0x0010, shortText],
  ['appId', 0x0008, shortText],
];

/** @param bytes the flags and what they announce. Throws a `RangeError` when they are cut off. */
export function decodeProperties(bytes: Buffer): BasicProperties {
  const cursor: Cursor = { bytes, at: 2 };
  const flags = bytes.readUInt16BE(0);
  return Object.fromEntries(fields.flatMap(([name, flag, read]) => (flags & flag ? [[name, read(cursor)]] : [])));
}

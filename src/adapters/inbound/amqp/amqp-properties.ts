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

/** Goes through the bytes of one header; throws a `RangeError` where they are cut off. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 2;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  octet(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  shortText(): string {
    const length = this.octet();
    const begin = this.#advance(length);
    return this.#bytes.toString('utf8', begin, begin + length);
  }

  timestamp(): number {
    const begin = this.#advance(8);
    return this.#bytes.readUInt32BE(begin) * 0x1_0000_0000 + this.#bytes.readUInt32BE(begin + 4);
  }

  /** A table that is none harms nobody but itself: the rest of the message is as good as ever. */
  table(): Table {
    const length = this.#bytes.readUInt32BE(this.#advance(4));
    const begin = this.#advance(length);
    try {
      return decodeTable(this.#bytes.subarray(begin, begin + length));
    } catch {
      return Object.create(null);
    }
  }

  #advance(length: number): number {
    const begin = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('a content header is cut off');
    return begin;
  }
}

type Writable = { -readonly [Name in keyof BasicProperties]: BasicProperties[Name] };

/** @param bytes the flags and what they announce. Throws a `RangeError` when they are cut off. */
export function decodeProperties(bytes: Buffer): BasicProperties {
  const cursor = new Cursor(bytes);
  const flags = bytes.readUInt16BE(0);
  const properties: Writable = {};
  if (flags & 0x8000) properties.contentType = cursor.shortText();
  if (flags & 0x4000) properties.contentEncoding = cursor.shortText();
  if (flags & 0x2000) properties.headers = cursor.table();
  if (flags & 0x1000) properties.deliveryMode = cursor.octet();
  if (flags & 0x0800) properties.priority = cursor.octet();
  if (flags & 0x0400) properties.correlationId = cursor.shortText();
  if (flags & 0x0200) properties.replyTo = cursor.shortText();
  if (flags & 0x0100) properties.expiration = cursor.shortText();
  if (flags & 0x0080) properties.messageId = cursor.shortText();
  if (flags & 0x0040) properties.timestamp = cursor.timestamp();
  if (flags & 0x0020) properties.type = cursor.shortText();
  if (flags & 0x0010) properties.userId = cursor.shortText();
  if (flags & 0x0008) properties.appId = cursor.shortText();
  return properties;
}

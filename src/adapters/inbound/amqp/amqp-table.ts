/** A value of a field table, without AMQP's types: numbers, text and so on are what they are in JSON, bytes a `Buffer`. */
export type TableValue = string | number | boolean | null | Buffer | readonly TableValue[] | Table;

/** Has no prototype, so that every name is a name like any other. */
export type Table = { readonly [name: string]: TableValue };

/** Tables and arrays in one another, at most; what is deeper reads as `null`. */
const depthMax = 16;

/**
 * Reads a field table (AMQP 0-9-1, section 4.2.5.5, with the types of
 * https://www.rabbitmq.com/docs/amqp-0-9-1-errata#section_3). Whole numbers that a JavaScript number cannot hold are
 * text, timestamps are seconds.
 *
 * @param bytes what follows the table's length. Throws a `RangeError` when they are no table.
 */
export const decodeTable = (bytes: Buffer): Table => new TableReader(bytes).table(bytes.length, 1);

class TableReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  table(end: number, depth: number): Table {
    const table: Record<string, TableValue> = Object.create(null);
    while (this.#at < end) {
      const name = this.#text(this.#bytes.readUInt8(this.advance(1)));
      table[name] = this.#value(depth);
    }
    return table;
  }

  /** @returns where so many bytes begin, which are read with that. */
  advance(length: number): number {
    const begin = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('a field table is cut off');
    return begin;
  }

  #array(end: number, depth: number): readonly TableValue[] {
    const values: TableValue[] = [];
    while (this.#at < end) values.push(this.#value(depth));
    return values;
  }

  #value(depth: number): TableValue {
    const type = this.#bytes.readUInt8(this.advance(1));
    // What nearly all headers are.
    if (type === longText) return this.#text(this.#length());
    if (type === nestedTable || type === nestedArray) return this.#nested(type, depth + 1);
    const read = scalars.get(type);
    if (read) return read(this.#bytes, this);
    throw new RangeError('a field table has a value of an unknown type');
  }

  #nested(type: number, depth: number): TableValue {
    const length = this.#length();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a field table is cut off');
    if (depth <= depthMax) return type === nestedTable ? this.table(end, depth) : this.#array(end, depth);
    this.#at = end;
    return null;
  }

  #length(): number {
    return this.#bytes.readUInt32BE(this.advance(4));
  }

  #text(length: number): string {
    const begin = this.advance(length);
    return this.#bytes.toString('utf8', begin, begin + length);
  }
}

const code = (letter: string): number => letter.charCodeAt(0);
const longText = code('S');
const nestedTable = code('F');
const nestedArray = code('A');

const exact = (whole: bigint): number | string => {
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole.toString();
};

type Read = (bytes: Buffer, reader: TableReader) => TableValue;

const ofType = (letter: string, length: number, read: (bytes: Buffer, at: number) => TableValue): [number, Read] => [
  code(letter),
  (bytes, reader) => read(bytes, reader.advance(length)),
];

function readLongBytes(bytes: Buffer, reader: TableReader): Buffer {
  const length = bytes.readUInt32BE(reader.advance(4));
  const begin = reader.advance(length);
  return Buffer.from(bytes.subarray(begin, begin + length));
}

/** By the letter of their type. */
const scalars: ReadonlyMap<number, Read> = new Map([
  ofType('t', 1, (bytes, at) => bytes.readUInt8(at) !== 0),
  ofType('b', 1, (bytes, at) => bytes.readInt8(at)),
  ofType('B', 1, (bytes, at) => bytes.readUInt8(at)),
  ofType('s', 2, (bytes, at) => bytes.readInt16BE(at)),
  ofType('u', 2, (bytes, at) => bytes.readUInt16BE(at)),
  ofType('I', 4, (bytes, at) => bytes.readInt32BE(at)),
  ofType('i', 4, (bytes, at) => bytes.readUInt32BE(at)),
  ofType('l', 8, (bytes, at) => exact(bytes.readBigInt64BE(at))),
  ofType('f', 4, (bytes, at) => bytes.readFloatBE(at)),
  ofType('d', 8, (bytes, at) => bytes.readDoubleBE(at)),
  ofType('D', 5, (bytes, at) => Number(`${bytes.readUInt32BE(at + 1)}e-${bytes.readUInt8(at)}`)),
  ofType('T', 8, (bytes, at) => exact(bytes.readBigUInt64BE(at))),
  ofType('V', 0, () => null),
  [code('x'), readLongBytes],
]);

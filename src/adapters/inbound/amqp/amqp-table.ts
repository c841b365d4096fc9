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
      const name = this.#take(this.#take(1).readUInt8()).toString();
      table[name] = this.#value(depth);
    }
    return table;
  }

  #array(end: number, depth: number): readonly TableValue[] {
    const values: TableValue[] = [];
    while (this.#at < end) values.push(this.#value(depth));
    return values;
  }

  #value(depth: number): TableValue {
    const type = this.#take(1).toString('latin1');
    const read = scalars[type];
    if (read) return read((length) => this.#take(length));
    if (type === 'F' || type === 'A') return this.#nested(type, depth + 1);
    throw new RangeError('a field table has a value of an unknown type');
  }

  #nested(type: 'F' | 'A', depth: number): TableValue {
    const length = this.#take(4).readUInt32BE();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a field table is cut off');
    if (depth <= depthMax) return type === 'F' ? this.table(end, depth) : this.#array(end, depth);
    this.#at = end;
    return null;
  }

  #take(length: number): Buffer {
    const begin = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError('a field table is cut off');
    return this.#bytes.subarray(begin, this.#at);
  }
}

type Take = (length: number) => Buffer;

const exact = (whole: bigint): number | string => {
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole.toString();
};

const decimal = (bytes: Buffer): number => Number(`${bytes.readUInt32BE(1)}e-${bytes.readUInt8(0)}`);

const longBytes = (take: Take): Buffer => take(take(4).readUInt32BE());

const scalars: Readonly<Record<string, (take: Take) => TableValue>> = {
  t: (take) => take(1).readUInt8() !== 0,
  b: (take) => take(1).readInt8(),
  B: (take) => take(1).readUInt8(),
  s: (take) => take(2).readInt16BE(),
  u: (take) => take(2).readUInt16BE(),
  I: (take) => take(4).readInt32BE(),
  i: (take) => take(4).readUInt32BE(),
  l: (take) => exact(take(8).readBigInt64BE()),
  f: (take) => take(4).readFloatBE(),
  d: (take) => take(8).readDoubleBE(),
  D: (take) => decimal(take(5)),
  T: (take) => exact(take(8).readBigUInt64BE()),
  S: (take) => longBytes(take).toString(),
  x: (take) => Buffer.from(longBytes(take)),
  V: () => null,
};

/** How records are told apart: each ends with 0x1E, or begins with its length (signalr-protocol 3 and 11). */
export type Framing = 'separated' | 'length-prefixed';

/** `too-large`: the record that begins here has more bytes than it may. `malformed`: no record begins here. */
export type NextRecord = Buffer | 'too-large' | 'malformed' | undefined;

const noBytes = Buffer.alloc(0);
const separator = 0x1e;
/** A length is at most 2^31-1, in 7 bits a byte, the low ones first. */
const lengthBytesMax = 5;

/**
 * Makes records out of what a client sends, however it is cut into messages. At most one record that is not whole is
 * kept. A record is valid until the next one, or more bytes, are asked for.
 */
export class RecordReader {
  /** May be changed between two records. */
  framing: Framing = 'separated';
  readonly #recordBytesMax: number;
  #bytes: Buffer = noBytes;
  #start = 0;
  #end = 0;
  /** Nothing before it ends a record. */
  #scanned = 0;

  constructor(recordBytesMax: number) {
    this.#recordBytesMax = recordBytesMax;
  }

  append(data: Buffer): void {
    const left = this.#end - this.#start;
    if (left === 0) {
      this.#use(data, data.length);
      return;
    }
    const needed = left + data.length;
    if (this.#start > 0 || needed > this.#bytes.length) {
      const room = Buffer.allocUnsafe(Math.max(needed, left * 2));
      this.#bytes.copy(room, 0, this.#start, this.#end);
      const scanned = this.#scanned - this.#start;
      this.#use(room, left);
      this.#scanned = scanned;
    }
    data.copy(this.#bytes, this.#end);
    this.#end += data.length;
  }

  next(): NextRecord {
    if (this.#start === this.#end) {
      // Else what came last would be kept for as long as the client is silent.
      this.#use(noBytes, 0);
      return undefined;
    }
    return this.framing === 'separated' ? this.#nextSeparated() : this.#nextPrefixed();
  }

  #nextSeparated(): NextRecord {
    const found = this.#bytes.indexOf(separator, this.#scanned);
    const isWhole = found !== -1 && found < this.#end;
    const end = isWhole ? found : this.#end;
    if (end - this.#start > this.#recordBytesMax) return 'too-large';
    this.#scanned = end;
    return isWhole ? this.#take(this.#start, end, end + 1) : undefined;
  }

  #nextPrefixed(): NextRecord {
    let length = 0;
    for (let index = 0; index < lengthBytesMax; index += 1) {
      const at = this.#start + index;
      if (at >= this.#end) return undefined;
      const byte = this.#bytes[at] ?? 0;
      length += (byte & 0x7f) * 2 ** (7 * index);
      if (length > this.#recordBytesMax) return 'too-large';
      if ((byte & 0x80) !== 0) continue;
      const begin = at + 1;
      return begin + length <= this.#end ? this.#take(begin, begin + length, begin + length) : undefined;
    }
    return 'malformed';
  }

  #take(begin: number, end: number, next: number): Buffer {
    this.#start = next;
    this.#scanned = next;
    return this.#bytes.subarray(begin, end);
  }

  #use(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = end;
    this.#scanned = 0;
  }
}

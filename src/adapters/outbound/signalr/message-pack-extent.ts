/** What follows the first byte of a value: bytes of its length, its own bytes, and values in it for each of its length. */
type Format = { readonly lengthBytes: number; readonly bytes: number; readonly values: number };

const plain = (bytes: number): Format => ({ lengthBytes: 0, bytes, values: 0 });
const sized = (lengthBytes: number, bytes: number, values = 0): Format => ({ lengthBytes, bytes, values });

/** From 0xc0 on (https://github.com/msgpack/msgpack/blob/master/spec.md#formats); 0xc1 is never used. */
const formats: readonly (Format | undefined)[] = [
  plain(0),
  undefined,
  plain(0),
  plain(0),
  ...[1, 2, 4].map((length) => sized(length, 0)),
  ...[1, 2, 4].map((length) => sized(length, 1)),
  ...[4, 8, 1, 2, 4, 8, 1, 2, 4, 8].map(plain),
  ...[1, 2, 4, 8, 16].map((bytes) => plain(bytes + 1)),
  ...[1, 2, 4].map((length) => sized(length, 0)),
  ...[2, 4].map((length) => sized(length, 0, 1)),
  ...[2, 4].map((length) => sized(length, 0, 2)),
];

/**
 * Whether bytes are exactly one MessagePack value, with everything in it that it says is there. A decoder that believes
 * the lengths it reads would make room for thousands of arrays of thousands of items out of a record of some kilobytes.
 */
export function isWholeValue(bytes: Buffer): boolean {
  let at = 0;
  for (let pending = 1; pending > 0; pending -= 1) {
    const first = bytes[at];
    if (first === undefined) return false;
    at += 1;
    if (first <= 0x7f || first >= 0xe0) continue;
    if (first <= 0xbf) {
      if (first <= 0x8f) pending += (first & 0x0f) * 2;
      else if (first <= 0x9f) pending += first & 0x0f;
      else at += first & 0x1f;
      continue;
    }
    const format = formats[first - 0xc0];
    if (!format || at + format.lengthBytes > bytes.length) return false;
    const length = format.lengthBytes === 0 ? 0 : bytes.readUIntBE(at, format.lengthBytes);
    at += format.lengthBytes + format.bytes + (format.values === 0 ? length : 0);
    pending += length * format.values;
  }
  return at === bytes.length;
}

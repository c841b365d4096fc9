const length16 = 126;
const length64 = 127;

/** Where the payload of a frame begins. */
export const payloadStart = (length: number): number => (length < length16 ? 2 : length < 0x1_0000 ? 4 : 10);

/** A frame without its payload: final and, as a server's frames are, unmasked (RFC 6455 section 5.2). */
export function frameWithRoom(opcode: number, length: number): Buffer {
  const start = payloadStart(length);
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x80 | opcode;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = length16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = length64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}

export const opcodeOf = (frame: Buffer): number => (frame[0] ?? 0) & 0x0f;

/** Where the payload of a frame that was made here begins. */
export const payloadStartOf = (frame: Buffer): number => (frame[1] === length64 ? 10 : frame[1] === length16 ? 4 : 2);

/** Where it ends: another frame may follow in the same buffer. */
export function payloadEndOf(frame: Buffer): number {
  const start = payloadStartOf(frame);
  if (start === 2) return start + frame.readUInt8(1);
  return start + (start === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2)));
}

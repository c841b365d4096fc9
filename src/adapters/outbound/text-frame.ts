/** A text frame that is final and, as a server's frames are, unmasked (RFC 6455 section 5.2). */
const finalText = 0x81;
const length16 = 126;
const length64 = 127;

/** The WebSocket frame of a text, built once for all connections that are sent it. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const start = payloadStart(length);
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = finalText;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = length16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = length64;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, start);
  return frame;
}

/** The text of a frame that `textFrame` made, for transports that take no frames. */
export function textOfFrame(frame: Buffer): string {
  const start = frame[1] === length64 ? 10 : frame[1] === length16 ? 4 : 2;
  return frame.toString('utf8', start);
}

const payloadStart = (length: number): number => (length < length16 ? 2 : length < 0x1_0000 ? 4 : 10);

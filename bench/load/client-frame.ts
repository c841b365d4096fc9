/** A frame as a client sends it. Its mask is zero, so that the payload stands there as it is. */
export function clientFrame(payload: string | Buffer, opcode = typeof payload === 'string' ? 1 : 2): Buffer {
  const bytes = Buffer.from(payload);
  const short = bytes.length < 126;
  if (bytes.length > 0xffff) throw new Error('a client of the bench sends no frames that large');
  const head = Buffer.alloc(short ? 6 : 8);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (short ? bytes.length : 126);
  if (!short) head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

import { constants, deflateRawSync } from 'node:zlib';
import { frameWithRoom, opcodeOf, payloadStart, payloadStartOf } from './frame-head.ts';

/** A smaller payload is not worth it. As ws has it by default. */
export const deflatedBytesMin = 1024;

/** RFC 7692 section 6: the first reserved bit says that a message is compressed. */
const rsv1 = 0x40;
/** What a flush ends with, and a message must end without (RFC 7692 section 7.2.1). */
const tailBytes = 4;

const deflated = new WeakMap<Buffer, Buffer>();

/**
 * The frame with its payload compressed by itself, made once however often it is asked for. The frame as it is where
 * that would not pay.
 */
export function deflatedFrame(frame: Buffer): Buffer {
  const known = deflated.get(frame);
  if (known) return known;
  const made = deflate(frame);
  deflated.set(frame, made);
  return made;
}

function deflate(frame: Buffer): Buffer {
  const payload = frame.subarray(payloadStartOf(frame));
  if (payload.length < deflatedBytesMin) return frame;
  const packed = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  const length = packed.length - tailBytes;
  if (length >= payload.length) return frame;
  const made = frameWithRoom(opcodeOf(frame) | rsv1, length);
  packed.copy(made, payloadStart(length), 0, length);
  return made;
}

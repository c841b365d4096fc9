import { frameWithRoom, payloadEndOf, payloadStart, payloadStartOf } from './frame-head.ts';

const textOpcode = 1;

/** The WebSocket frame of a text, built once for all connections that are sent it. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = frameWithRoom(textOpcode, length);
  frame.write(text, payloadStart(length));
  return frame;
}

/** The text of a frame that `textFrame` made, for transports that take no frames. Another frame may follow it. */
export const textOfFrame = (frame: Buffer): string =>
  frame.toString('utf8', payloadStartOf(frame), payloadEndOf(frame));

import { frameWithRoom, payloadStart } from './frame-head.ts';

const binaryOpcode = 2;

/** The WebSocket frame of bytes, built once for all connections that are sent it. */
export function binaryFrame(...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = frameWithRoom(binaryOpcode, length);
  let at = payloadStart(length);
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

import { binaryFrame } from '../binary-frame.ts';
import { textFrame } from '../text-frame.ts';

/** What the encoder of Socket.IO makes of a packet: a text, and the bytes that it refers to; a custom parser's is another. */
export type EncodedPacket = readonly unknown[];

/** A packet in the WebSocket frames of Engine.IO 4, one behind the other. */
export type FramedPacket = { readonly frames: Buffer; readonly isText: boolean };

/** `message` of Engine.IO; its messages of bytes have no such mark. */
const messageType = '4';

/** Nothing for a packet that has parts which are neither text nor bytes. */
export function framePacket(packet: EncodedPacket): FramedPacket | undefined {
  const [only] = packet;
  if (packet.length === 1 && typeof only === 'string') return { frames: textFrame(messageType + only), isText: true };
  const frames = packet.map(frameOf).filter((frame) => frame !== undefined);
  if (frames.length < packet.length || frames.length === 0) return undefined;
  // In one piece: the limit of a send queue is then for whole packets, and nothing comes between the parts.
  return { frames: Buffer.concat(frames), isText: packet.every((part) => typeof part === 'string') };
}

function frameOf(part: unknown): Buffer | undefined {
  if (typeof part === 'string') return textFrame(messageType + part);
  if (part instanceof ArrayBuffer) return binaryFrame(new Uint8Array(part));
  return ArrayBuffer.isView(part)
    ? binaryFrame(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    : undefined;
}

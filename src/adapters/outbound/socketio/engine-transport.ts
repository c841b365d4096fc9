import type { Socket as EngineSocket } from 'engine.io';
import type { WebSocket } from 'ws';
import type { FrameRun } from '../frame-run.ts';
import { textOfFrame } from '../text-frame.ts';
import { isOfWs, type PendingWrite, writeFrames as writeToSocket } from '../write-frames.ts';

/** What is used of Engine.IO 6 that its types do not show. All such use is in this file. */
type EngineInsides = {
  /** Packets that wait until the transport is writable. */
  readonly writeBuffer: readonly unknown[];
  readonly transport: WebSocketTransport & {
    /** Of one that polls and is closing: what it does once a poll has been told so, or half a minute later. */
    readonly shouldClose?: (() => void) | null;
  };
};

/** The transport of one that is on a WebSocket, where it stays. */
export type WebSocketTransport = {
  readonly socket: WebSocket;
  /** Then nothing waits for it: Engine.IO sends at once what it can. */
  readonly writable: boolean;
  readonly perMessageDeflate: unknown;
  readonly supportsBinary: boolean;
};

/**
 * Writes ready frames of Socket.IO packets behind what Engine.IO has sent, in one system call. Engine.IO itself writes
 * such frames past ws (`wsPreEncodedFrame`), but with a system call for each.
 *
 * @param transport what `websocketTransportOf` has found, for who keeps it.
 * @returns true when they have left the process. Else `pending` is told once they have; not when the connection ends before.
 */
export function writeFrames(
  engineSocket: EngineSocket,
  run: FrameRun,
  pending: PendingWrite,
  transport = websocketTransportOf(engineSocket),
): boolean {
  if (transport && (transport.writable || !hasWaitingPackets(engineSocket))) {
    return writeToSocket(transport.socket, run, pending);
  }
  handOver(engineSocket, run.frames, pending);
  return false;
}

/** Whether Engine.IO itself has something to send yet. */
export function hasWaitingPackets(engineSocket: EngineSocket): boolean {
  const { transport, writeBuffer } = insidesOf(engineSocket);
  return !transport.writable && writeBuffer.length > 0;
}

/** Whether it is on a WebSocket of ws, and nothing is compressed, so that ready frames may be written past Engine.IO. */
export function takesFrames(engineSocket: EngineSocket): boolean {
  const websocket = websocketOf(engineSocket);
  return websocket?.extensions === '' && isOfWs(websocket) && !insidesOf(engineSocket).transport.perMessageDeflate;
}

/** Whether it takes bytes as they are. */
export const takesBytes = (engineSocket: EngineSocket): boolean => insidesOf(engineSocket).transport.supportsBinary;

/** For a client that is still polling, or while a packet of Engine.IO's own (CONNECT, ping) is yet to be sent. */
function handOver(engineSocket: EngineSocket, frames: readonly Buffer[], pending: PendingWrite): void {
  for (const [index, frame] of frames.entries()) {
    const options = { compress: false, wsPreEncodedFrame: [frame] };
    // Engine.IO puts the packet type back, which is the first character.
    const packet = textOfFrame(frame).slice(1);
    engineSocket.write(packet, options, index < frames.length - 1 ? undefined : () => pending.written());
  }
}

/** Ends the connection without a word, which is what makes a stock client come back. */
export function cutTransport(engineSocket: EngineSocket): void {
  const websocket = websocketOf(engineSocket);
  if (websocket) {
    websocket.terminate();
    return;
  }
  engineSocket.close(true);
  // One that is closing already is not closed again by that.
  insidesOf(engineSocket).transport.shouldClose?.();
}

/** After a polite close ws would keep unsent bytes until a timer ends the connection. */
export function dropUnsent(engineSocket: EngineSocket): void {
  const websocket = websocketOf(engineSocket);
  if (websocket && websocket.bufferedAmount > 0) websocket.terminate();
}

export const isPolling = (engineSocket: EngineSocket): boolean => engineSocket.transport.name === 'polling';

/** Whether it speaks Engine.IO 3, as `socket.io-client` 1 and 2 do. */
export const isOldClient = (engineSocket: EngineSocket): boolean => engineSocket.protocol === 3;

const insidesOf = (engineSocket: EngineSocket): EngineInsides => engineSocket as unknown as EngineInsides;

const websocketOf = (engineSocket: EngineSocket): WebSocket | undefined => websocketTransportOf(engineSocket)?.socket;

/** `undefined` as long as it is polling. */
export function websocketTransportOf(engineSocket: EngineSocket): WebSocketTransport | undefined {
  return engineSocket.transport.name === 'websocket' ? insidesOf(engineSocket).transport : undefined;
}

import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { FrameRun } from './frame-run.ts';

/** What waits for a transport. */
export interface PendingWrite {
  /** The transport holds nothing of it any more. */
  written(): void;
}

const nothing = Buffer.alloc(0);

/** What is used of ws 8 that its types do not show. All such use is in this file. */
type WebSocketInsides = {
  readonly _socket: Duplex;
  readonly _extensions: {
    readonly 'permessage-deflate'?: { readonly params: { readonly server_max_window_bits?: number } };
  };
};

/**
 * Writes ready frames past ws, in one system call. Nothing once the WebSocket is closing.
 *
 * @returns true when they have left the process already, as they mostly have. Else `pending` is told once they have; not
 * when the connection ends before.
 */
export function writeFrames(websocket: WebSocket, run: FrameRun, pending: PendingWrite): boolean {
  if (websocket.readyState !== websocket.OPEN) return false;
  const { _socket, _extensions } = websocket as unknown as WebSocketInsides;
  const deflate = _extensions['permessage-deflate'];
  // One that wants a small window gets messages that are not compressed, as RFC 7692 allows.
  const isDeflated = deflate !== undefined && deflate.params.server_max_window_bits === undefined;
  return writeBuffers(_socket, isDeflated ? run.deflatedBuffers : run.buffers, pending);
}

/** Whether a WebSocket is one of ws and not of another engine, which has a socket of its own that frames are written to. */
export const isOfWs = (websocket: WebSocket): boolean => {
  const { _socket } = websocket as unknown as Partial<WebSocketInsides>;
  return typeof _socket?.cork === 'function';
};

function writeBuffers(socket: Duplex, buffers: readonly Buffer[], pending: PendingWrite): boolean {
  // Over TLS nothing has left when a write returns.
  if ('encrypted' in socket) {
    writeAll(socket, buffers, telling(pending));
    return false;
  }
  writeAll(socket, buffers);
  if (socket.writableLength === 0 && socket.errored === null && !socket.destroyed) return true;
  // A callback costs more than all the rest, so only those have one that need it. It is called behind what was written.
  socket.write(nothing, telling(pending));
  return false;
}

type Told = (error?: Error | null) => void;

const telling =
  (pending: PendingWrite): Told =>
  (error) => {
    if (!error) pending.written();
  };

function writeAll(socket: Duplex, buffers: readonly Buffer[], told?: Told): void {
  const last = buffers.length - 1;
  if (last > 0) socket.cork();
  for (let index = 0; index <= last; index += 1) socket.write(buffers[index], index === last ? told : undefined);
  if (last > 0) socket.uncork();
}

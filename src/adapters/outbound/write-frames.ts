import type { Duplex } from 'node:stream';
import type { FrameRun } from './frame-run.ts';

/** What waits for a transport. */
export interface PendingWrite {
  /** The transport holds nothing of it any more. */
  written(): void;
}

const nothing = Buffer.alloc(0);

/**
 * Writes ready frames in one system call.
 *
 * @returns true when they have left the process already, as they mostly have. Else `pending` is told once they have; not
 * when the connection ends before.
 */
export function writeFrames(socket: Duplex, { buffers }: FrameRun, pending: PendingWrite): boolean {
  const [first] = buffers;
  if (buffers.length === 1 && first) {
    socket.write(first);
  } else {
    socket.cork();
    for (const buffer of buffers) socket.write(buffer);
    socket.uncork();
  }
  if (socket.writableLength === 0) return socket.errored === null && !socket.destroyed;
  // A callback costs more than all the rest, so only those have one that need it. It is called behind what was written.
  socket.write(nothing, (error) => {
    if (!error) pending.written();
  });
  return false;
}

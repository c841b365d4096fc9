import type { Duplex } from 'node:stream';

/**
 * Writes ready frames in one system call.
 *
 * @param written called once when they have left the process; not when the connection ends before.
 */
export function writeFrames(socket: Duplex, frames: readonly Buffer[], written: () => void): void {
  if (frames.length > 1) socket.cork();
  for (const [index, frame] of frames.entries()) {
    if (index < frames.length - 1) socket.write(frame);
    else socket.write(frame, written);
  }
  socket.uncork();
}

import type { Duplex } from 'node:stream';

/** What a client may send before its upgrade is answered; the protocol wants it to send nothing (RFC 6455 section 4.1). */
const earlyBytesMax = 65_536;

export type UndecidedSocket = {
  /** Aborts when the client has gone. */
  readonly gone: AbortSignal;
  /** It is decided. @returns what has come since the head of the upgrade; from now on somebody else reads. */
  decided(): Buffer;
};

/** Reads a socket while it is decided about an upgrade: nothing else says that its client has gone. */
export function watchUndecided(socket: Duplex): UndecidedSocket {
  const gone = new AbortController();
  const early: Buffer[] = [];
  let earlyBytes = 0;
  const onClose = () => gone.abort();
  const onEnd = () => socket.destroy();
  const onData = (data: Buffer) => {
    earlyBytes += data.length;
    if (earlyBytes > earlyBytesMax) socket.destroy();
    else early.push(data);
  };
  socket.on('close', onClose).on('end', onEnd).on('data', onData);
  return {
    gone: gone.signal,
    decided() {
      socket.off('close', onClose).off('end', onEnd).off('data', onData);
      return Buffer.concat(early);
    },
  };
}

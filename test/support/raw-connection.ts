import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

/** A TCP connection that says exactly what a test wants it to say. */
export type RawConnection = AsyncDisposable & {
  readonly socket: Socket;
  /** Everything that came so far. */
  received(): string;
  send(text: string | Uint8Array): void;
  /** Resolves with what came, once it matches. */
  receives(pattern: RegExp): Promise<string>;
  /** Resolves with what came, once the other side has closed the connection or cut it. */
  closed: Promise<string>;
};

export async function openRawConnection(port: number): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  const closed = new Promise<string>((resolve) => {
    socket.on('error', () => resolve(text));
    socket.on('end', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
  await once(socket, 'connect');
  return {
    socket,
    closed,
    received: () => text,
    send: (bytes) => void socket.write(bytes),
    receives: (pattern) =>
      eventually(() => {
        if (!pattern.test(text)) throw new Error(`${pattern} is not in ${JSON.stringify(text)}`);
        return text;
      }),
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

/** Sends one request and resolves with the whole answer, once the connection is closed. */
export async function rawExchange(port: number, request: string): Promise<string> {
  await using connection = await openRawConnection(port);
  connection.send(request);
  return await connection.closed;
}

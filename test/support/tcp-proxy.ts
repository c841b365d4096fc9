import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A way to a server on this machine that can be cut and stopped without the server knowing of it. */
export type TcpProxy = AsyncDisposable & {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly host: string;
  /** Open connections of clients. */
  readonly connections: number;
  /** Ends every connection with a reset, and each new one as well, until `restore`. */
  cut(): void;
  restore(): void;
  /** Connections stay open, and new ones are taken, but nothing comes through, not even an end, until `resume`. */
  stall(): void;
  resume(): void;
};

/** @param targetPort on 127.0.0.1; a client whose connection it does not take is reset. */
export async function createTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isCut = false;
  let isStalled = false;
  let held: (() => void)[] = [];

  const whenFlowing = (act: () => void): void => {
    if (isStalled) held.push(act);
    else act();
  };
  // Holds one piece; what comes behind it waits in the sockets, so that nothing grows.
  const gate = (): Transform =>
    new Transform({
      transform: (chunk, _encoding, done) => whenFlowing(() => done(null, chunk)),
      flush: (done) => whenFlowing(() => done()),
    });

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true });
    target.on('error', () => {});
    const pair = [client, target] as const;
    pairs.add(pair);
    client.once('close', () => pairs.delete(pair));
    // What ended well has ended on both sides already.
    for (const [ended, other] of [pair, [target, client] as const]) {
      ended.once('close', (hadError) => {
        if (hadError) whenFlowing(() => other.resetAndDestroy());
      });
    }
    client.pipe(gate()).pipe(target);
    target.pipe(gate()).pipe(client);
  });
  const cut = (): void => {
    isCut = true;
    for (const socket of [...pairs].flat()) socket.resetAndDestroy();
    pairs.clear();
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    port: address.port,
    host: `127.0.0.1:${address.port}`,
    get connections() {
      return pairs.size;
    },
    cut,
    restore: () => {
      isCut = false;
    },
    stall: () => {
      isStalled = true;
    },
    resume: () => {
      isStalled = false;
      const acts = held;
      held = [];
      for (const act of acts) act();
    },
    async [Symbol.asyncDispose]() {
      cut();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

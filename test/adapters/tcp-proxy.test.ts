import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** The proxy that fault tests cut brokers with: what it does to a connection is what those tests rest on. */
describe('the TCP proxy of the fault tests', () => {
  let echo: Server;
  let served: Socket[];
  let proxy: TcpProxy;

  beforeEach(async () => {
    served = [];
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      served.push(socket);
      socket.on('error', () => {});
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const address = echo.address();
    proxy = await createTcpProxy(typeof address === 'object' && address !== null ? address.port : 0);
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const socket of served) socket.destroy();
    const closed = once(echo, 'close');
    echo.close();
    await closed;
  });

  test('forwards bytes both ways, all of them, and an end as an end', async () => {
    await using connection = await openRawConnection(proxy.port);
    expect(proxy.host).toBe(`127.0.0.1:${proxy.port}`);
    const megabytes = 'x'.repeat(4_000_000);
    connection.send(megabytes);
    connection.socket.end('the end');
    expect(await connection.closed).toBe(`${megabytes}the end`);
    await eventually(() => expect(proxy.connections).toBe(0));
  });

  test('cut: open connections are reset on both sides, new ones as well, until it is restored', async () => {
    await using connection = await openRawConnection(proxy.port);
    connection.send('one');
    await connection.receives(/one/);
    const reset = resetOf(connection.socket);
    const resetBehind = resetOf(served[0]);
    proxy.cut();
    expect(await reset).toBe('ECONNRESET');
    expect(await resetBehind).toBe('ECONNRESET');
    expect(proxy.connections).toBe(0);

    expect(await resetOf(connect(proxy.port, '127.0.0.1'))).toBe('ECONNRESET');
    expect(served).toHaveLength(1);

    proxy.restore();
    await using again = await openRawConnection(proxy.port);
    again.send('two');
    expect(await again.receives(/two/)).toBe('two');
  });

  test('stall: connections stay open and silent, old and new; what was said arrives when it resumes', async () => {
    await using connection = await openRawConnection(proxy.port);
    connection.send('before ');
    await connection.receives(/before /);
    proxy.stall();
    connection.send('during');
    await using late = await openRawConnection(proxy.port);
    late.send('late');
    await eventually(() => expect(proxy.connections).toBe(2));
    // Loopback takes far less; a time is all that shows that nothing comes.
    await wait(150);
    expect([connection.received(), late.received()]).toEqual(['before ', '']);
    expect([connection.socket.readyState, late.socket.readyState]).toEqual(['open', 'open']);
    proxy.resume();
    expect(await connection.receives(/during/)).toBe('before during');
    expect(await late.receives(/late/)).toBe('late');
  });

  test('stall hides the end of the server as well', async () => {
    await using connection = await openRawConnection(proxy.port);
    connection.send('one');
    await connection.receives(/one/);
    proxy.stall();
    served[0]?.resetAndDestroy();
    await wait(150);
    expect(connection.socket.readyState).toBe('open');
    const reset = resetOf(connection.socket);
    proxy.resume();
    expect(await reset).toBe('ECONNRESET');
  });

  test('a client that goes is gone for the server; a server that is not there resets its client', async () => {
    await using connection = await openRawConnection(proxy.port);
    connection.send('one');
    await connection.receives(/one/);
    const gone = resetOf(served[0]);
    connection.socket.resetAndDestroy();
    expect(await gone).toBe('ECONNRESET');
    await eventually(() => expect(proxy.connections).toBe(0));

    const closed = once(echo, 'close');
    echo.close();
    await closed;
    expect(await resetOf(connect(proxy.port, '127.0.0.1'))).toBe('ECONNRESET');
    // Listening again, for what clears up behind the test.
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
  });
});

/** How the other side ended a connection; also when it did so before the connection was noticed here. */
const resetOf = (socket: Socket | undefined): Promise<string | undefined> =>
  new Promise((resolve) => {
    socket?.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket?.once('close', () => resolve(undefined));
  });

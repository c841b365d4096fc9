import { describe, expect, test } from 'vitest';
import { livenessRoutes } from '../../src/adapters/operations/health-routes.ts';
import { headerBytesMax } from '../../src/adapters/operations/node-server.ts';
import { eventually } from '../support/eventually.ts';
import { startListener } from '../support/listener-fixture.ts';
import { openRawConnection, rawExchange } from '../support/raw-connection.ts';

const healthz = (headers: string): string => `GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n`;

/** A header field so long that the whole request takes as many bytes. */
const padded = (bytes: number): string => healthz(`X-Long: ${'x'.repeat(bytes - healthz('X-Long: \r\n').length)}\r\n`);

describe('headers', () => {
  test('request line and headers together may have 16 KiB', async () => {
    await using fixture = await startListener({}, undefined, [livenessRoutes]);
    // The parser counts without the separators, a few dozen bytes.
    expect(await rawExchange(fixture.address.port, padded(headerBytesMax - 64))).toMatch(/^HTTP\/1.1 200 /);
    const refused = await rawExchange(fixture.address.port, padded(headerBytesMax + 64));
    expect(refused).toMatch(/^HTTP\/1.1 431 .*"status":431/s);
    const query = `?rooms=${'r,'.repeat(headerBytesMax / 2)}`;
    const line = await rawExchange(fixture.address.port, healthz('').replace('/healthz', `/healthz${query}`));
    expect(line).toMatch(/^HTTP\/1.1 431 /);
  });

  test.each([
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a line feed in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\nb\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['two hosts (RFC 9112 section 3.2)', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'],
    [
      'two hosts of an upgrade',
      'GET /ws HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  ])('%s is 400 and closes the connection', async (_what, request) => {
    await using fixture = await startListener();
    expect(await rawExchange(fixture.address.port, request)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect(fixture.observer.observations).toEqual([]);
  });

  test('CONNECT is refused by closing the connection', async () => {
    await using fixture = await startListener();
    expect(await rawExchange(fixture.address.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')).toBe('');
  });
});

describe('time', () => {
  test.each([
    ['a client that says nothing', ''],
    ['headers that never end', 'GET / HTTP/1.1\r\nHost: a\r\n'],
  ])('%s is 408 after the time for headers', async (_what, begin) => {
    await using fixture = await startListener({ headersTimeoutMs: 100 });
    await using connection = await openRawConnection(fixture.address.port);
    connection.send(begin);
    expect(await connection.closed).toMatch(/^HTTP\/1.1 408 .*"status":408/s);
  });

  test('a body that never ends is 408 after the time for the request', async () => {
    await using fixture = await startListener({ headersTimeoutMs: 100, requestTimeoutMs: 200 }, undefined, [
      async (app) => void app.post('/', async () => 'done'),
    ]);
    await using connection = await openRawConnection(fixture.address.port);
    connection.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nabc');
    expect(await connection.closed).toMatch(/^HTTP\/1.1 408 /);
  });

  test('a connection without a request is closed after its time', async () => {
    await using fixture = await startListener({ keepAliveTimeoutMs: 100 }, undefined, [livenessRoutes]);
    await using connection = await openRawConnection(fixture.address.port);
    connection.send('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await connection.closed).toMatch(/^HTTP\/1.1 200 /);
  });

  test('an upgraded connection has no such time', async () => {
    await using fixture = await startListener(
      { headersTimeoutMs: 100, requestTimeoutMs: 100, keepAliveTimeoutMs: 100 },
      (listener) => {
        listener.onUpgrade('/ws', (_request, socket) => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
          socket.on('data', (bytes) => socket.write(bytes));
        });
      },
    );
    await using upgraded = await openRawConnection(fixture.address.port);
    upgraded.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await upgraded.receives(/ 101 /);
    // Opened after it, and so past its time before this one is.
    await using silent = await openRawConnection(fixture.address.port);
    expect(await silent.closed).toMatch(/ 408 /);
    upgraded.send('still here');
    await upgraded.receives(/still here/);
  });
});

describe('connections', () => {
  test('one more than may be is closed at once and observed; the others stay', async () => {
    await using fixture = await startListener({ connectionsMax: 2 }, undefined, [livenessRoutes]);
    await using first = await openRawConnection(fixture.address.port);
    await using second = await openRawConnection(fixture.address.port);
    const third = await openRawConnection(fixture.address.port);
    expect(await third.closed).toBe('');
    expect(fixture.observer.of('listener-full')).toEqual([{ kind: 'listener-full', connectionsMax: 2 }]);
    for (const connection of [first, second]) {
      connection.send('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
      await connection.receives(/ 200 OK/);
    }
    first.socket.destroy();
    await eventually(async () => {
      expect(await rawExchange(fixture.address.port, healthz(''))).toMatch(/ 200 OK/);
    });
  });

  test('a client that closes its side after the request still has its answer', async () => {
    await using fixture = await startListener({}, undefined, [livenessRoutes]);
    await using connection = await openRawConnection(fixture.address.port);
    connection.socket.end(healthz(''));
    expect(await connection.closed).toMatch(/^HTTP\/1.1 200 /);
  });
});

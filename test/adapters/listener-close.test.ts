import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { livenessRoutes } from '../../src/adapters/operations/health-routes.ts';
import { startListener } from '../support/listener-fixture.ts';
import { openRawConnection } from '../support/raw-connection.ts';
import { testCertificate, testCertificateKey } from '../support/test-certificate.ts';

const far = (): AbortSignal => new AbortController().signal;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** A request that is answered when the test says so. */
async function startWithHeldRequest() {
  const held = Promise.withResolvers<ServerResponse>();
  const fixture = await startListener(
    {},
    (listener) => {
      listener.onRequest('/held', (_request, response) => held.resolve(response));
    },
    [livenessRoutes],
  );
  return { ...fixture, held: held.promise };
}

test('connections without a request are ended at once, however the peer sees it', async () => {
  await using fixture = await startListener({}, undefined, [livenessRoutes]);
  await using silent = await openRawConnection(fixture.address.port);
  await using begun = await openRawConnection(fixture.address.port);
  begun.send('GET /healthz HTTP/1.1\r\nHost:');
  await using kept = await openRawConnection(fixture.address.port);
  kept.send(get('/healthz'));
  await kept.receives(/alive/);
  await fixture.listener.close(far());
  await Promise.all([silent.closed, begun.closed, kept.closed]);
});

test('with TLS, too: those that have not agreed on it are not waited for, and upgraded ones are', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'edgeward-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const tls = { certificateFile: join(directory, 'certificate.pem'), keyFile: join(directory, 'key.pem') };
  await writeFile(tls.certificateFile, testCertificate);
  await writeFile(tls.keyFile, testCertificateKey);
  const upgraded = Promise.withResolvers<Duplex>();
  await using fixture = await startListener({ tls }, (listener) => {
    listener.onUpgrade('/upgrade', (_request, socket) => upgraded.resolve(socket));
  });
  const { port } = fixture.address;
  await using silent = await openRawConnection(port);
  const client = connect({ host: '127.0.0.1', port, ca: testCertificate, servername: 'localhost' });
  client.write('GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const socket = await upgraded.promise;
  const closed = fixture.listener.close(far());
  await silent.closed;
  socket.write('it goes on');
  const [text] = await once(client, 'data');
  expect(String(text)).toBe('it goes on');
  client.on('end', () => client.end());
  socket.end();
  await closed;
});

test('a request in progress is answered first, then its connection ends', async () => {
  await using fixture = await startWithHeldRequest();
  await using connection = await openRawConnection(fixture.address.port);
  connection.send(get('/held'));
  const response = await fixture.held;
  const closed = fixture.listener.close(far());
  response.end('here it is');
  await closed;
  expect(await connection.closed).toMatch(/ 200 OK.*here it is/s);
});

test('what comes on such a connection meanwhile is answered 503 with Retry-After', async () => {
  await using fixture = await startWithHeldRequest();
  await using connection = await openRawConnection(fixture.address.port);
  connection.send(get('/held'));
  const response = await fixture.held;
  const closed = fixture.listener.close(far());
  // Pipelined behind the one in progress, and so answered after it.
  connection.send(get('/healthz'));
  await once(response.req.socket, 'data');
  response.end('here it is');
  await closed;
  const [, second] = (await connection.closed).split('here it is');
  expect(second).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
  expect(second).toMatch(/\r\nRetry-After: 1\r\n/);
  expect(second).toMatch(/"status":503/);
});

test('nobody new is let in', async () => {
  await using fixture = await startWithHeldRequest();
  await using connection = await openRawConnection(fixture.address.port);
  connection.send(get('/held'));
  const response = await fixture.held;
  const closed = fixture.listener.close(far());
  await expect(openRawConnection(fixture.address.port)).rejects.toThrow(/ECONNREFUSED/);
  response.end();
  await closed;
});

describe('the deadline', () => {
  test('cuts a request that takes too long', async () => {
    await using fixture = await startWithHeldRequest();
    await using connection = await openRawConnection(fixture.address.port);
    connection.send(get('/held'));
    await fixture.held;
    const deadline = new AbortController();
    const closed = fixture.listener.close(deadline.signal);
    deadline.abort();
    await closed;
    expect(await connection.closed).toBe('');
  });

  test('cuts an upgraded connection that its endpoint has left open, which is waited for until then', async () => {
    const deadline = new AbortController();
    await using fixture = await startListener({}, (listener) => {
      listener.onUpgrade('/ws', (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('data', (bytes) => socket.write(bytes));
      });
    });
    await using connection = await openRawConnection(fixture.address.port);
    connection.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await connection.receives(/ 101 /);
    let done = false;
    const closed = fixture.listener.close(deadline.signal).then(() => {
      done = true;
    });
    connection.send('still served');
    await connection.receives(/still served/);
    expect(done).toBe(false);
    deadline.abort();
    await closed;
    await connection.closed;
  });

  test('that has passed already cuts at once', async () => {
    await using fixture = await startWithHeldRequest();
    await using connection = await openRawConnection(fixture.address.port);
    connection.send(get('/held'));
    await fixture.held;
    await fixture.listener.close(AbortSignal.abort());
    await connection.closed;
  });
});

test('closing twice is closing once', async () => {
  await using fixture = await startListener();
  const first = fixture.listener.close(far());
  expect(fixture.listener.close(far())).toBe(first);
  await first;
});

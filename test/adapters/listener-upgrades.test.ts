import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { livenessRoutes } from '../../src/adapters/operations/health-routes.ts';
import type { HttpListener } from '../../src/adapters/operations/http-listener.ts';
import { startListener } from '../support/listener-fixture.ts';
import { openRawConnection, rawExchange } from '../support/raw-connection.ts';

const upgradeTo = (path: string, protocol = 'websocket', more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
  `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

/** Greets with its name whoever upgrades to the path. */
const greet = (listener: HttpListener, path: string) => {
  const server = new WebSocketServer({ noServer: true });
  listener.onUpgrade(path, (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (client) => client.send(`${path} got ${request.url}`));
  });
};

test('each path has its own endpoint, with or without a query or a slash at the end', async () => {
  await using fixture = await startListener({}, (listener) => {
    greet(listener, '/socket.io/');
    greet(listener, '/subscribe');
  });
  const url = fixture.address.url.replace('http', 'ws');
  for (const [path, endpoint] of [
    ['/socket.io/?EIO=4&transport=websocket', '/socket.io/'],
    ['/socket.io', '/socket.io/'],
    ['/subscribe', '/subscribe'],
    ['/subscribe/?a', '/subscribe'],
  ]) {
    const client = new WebSocket(`${url}${path}`);
    const [message] = await once(client, 'message');
    expect(String(message)).toBe(`${endpoint} got ${path}`);
    client.terminate();
  }
});

describe('what is refused', () => {
  test.each(['/', '/nothing', '/socket.io/deeper', '/Socket.IO/', '/healthz', '/socket%2Eio/', '//socket.io/'])(
    'an upgrade to %s is a clean 404, and the connection is closed',
    async (path) => {
      await using fixture = await startListener({}, (listener) => greet(listener, '/socket.io/'), [livenessRoutes]);
      const answer = await rawExchange(fixture.address.port, upgradeTo(`${path}?token=abc`));
      const [head, body] = answer.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
      expect(head).toMatch(/\r\nConnection: close/);
      expect(JSON.parse(body ?? '')).toEqual({ title: 'Not Found', status: 404 });
      expect(fixture.observer.observations).toEqual([]);
    },
  );

  test('the connection is gone even if the peer never closes its side', async () => {
    await using fixture = await startListener();
    await using connection = await openRawConnection(fixture.address.port);
    connection.send(upgradeTo('/nothing'));
    expect(await connection.closed).toMatch(/ 404 /);
    await fixture.listener.close(new AbortController().signal);
  });

  test('a stock WebSocket client sees the 404', async () => {
    await using fixture = await startListener();
    const client = new WebSocket(`${fixture.address.url.replace('http', 'ws')}/nothing`);
    const [error] = await once(client, 'error');
    expect(error.message).toBe('Unexpected server response: 404');
  });
});

test('spike 10: an upgrade to another protocol is no upgrade, and is answered as usual (RFC 9110 7.8)', async () => {
  await using fixture = await startListener({}, (listener) => greet(listener, '/socket.io/'), [livenessRoutes]);
  const answer = await rawExchange(
    fixture.address.port,
    upgradeTo('/healthz', 'h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n').replace(
      'Connection: Upgrade',
      'Connection: Upgrade, close',
    ),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
  const toEndpoint = upgradeTo('/socket.io/', 'h2c').replace('Connection: Upgrade', 'Connection: Upgrade, close');
  expect(await rawExchange(fixture.address.port, toEndpoint)).toMatch(/^HTTP\/1\.1 404 /);
});

test('a handler that throws loses its own connection only, and is observed', async () => {
  await using fixture = await startListener(
    {},
    (listener) => {
      listener.onUpgrade('/broken', () => {
        throw new Error('never should');
      });
    },
    [livenessRoutes],
  );
  expect(await rawExchange(fixture.address.port, upgradeTo('/broken'))).toBe('');
  expect(fixture.observer.of('listener-fault')).toHaveLength(1);
  expect((await fetch(`${fixture.address.url}/healthz`)).status).toBe(200);
});

test('a peer that resets while its endpoint still thinks harms nobody', async () => {
  const upgraded = Promise.withResolvers<Duplex>();
  await using fixture = await startListener(
    {},
    (listener) => {
      listener.onUpgrade('/slow', (_request, socket) => upgraded.resolve(socket));
    },
    [livenessRoutes],
  );
  await using connection = await openRawConnection(fixture.address.port);
  connection.send(upgradeTo('/slow'));
  const socket = await upgraded.promise;
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.resume();
  connection.socket.resetAndDestroy();
  await closed;
  expect((await fetch(`${fixture.address.url}/healthz`)).status).toBe(200);
});

test('bytes that came with the upgrade are handed over', async () => {
  const upgraded = Promise.withResolvers<Buffer>();
  await using fixture = await startListener({}, (listener) => {
    listener.onUpgrade('/early', (_request, socket, head) => {
      upgraded.resolve(head);
      socket.destroy();
    });
  });
  await using connection = await openRawConnection(fixture.address.port);
  connection.send(`${upgradeTo('/early')}frame`);
  expect(String(await upgraded.promise)).toBe('frame');
});

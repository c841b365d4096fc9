import { Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openRawConnection } from '../support/raw-connection.ts';
import { startEndpoint } from '../support/socketio-fixture.ts';

const upgrade = (query: string) =>
  [
    `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1`,
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');

/** What sockets write in one system call each. */
const systemCalls = (port: number) => {
  const spies = (['_write', '_writev'] as const).map((name) => vi.spyOn(Socket.prototype, name));
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return () => spies.flatMap(({ mock }) => mock.contexts.filter((socket) => (socket as Socket).localPort === port));
};

test('the answer to an upgrade and the first packet leave in one system call', async () => {
  const { port } = await startEndpoint();
  const calls = systemCalls(port);
  await using connection = await openRawConnection(port);
  connection.send(upgrade(''));
  expect(await connection.receives(/0\{"sid":/)).toMatch(/^HTTP\/1.1 101 /);
  expect(calls()).toHaveLength(1);
});

test('one that has polled is answered, though no packet of the server follows', async () => {
  const { port, url } = await startEndpoint({ allowPolling: true });
  const opened = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  await using connection = await openRawConnection(port);
  connection.send(upgrade(`&sid=${sid}`));
  expect(await connection.receives(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 101 /);
});

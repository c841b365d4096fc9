import { Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openRawConnection, rawExchange } from '../support/raw-connection.ts';
import { clientFrame, startEndpoint } from '../support/socketio-fixture.ts';

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

const poll = ['GET /socket.io/?EIO=4&transport=polling HTTP/1.1', 'Host: a', 'Connection: close', '\r\n'].join('\r\n');

const sidIn = (opened: string): string => /"sid":"([^"]+)"/.exec(opened)?.[1] ?? expect.unreachable();

test('one that has polled is answered, though no packet of the server follows', async () => {
  const { port } = await startEndpoint({ allowPolling: true });
  const sid = sidIn(await rawExchange(port, poll));
  await using connection = await openRawConnection(port);
  connection.send(upgrade(`&sid=${sid}`));
  expect(await connection.receives(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 101 /);
});

test('a session on a WebSocket is taken over by no second one', async () => {
  const { port } = await startEndpoint();
  await using first = await openRawConnection(port);
  first.send(upgrade(''));
  const sid = sidIn(await first.receives(/0\{"sid":/));
  await using second = await openRawConnection(port);
  second.send(upgrade(`&sid=${sid}`));
  await second.receives(/^HTTP\/1.1 101 /);
  second.send(clientFrame('2probe'));
  // A close frame, and no `3probe`.
  expect((await second.closed).split('\r\n\r\n')[1]).toHaveLength(2);
  expect(first.socket.readyState).toBe('open');
});

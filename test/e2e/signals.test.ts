import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { connectClient, developmentToken } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startEdgeward, startGatewayProcess } from '../support/gateway-process.ts';

test('SIGTERM: clients are told to come back, the process ends with 0', async () => {
  await using gateway = await startGatewayProcess();
  using client = await connectClient(gateway.url, await developmentToken(gateway.url, { tenant: 'a', roles: ['edgeward.client'] }));
  const gone = new Promise<string>((resolve) => client.socket.once('disconnect', resolve));
  gateway.signal('SIGTERM');
  expect(await gateway.exited).toBe(0);
  // "transport close" is what the stock client reconnects after; "io server disconnect" is not.
  expect(await gone).toBe('transport close');
  expect(client.socket.active).toBe(true);
});

test('a second signal ends the process at once', async () => {
  await using gateway = await startGatewayProcess();
  // A request that never ends keeps the listener from closing before the deadline.
  const hanging = fetch(`${gateway.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"stream":')) }),
    duplex: 'half',
  } as RequestInit);
  hanging.catch(() => undefined);
  gateway.signal('SIGTERM');
  await eventually(() => expect(gateway.output()).toMatch(/drain|stopping/i));
  gateway.signal('SIGTERM');
  expect(await gateway.exited).not.toBe(0);
});

test('a port in use: says which, and what to do', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const address = holder.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { output, exited } = startEdgeward({ env: { PORT: String(port) } });
  const code = await exited;
  holder.close();
  expect({ code, output: output() }).toEqual({ code: 4, output: expect.stringContaining(String(port)) });
  expect(output()).not.toMatch(/\n\s+at /);
});

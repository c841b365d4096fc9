import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { configFile } from '../support/config-file.ts';
import { connectClient, developmentToken } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startEdgeward, startGatewayProcess, startMsMax } from '../support/gateway-process.ts';

test('SIGTERM: clients are told to come back, the process ends with 0', async () => {
  await using gateway = await startGatewayProcess();
  using client = await connectClient(
    gateway.url,
    await developmentToken(gateway.url, { tenant: 'a', roles: ['edgeward.client'] }),
  );
  const gone = new Promise<string>((resolve) => client.socket.once('disconnect', resolve));
  gateway.signal('SIGTERM');
  expect(await gateway.exited).toBe(0);
  // "transport close" is what the stock client reconnects after; "io server disconnect" is not.
  expect(await gone).toBe('transport close');
  expect(client.socket.active).toBe(true);
});

test('a second signal ends the process at once', async () => {
  await using gateway = await startGatewayProcess();
  await beginRequest(gateway.url);
  gateway.signal('SIGTERM');
  await eventually(() => expect(gateway.output()).toContain('draining'));
  let code: number | null | undefined;
  void gateway.exited.then((ended) => {
    code = ended;
  });
  // The same Ctrl-C can come twice, from the terminal and from npm, so that one right behind the first is not a second.
  await eventually(() => {
    gateway.signal('SIGTERM');
    expect(code).toBe(130);
  });
});

test('SIGTERM while a broker is silent at the start: the process ends soon, with 0 and without an error', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const source = { amqp: { urls: [`amqp://127.0.0.1:${port}`], bindings: { e: 'topic' }, startTimeoutMs: 60_000 } };
  await using config = await configFile({
    development: true,
    listen: { port: 0 },
    sources: [source],
    identity: { tokens: { development: { development: true, variables: { tenant: ['tenant'] } } } },
    endpoints: [
      {
        websocket: {
          credentials: [{ from: 'query.jwt', accepts: ['development'] }],
          exchanges: { e: { public: true } },
        },
      },
    ],
  });
  const { process: child, output, exited } = startEdgeward({ args: ['start', config.file] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(silent, 'connection');
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(output()).toContain('gateway has stopped');
  expect(output()).not.toContain('edgeward:');
});

test('SIGTERM while a session that has ended waits for a poll to be told so: nobody waits for it', async () => {
  await using config = await configFile({
    development: true,
    listen: { port: 0 },
    sources: [{ memory: { onDeadLetter: 'discard' } }],
    identity: { tokens: { development: { development: true, variables: { tenant: ['tenant'] } } } },
    endpoints: [
      {
        socketio: {
          allowPolling: true,
          credentials: [{ from: 'auth.token', accepts: ['development'] }],
          rooms: [{ templates: ['{tenant}'] }],
        },
      },
    ],
    routes: [{ firstOf: ['{Tenant-Id}'] }],
  });
  await using gateway = await startGatewayProcess({ args: ['start', config.file] });
  const url = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(url)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  // No packet of Socket.IO, which ends the session. Engine.IO would keep it for half a minute.
  const posted = await fetch(`${url}&sid=${sid}`, {
    method: 'POST',
    body: '4x',
    headers: { 'content-type': 'text/plain' },
  });
  expect(await posted.text()).toBe('ok');
  let code: number | null | undefined;
  void gateway.exited.then((ended) => {
    code = ended;
  });
  gateway.signal('SIGTERM');
  await eventually(() => expect(code).toBe(0));
});

test('a gateway whose standard output nobody reads any more goes on serving', async () => {
  const { process: child, output, exited } = startEdgeward();
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  // As "edgeward start | head -1" does, long before the last line is printed.
  child.stdout?.destroy();
  await eventually(() => expect(output()).toContain('gateway is up'), startMsMax);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0];
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(output()).toContain('gateway has stopped');
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

/** Begins a request whose body never comes, which keeps the gateway from closing before its deadline. */
async function beginRequest(url: string): Promise<void> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const token = await developmentToken(url, { tenant: 'a', roles: ['edgeward.publisher'] });
  const headers = 'Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue';
  const authorization = `Authorization: Bearer ${token}`;
  socket.write(`POST /v1/events HTTP/1.1\r\nHost: ${host}\r\n${authorization}\r\n${headers}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toContain('100 Continue');
}

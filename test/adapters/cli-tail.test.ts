import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeCommandIo } from '../support/fake-command-io.ts';
import { startSocketioGateway } from '../support/socketio-gateway.ts';

/** Runs `tail` against a URL with the real client. */
function startTail(url: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const cli = fakeCommandIo({ fetch, env });
  onTestFinished(() => cli.interrupt());
  return { ...cli, exit: cli.run('tail', '--url', url, ...args) };
}

const connected = (tail: { stderr(): string }, times = 1) =>
  eventually(() => expect(tail.stderr().match(/connected to/g)).toHaveLength(times));

describe('events', () => {
  test('are printed as they arrive, one a line, and nothing else is on the standard output', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(gateway.url, ['--count', '2']);
    await connected(tail);
    gateway.io.emit('prices.v1', { price: 1 }, { tenantId: '42' });
    gateway.io.emit('greetings', 'hello', { tenantId: '42' });
    gateway.io.emit('one-too-many', null, {});
    expect(await tail.exit).toBe(0);
    expect(tail.stdout()).toBe(
      '2026-01-01T00:00:00.000Z  prices.v1  {"tenantId":"42"}  {"price":1}\n' +
        '2026-01-01T00:00:00.000Z  greetings  {"tenantId":"42"}  "hello"\n',
    );
    expect(tail.stderr()).toBe(`edgeward: connected to ${gateway.url}\n`);
  });

  test('--json', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(gateway.url, ['--count', '1', '--json']);
    await connected(tail);
    gateway.io.emit('prices.v1', { price: 1 }, { tenantId: '42' });
    await tail.exit;
    expect(JSON.parse(tail.stdout())).toMatchObject({
      name: 'prices.v1',
      data: { price: 1 },
      meta: { tenantId: '42' },
    });
  });
});

describe('what the gateway is told', () => {
  test('the token, the topics, the rooms, other fields; over WebSocket only', async () => {
    await using gateway = await startSocketioGateway();
    const query = ['--topics', 'a, b', '--topics', 'c', '--room', 'x/1', '--room', 'y', '--query', 'sessionId=a=b'];
    const tail = startTail(gateway.url, ['--token', 'given', ...query]);
    await connected(tail);
    const [client] = gateway.clients;
    expect(client?.handshake.auth).toEqual({ token: 'given' });
    expect(client?.handshake.query).toMatchObject({ topics: 'a,b,c', rooms: 'x/1,y', sessionId: 'a=b' });
    expect(client?.handshake.query['transport']).toBe('websocket');
  });

  test('a token of the development issuer, where none is given', async () => {
    await using gateway = await startSocketioGateway({ issues: true });
    const tail = startTail(gateway.url);
    await connected(tail);
    expect(gateway.clients[0]?.handshake.auth).toEqual({ token: 'token-1' });
  });

  test('the token of the environment', async () => {
    await using gateway = await startSocketioGateway({ issues: true });
    const tail = startTail(gateway.url, [], { EDGEWARD_TOKEN: 'variable' });
    await connected(tail);
    expect(gateway.clients[0]?.handshake.auth).toEqual({ token: 'variable' });
    expect(gateway.tokensIssued()).toBe(0);
  });

  test('a namespace', async () => {
    await using gateway = await startSocketioGateway();
    gateway.io.of('/chat').on('connection', (socket) => void socket.emit('here', socket.nsp.name));
    const tail = startTail(gateway.url, ['--namespace', 'chat', '--count', '1']);
    expect(await tail.exit).toBe(0);
    expect(tail.stdout()).toContain('here  "/chat"');
  });
});

describe('refusals', () => {
  test('end it with 5 and say their code', async () => {
    await using gateway = await startSocketioGateway({ admit: () => ({ code: 'access_denied' }) });
    const tail = startTail(gateway.url, ['--token', 'hunter2']);
    expect(await tail.exit).toBe(5);
    expect(tail.stderr()).toBe(`edgeward: ${gateway.url} refuses the connection: access_denied: Not you.\n`);
  });

  test('for want of a token say how to give one', async () => {
    await using gateway = await startSocketioGateway({ admit: () => ({ code: 'token_missing' }) });
    const tail = startTail(gateway.url);
    expect(await tail.exit).toBe(5);
    expect(tail.stderr()).toMatch(/token_missing: Not you\. Put a token into the environment variable EDGEWARD_TOKEN/);
  });

  test('an unknown namespace is one', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(gateway.url, ['--namespace', '/nope']);
    expect(await tail.exit).toBe(5);
    expect(tail.stderr()).toContain('Invalid namespace');
  });

  test('being sent away is one, and the stock client does not come back', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(gateway.url);
    await connected(tail);
    gateway.clients[0]?.disconnect();
    expect(await tail.exit).toBe(5);
    expect(tail.stderr()).toContain('has ended the connection for good');
  });

  test('"try later" is none: it comes back after the time that it was told', async () => {
    let asked = 0;
    await using gateway = await startSocketioGateway({
      admit: () => {
        asked += 1;
        return asked < 3 ? { code: 'try_later', retryAfterMs: 20 } : undefined;
      },
    });
    const tail = startTail(gateway.url);
    await connected(tail);
    expect(tail.stderr()).toBe(
      `${'edgeward: the gateway cannot tell now (try_later); coming back in 20 ms\n'.repeat(2)}` +
        `edgeward: connected to ${gateway.url}\n`,
    );
  });
});

describe('a connection that is lost', () => {
  test('is made again, and events go on', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(gateway.url, ['--count', '1']);
    await connected(tail);
    gateway.clients[0]?.conn.close();
    await connected(tail, 2);
    expect(tail.stderr()).toContain('connection lost (transport close); connecting again');
    gateway.io.emit('after', 1, {});
    expect(await tail.exit).toBe(0);
  });

  test('is made again when the gateway is, with a token of the new one', async () => {
    let isDown = false;
    let oldTokensCount = true;
    await using gateway = await startSocketioGateway({
      issues: true,
      isDown: () => isDown,
      admit: ({ handshake }) =>
        oldTokensCount || handshake.auth['token'] !== 'token-1' ? undefined : { code: 'token_signature_invalid' },
    });
    const tail = startTail(gateway.url);
    await connected(tail);
    isDown = true;
    oldTokensCount = false;
    gateway.clients[0]?.conn.close();
    await eventually(() => expect(tail.stderr()).toMatch(/cannot reach .*; trying again/));
    isDown = false;
    await connected(tail, 2);
    expect(tail.stderr()).toContain('the token is no longer taken (token_signature_invalid); asking for another one');
    expect(gateway.clients[1]?.handshake.auth).toEqual({ token: 'token-2' });
    expect(gateway.tokensIssued()).toBe(2);
  });

  test('is not made again for ever with tokens that are not taken', async () => {
    let admitted = false;
    await using gateway = await startSocketioGateway({
      issues: true,
      admit: () => {
        if (admitted) return { code: 'token_expired' };
        admitted = true;
        return undefined;
      },
    });
    const tail = startTail(gateway.url);
    await connected(tail);
    gateway.clients[0]?.conn.close();
    expect(await tail.exit).toBe(5);
    expect(gateway.tokensIssued()).toBe(2);
  });
});

describe('nobody there', () => {
  test('at first ends it with 4', async () => {
    const gateway = await startSocketioGateway();
    await gateway[Symbol.asyncDispose]();
    const tail = startTail(gateway.url, ['--token', 'given']);
    expect(await tail.exit).toBe(4);
    expect(tail.stderr()).toMatch(/Cannot reach http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED.*edgeward start/);
  });

  test('who speaks Socket.IO ends it with 4 too', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(`${gateway.url}/elsewhere`, ['--token', 'given']);
    expect(await tail.exit).toBe(4);
    expect(tail.stderr()).toMatch(/Cannot reach http:\/\/127\.0\.0\.1:\d+\/elsewhere: /);
  });
});

describe('an interruption ends it at once with 130 and without a word', () => {
  test('while it waits for events', async () => {
    await using gateway = await startSocketioGateway();
    const tail = startTail(gateway.url);
    await connected(tail);
    tail.interrupt();
    expect(await tail.exit).toBe(130);
    expect(tail.stderr()).toBe(`edgeward: connected to ${gateway.url}\n`);
    await eventually(() => expect(gateway.io.sockets.sockets.size).toBe(0));
  });

  test('while it waits to come back', async () => {
    await using gateway = await startSocketioGateway({ admit: () => ({ code: 'try_later', retryAfterMs: 50_000 }) });
    const tail = startTail(gateway.url);
    await eventually(() => expect(tail.stderr()).toContain('coming back in 50000 ms'));
    tail.interrupt();
    expect(await tail.exit).toBe(130);
  });
});

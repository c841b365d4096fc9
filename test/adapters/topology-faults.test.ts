import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeCommandIo } from '../support/fake-command-io.ts';
import { startPubSubEmulator } from '../support/pubsub-emulator.ts';
import { describeWithOwnPubSub } from '../support/with-brokers.ts';
import { apply, configFile } from './topology-fixture.ts';

const discard = { onDeadLetter: 'discard' };
const settings = { project: 'shop', subscriptions: ['orders.v1:edge'], ...discard };
const withEmulator = (emulator: string) => configFile([{ pubsub: { ...settings, emulator } }]);

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a Pub/Sub that is not there', () => {
  test('is told by its address, and nothing else is tried', async () => {
    const { code, lines, stderr } = await apply(withEmulator('127.0.0.1:1'));
    expect({ code, lines }).toEqual({ code: 4, lines: ['1 failed, 1 not looked at'] });
    expect(stderr).toMatch(
      /^edgeward: source "pubsub": Pub\/Sub at 127\.0\.0\.1:1 does not answer for topic projects\/shop\/topics\/orders\.v1; .*ECONNREFUSED.*\n$/,
    );
  });

  test('is told by its name, where nobody knows that', async () => {
    const { code, stderr } = await apply(withEmulator('pubsub.invalid:8085'));
    expect(code).toBe(4);
    expect(stderr).toMatch(/Pub\/Sub at pubsub\.invalid:8085 does not answer .*Name resolution failed/);
  });

  test('is waited for no longer than ten seconds', async () => {
    const silent = await listen(createServer());
    const begun = performance.now();
    const { code, stderr } = await apply(withEmulator(silent));
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringMatching(new RegExp(`Pub/Sub at ${silent} does not answer .*no answer within 10 s`)),
    });
    expect(performance.now() - begun).toBeLessThan(13_000);
  });

  test('is waited for no longer than until Ctrl-C', async () => {
    const server = createServer();
    const connected = once(server, 'connection');
    const cli = fakeCommandIo();
    const begun = performance.now();
    const applied = apply(withEmulator(await listen(server)), {}, cli);
    await connected;
    cli.interrupt();
    expect(await applied).toEqual({ code: 130, lines: ['1 failed, 1 not looked at'], stderr: '' });
    expect(performance.now() - begun).toBeLessThan(9000);
  });

  test('is not mistaken for another server', async () => {
    const other = await listen(createHttpServer((_request, response) => void response.writeHead(404).end()));
    const { code, lines, stderr } = await apply(withEmulator(other));
    expect(code).toBeGreaterThan(0);
    expect(lines.join()).not.toMatch(/created|exists/);
    expect(stderr).toContain(`Pub/Sub at ${other} `);
  });
});

describeWithOwnPubSub('an emulator that is frozen', () => {
  test('is waited for no longer than ten seconds, and what was made is found afterwards', async () => {
    await using emulator = await startPubSubEmulator();
    const file = withEmulator(emulator.host);
    emulator.freeze();
    expect(await apply(file)).toMatchObject({ code: 4, lines: ['1 failed, 1 not looked at'] });
    emulator.thaw();
    await eventually(async () => expect(await apply(file)).toMatchObject({ code: 0 }));
    expect((await apply(file)).lines.at(-1)).toBe('2 exist');
  });
});

describe('a file with credentials', () => {
  /** Another file of the same folder, which is gone with it. */
  const keyFile = () => configFile([]).replace('gateway.yaml', 'key.json');
  const withKey = (credentialsFile: string) =>
    configFile([{ pubsub: { ...settings, apiEndpoint: '127.0.0.1:1', credentialsFile } }]);

  test('that is not there is told, and nothing else is tried', async () => {
    expect(await apply(withKey(keyFile()))).toEqual({
      code: 5,
      lines: ['1 failed, 1 not looked at'],
      stderr: expect.stringMatching(/there are no credentials for Pub\/Sub at 127\.0\.0\.1:1 that can be used; .*\n$/),
    });
  });

  test('is never shown', async () => {
    const file = keyFile();
    writeFileSync(file, '{"type":"service_account","private_key":"hunter2"}');
    const { code, stderr } = await apply(withKey(file));
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain('127.0.0.1:1');
    expect(stderr).not.toContain('hunter2');
  });
});

describe('nothing is connected to', () => {
  test('when the config has problems', async () => {
    const file = configFile([{ pubsub: { project: 'shop', subscriptions: ['orders.v1:edge'], ordred: true } }]);
    const { code, lines, stderr } = await apply(file);
    expect({ code, lines }).toEqual({ code: 3, lines: [] });
    // As `check` prints them.
    expect(stderr).toMatch(/gateway\.yaml:1:\d+ {2}sources\[0\]\.pubsub\.ordred: .*ordered/);
    expect(stderr).toContain('say where dead letters go');
  });

  test('when there is no such file', async () => {
    expect(await apply('/no/such/gateway.yaml')).toEqual({
      code: 3,
      lines: [],
      stderr: '/no/such/gateway.yaml: there is no such file\n',
    });
  });

  test('when there is no broker', async () => {
    const file = configFile([{ memory: discard }]);
    const stderr = `edgeward: ${file} names no broker that anything could be made at; there is nothing to do\n`;
    expect(await apply(file)).toEqual({ code: 0, lines: [], stderr });
  });
});

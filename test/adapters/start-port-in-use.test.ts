import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { demoPreset } from '../../src/bootstrap/read-config.ts';
import { start } from '../../src/bootstrap/start.ts';
import { fakeCommandIo } from '../support/fake-command-io.ts';

/** A port of this machine that another program has. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

test.each([
  ['the demo, which has no file to change', undefined, 'For another port: PORT=9090 npx edgeward start\n'],
  ['a config', demoPreset, ''],
])('of %s, a port that is in use is told with the way out', async (_, file, hint) => {
  const port = await takenPort();
  const cli = fakeCommandIo({ env: { PORT: String(port), LOG_LEVEL: 'silent' } });
  expect(await start(file, cli.io)).toBe(4);
  expect(cli.stderr()).toBe(
    `edgeward: Cannot listen on 127.0.0.1 port ${port}: the port is in use. ` +
      `Stop the program that has it, or choose another one with listen.port.\n${hint}`,
  );
});

import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess, watchProcess } from '../support/gateway-process.ts';

const run = promisify(execFile);
const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

test('examples/publish.sh publishes what examples/receive.mjs receives', async () => {
  await using gateway = await startGatewayProcess();
  const receiver = watchProcess(
    spawn(process.execPath, [example('receive.mjs'), gateway.url], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  onTestFinished(() => void receiver.process.kill('SIGKILL'));
  await eventually(() => expect(receiver.output()).toContain('connected'));
  const { stdout } = await run(example('publish.sh'), [gateway.url]);
  expect(JSON.parse(stdout)).toEqual({ events: [{ id: expect.any(String) }] });
  await eventually(() => expect(receiver.output()).toMatch(/orders\.created.*4711/));
});

test.each([
  ['publish.sh', 'sh'],
  ['receive.mjs', process.execPath],
])('examples/%s says so and stops where it gets no token', async (name, program) => {
  await using gateway = await startGatewayProcess();
  // Nothing listens on port 1; below a path of its own the gateway has no tokens.
  for (const url of ['http://127.0.0.1:1', `${gateway.url}/elsewhere`]) {
    const { exited, output } = watchProcess(
      spawn(program, [example(name), url], { stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    expect(await exited).toBe(1);
    expect(output()).toContain(`No token from ${url}: is the demo running there (npm start)?`);
  }
});

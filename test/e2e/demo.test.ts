import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess, type WatchedProcess, watchProcess } from '../support/gateway-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a line as somebody who copies it into a terminal in the project's folder. */
function runLine(line: string): WatchedProcess {
  const watched = watchProcess(
    spawn(line, { cwd: root, shell: true, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  onTestFinished(async () => {
    const { exitCode, pid } = watched.process;
    // The shell and what it started are a group of their own.
    if (exitCode === null && pid !== undefined) process.kill(-pid, 'SIGKILL');
    await watched.exited;
  });
  return watched;
}

test('the two lines that a start prints show an event arriving', async () => {
  await using gateway = await startGatewayProcess();
  const lines = gateway.output().trimEnd().split('\n');
  const [tail = '', publish = ''] = lines.slice(-2);
  expect(lines.filter((line) => line.startsWith('npx edgeward'))).toEqual([tail, publish]);
  expect(tail).toMatch(/^npx edgeward tail\b/);
  expect(publish).toMatch(/^npx edgeward publish\b/);
  // No token: three parts in base64url.
  expect(`${tail} ${publish}`).not.toMatch(/eyJ|[\w-]{20,}\.[\w-]{20,}/);

  const tailing = runLine(tail);
  await eventually(() => expect(tailing.output()).toMatch(/connected|waiting/i));
  const publishing = runLine(publish);
  expect({ code: await publishing.exited, output: publishing.output() }).toMatchObject({ code: 0 });
  const stream = /publish (\S+)/.exec(publish)?.[1] ?? '';
  await eventually(() => expect(tailing.output()).toContain(stream));
  expect(tailing.output()).toContain('4711');
});

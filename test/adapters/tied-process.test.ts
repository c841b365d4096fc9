import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startTiedProcess } from '../support/tied-process.ts';

const helper = new URL('../support/tied-process.ts', import.meta.url).href;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a broker of the tests ends with the run, however that ends; also when it is frozen; with what it started', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'edgeward-'));
  const pidFile = join(folder.path, 'pids');
  const program = `sleep 600 & echo $$ $! > ${pidFile}; echo serving; wait`;
  const script = `
    import { startTiedProcess } from ${JSON.stringify(helper)};
    const tied = await startTiedProcess('sh', { args: ['-c', ${JSON.stringify(program)}], ready: /serving/ });
    tied.signal('SIGSTOP');
    process.stdout.write('frozen');
    setTimeout(() => {}, 600_000);
  `;
  const run = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(String(await once(run.stdout, 'data'))).toBe('frozen');
  const pids = readFileSync(pidFile, 'utf8').trim().split(' ').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  const ended = once(run, 'exit');
  run.kill('SIGKILL');
  await ended;
  await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]));
});

test('a program that ends, or that is not there, says what it said', async () => {
  const ended = startTiedProcess('sh', { args: ['-c', 'echo out; echo err >&2; exit 3'], ready: /never/ });
  await expect(ended).rejects.toThrow(/^sh ended before it served:\n(out\nerr|err\nout)$/);
  await expect(startTiedProcess('edgeward-no-such-program', { ready: /never/ })).rejects.toThrow('not found');
});

test('a program that says that it failed is ended', async () => {
  const failed = startTiedProcess('sh', {
    args: ['-c', 'echo "port in use"; sleep 600'],
    ready: /never/,
    failed: /in use/,
  });
  await expect(failed).rejects.toThrow('sh failed before it served:\nport in use');
});

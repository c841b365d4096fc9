import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startSocketioGateway } from '../support/socketio-gateway.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bin = join(root, 'bin/edgeward.js');

/** Runs a program in the project's folder. */
function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    texts.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    texts.stderr += String(chunk);
  });
  // All output is there at "close".
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal, ...texts }));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, texts, closed };
}

const edgeward = (...args: readonly string[]) => run(process.execPath, [bin, ...args]);

/** A Node of this machine that is too old for the sources, if it has one. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((file) => existsSync(file) && Number(/\d+/.exec(execFileSync(file, ['--version'], { encoding: 'utf8' }))) < 24);

/** Makes a Node say that it is another one. */
const pretend = (version: string, execPath: string): readonly string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });` +
      `process.execPath = ${JSON.stringify(execPath)};`,
  )}`,
];

describe('the command in a checkout', () => {
  test('runs by npx, with nothing installed or published', async () => {
    const { code, stdout } = await run('npx', ['edgeward', '--help'], { npm_config_offline: 'true' }).closed;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^Usage: edgeward /) });
  });

  test('ends with the code of the command', async () => {
    const { code, stdout, stderr } = await edgeward('strat').closed;
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('(Did you mean start?)'),
    });
  });

  test('shows its version', async () => {
    const { stdout } = await edgeward('--version').closed;
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a Node that is too old', () => {
  test('hands over to the one that npm ci brought along', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [...pretend('20.1.0', '/bin/sh'), bin, '--version'])
      .closed;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test('hands over the exit code too', async () => {
    const { code } = await run(process.execPath, [...pretend('20.1.0', '/bin/sh'), bin, 'strat']).closed;
    expect(code).toBe(2);
  });

  test('hands over signals, and ends as the command does', async () => {
    await using gateway = await startSocketioGateway();
    const { child, texts, closed } = run(process.execPath, [
      ...pretend('20.1.0', '/bin/sh'),
      bin,
      'tail',
      '--url',
      gateway.url,
    ]);
    await eventually(() => expect(texts.stderr).toContain('connected to'));
    child.kill('SIGTERM');
    expect(await closed).toMatchObject({ code: 130, signal: null });
  });

  test('says so where there is no other one', async () => {
    const { code, stderr } = await run(process.execPath, [...pretend('20.1.0', process.execPath), bin, '--version'])
      .closed;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'edgeward: Node 24 or newer is needed, this is 20.1.0. Run "npm ci" with its development dependencies, which brings one along.\n',
    });
  });

  test.skipIf(oldNode === undefined)('of this machine works all the same', async () => {
    const { code, stdout } = await run(oldNode ?? '', [bin, '--version']).closed;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('tail as a process', () => {
  test('ends at Ctrl-C at once, with 130', async () => {
    await using gateway = await startSocketioGateway();
    const { child, texts, closed } = edgeward('tail', '--url', gateway.url);
    await eventually(() => expect(texts.stderr).toContain('connected to'));
    child.kill('SIGINT');
    expect(await closed).toMatchObject({ code: 130, signal: null, stdout: '' });
  });

  test('ends so too while it waits to come back', async () => {
    await using gateway = await startSocketioGateway({ admit: () => ({ code: 'try_later', retryAfterMs: 50_000 }) });
    const { child, texts, closed } = edgeward('tail', '--url', gateway.url);
    await eventually(() => expect(texts.stderr).toContain('coming back'));
    child.kill('SIGINT');
    expect(await closed).toMatchObject({ code: 130, signal: null });
  });

  test('ends when nobody reads its output any more', async () => {
    await using gateway = await startSocketioGateway();
    const { child, texts, closed } = edgeward('tail', '--url', gateway.url);
    await eventually(() => expect(texts.stderr).toContain('connected to'));
    child.stdout.destroy();
    await eventually(async () => {
      gateway.io.emit('prices.v1', { price: 1 }, {});
      expect(child.exitCode).toBe(130);
    });
    expect((await closed).stderr).not.toContain('EPIPE');
  });

  test('prints the last event before it ends', async () => {
    await using gateway = await startSocketioGateway();
    const { texts, closed } = edgeward('tail', '--url', gateway.url, '--count', '1', '--json');
    await eventually(() => expect(texts.stderr).toContain('connected to'));
    const data = 'x'.repeat(500_000);
    gateway.io.emit('large', data, {});
    const { code, stdout } = await closed;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'large', data });
  });
});

describe('standard input', () => {
  test('that is too much is refused before anything is sent', async () => {
    const { child, closed } = edgeward('publish', 's', '-', '--url', 'http://127.0.0.1:1');
    child.stdin.on('error', () => undefined);
    child.stdin.end(Buffer.alloc(17 * 1024 * 1024, ' '));
    expect(await closed).toMatchObject({
      code: 1,
      stderr: 'edgeward: What is piped in has more than 16777216 bytes.\n',
    });
  });
});

describe('completion', () => {
  test('knows the commands and their options', async () => {
    const commands = await edgeward('complete', '--', '').closed;
    expect(commands.stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['start', 'check', 'tail', 'publish', 'token']),
    );
    const options = await edgeward('complete', '--', 'tail', '--to').closed;
    expect(options.stdout).toMatch(/^--topics\t.*\n--token\t/);
    // One candidate a line: a description of several lines would be several candidates.
    for (const line of commands.stdout.trim().split('\n')) expect(line).toMatch(/^(\w+\t.+|:\d+)$/);
  });

  test.each(['bash', 'zsh', 'fish'])('makes a script for %s', async (shell) => {
    const { code, stdout } = await edgeward('complete', shell).closed;
    expect(code).toBe(0);
    expect(stdout).toContain('edgeward complete --');
  });
});

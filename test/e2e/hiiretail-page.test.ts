import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type WatchedProcess, watchProcess } from '../support/gateway-process.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/presets/hiiretail.md', root), 'utf8');

/** The lines of each terminal of "In 60 seconds". */
function terminals(): readonly (readonly string[])[] {
  const [, section = ''] = page.split('\n## In 60 seconds\n');
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines.trimEnd().split('\n'));
}

/** A shell in the project's folder, into which lines are typed one by one. */
function openTerminal(env: Readonly<Record<string, string>> = {}) {
  const shell = spawn('sh', {
    cwd: fileURLToPath(root),
    env: { ...process.env, NO_COLOR: '1', ...env },
    detached: true,
    stdio: 'pipe',
  });
  const watched = watchProcess(shell);
  onTestFinished(async () => {
    // The shell and what it started are a group of their own.
    if (shell.exitCode === null && shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
    await watched.exited;
  });
  return {
    output: watched.output,
    type: (lines: readonly string[]) => void shell.stdin.write(`${lines.join('\n')}\n`),
  };
}

/** A line starts npx, which starts Node, which starts what was asked for: on a busy machine that takes its time. */
const lineMsMax = 40_000;

const printed = (terminal: Pick<WatchedProcess, 'output'>, text: RegExp): Promise<RegExpExecArray> =>
  eventually(() => {
    const found = text.exec(terminal.output());
    if (!found) throw new Error(`${text} is not yet in:\n${terminal.output()}`);
    return found;
  }, lineMsMax);

test.skipIf(!inject('pubsubEmulatorHost'))(
  'the lines of docs/presets/hiiretail.md show an event arriving',
  { timeout: 180_000 },
  async () => {
    const [emulator = [], issuer = [], gateway = [], till = [], backEnd = [], ...more] = terminals();
    expect(more).toEqual([]);
    // Addresses and the project are others, since tests run side by side.
    const places = new Map([['project', `page-${randomUUID().slice(0, 8)}`]]);
    const here = (lines: readonly string[]): readonly string[] =>
      lines.map((line) =>
        line
          .replaceAll(/127\.0\.0\.1:(8085|8090|8080)/g, (address) => places.get(address) ?? address)
          .replaceAll(/(--project=|PUBSUB_PROJECT=|projects\/)demo\b/g, `$1${places.get('project')}`),
      );

    expect(emulator).toEqual([expect.stringMatching(/^gcloud beta emulators pubsub start /)]);
    if (inject('canStartPubSubEmulators')) {
      places.set('127.0.0.1:8085', `127.0.0.1:${await freePort()}`);
      const terminal = openTerminal();
      // In the shell's place: gcloud makes a group of its own where it is not the first of one.
      terminal.type(here(emulator).map((line) => `exec ${line}`));
      await printed(terminal, /Server started, listening on/);
    } else {
      places.set('127.0.0.1:8085', inject('pubsubEmulatorHost'));
    }

    const issuing = openTerminal({ ISSUER_PORT: '0' });
    issuing.type(here(issuer));
    places.set('127.0.0.1:8090', (await printed(issuing, /127\.0\.0\.1:\d+/))[0]);

    const serving = openTerminal({ PORT: '0', HOST: '127.0.0.1' });
    serving.type(here(gateway));
    await printed(serving, /created topic .*che\.public\.event\.session-changed\.v1/);
    await printed(serving, /created subscription .*edgeward/);
    const [, address = ''] = await printed(serving, /clients connect to http:\/\/(127\.0\.0\.1:\d+)/);
    places.set('127.0.0.1:8080', address);

    const receiving = openTerminal();
    receiving.type(here(till));
    await printed(receiving, /^connected as \S+$/m);

    const publishing = openTerminal();
    const [line = ''] = here(backEnd);
    publishing.type([line.replace('"Business-Unit-Id":"7"', '"Business-Unit-Id":"8"'), line]);
    await printed(publishing, /"messageIds"[\s\S]*"messageIds"/);
    const [received] = await printed(receiving, /che\.public\.event\.session-changed\.v1 [\s\S]*/);
    // The one for another unit was published before.
    expect(received).toMatch(
      /^che\.public\.event\.session-changed\.v1 \{ session: 1 \} \{\s+publishTime: '\S+Z',\s+messageId: '\d+',\s+tenantId: 'demo',\s+businessUnitId: '7'\s+\}$/m,
    );
    expect(receiving.output()).not.toContain("businessUnitId: '8'");
  },
);

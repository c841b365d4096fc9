import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { type WatchedProcess, watchProcess } from './gateway-process.ts';

const root = new URL('../../', import.meta.url);

/** The page of a preset. */
export const readPage = (preset: string): string => readFileSync(new URL(`docs/presets/${preset}.md`, root), 'utf8');

/** The lines of each terminal of "In 60 seconds". */
export function terminalsOf(page: string): readonly (readonly string[])[] {
  const [, section = ''] = page.split('\n## In 60 seconds\n');
  const [own = ''] = section.split('\n## ');
  return [...own.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines.trimEnd().split('\n'));
}

/** A shell in the project's folder, into which lines are typed one by one. It ends with the test. */
export function openTerminal(env: Readonly<Record<string, string>> = {}) {
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

/** Resolves once a terminal shows this. */
export const printed = (terminal: Pick<WatchedProcess, 'output'>, text: RegExp): Promise<RegExpExecArray> =>
  eventually(() => {
    const found = text.exec(terminal.output());
    if (!found) throw new Error(`${text} is not yet in:\n${terminal.output()}`);
    return found;
  }, lineMsMax);

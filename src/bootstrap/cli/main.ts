import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { CommandIo } from './command-io.ts';
import { exitCodes } from './exit-codes.ts';
import { readBounded } from './read-bounded.ts';
import { runCommandLine } from './run-command-line.ts';
import { onStopSignals } from './stop-signals.ts';

/** The process around the command line, and nothing else. */

const interrupted = new AbortController();
onStopSignals(process, Date.now, {
  first: () => interrupted.abort(),
  again: () => process.exit(exitCodes.interrupted.code),
});
// "edgeward tail | head -1" ends with its reader; "edgeward start | head -1" goes on serving.
const unread = new AbortController();
process.stdout.on('error', () => unread.abort());

const io: CommandIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  readStdin: (bytesMax) => readBounded(process.stdin, bytesMax),
  readFile: (path) => readFile(path),
  env: process.env,
  fetch,
  now: Date.now,
  interrupted: interrupted.signal,
  unread: unread.signal,
};

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

process.exitCode = await runCommandLine({
  args: process.argv.slice(2),
  io,
  version,
  actions: {
    // Loaded when they are wanted: no other command needs a gateway.
    start: async (...given) => (await import('../start.ts')).start(...given),
    check: async (...given) => (await import('../check.ts')).check(...given),
    topology: async (...given) => (await import('../topology.ts')).applyTopology(...given),
  },
});

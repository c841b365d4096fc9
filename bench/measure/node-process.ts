import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onCore } from './cores.ts';
import { RemoteCalls } from './remote-calls.ts';

export type NodeProgram = {
  readonly core: number;
  /** Its file, and what is given to it. */
  readonly script: URL;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded before the program. */
  readonly preload?: URL;
  /** Is in a line of its standard output once it serves; the first group is the port. */
  readonly ready: RegExp;
  /** What its log is called. */
  readonly name: string;
};

export type NodeProcess = AsyncDisposable & {
  readonly pid: number;
  /** What the first group of `ready` has found. */
  readonly found: string;
  readonly calls: RemoteCalls;
};

/** So that none is left behind, stopped or not, when this process ends before it could end them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const startMsMax = 90_000;
/** There is nothing to keep, and a gateway would take its time for ten thousand clients. */
const endMsMax = 300;

/** Resolves once it serves. It ends with this process, however this process ends: its channel to it is gone then. */
export async function startNodeProcess(program: NodeProgram): Promise<NodeProcess> {
  const { core, script, args = [], env, preload, name } = program;
  const preloaded = preload ? ['--import', preload.href] : [];
  const node = [process.execPath, '--expose-gc', ...preloaded, fileURLToPath(script), ...args];
  const [command = '', ...rest] = onCore(core, node);
  const log = join(tmpdir(), `edgeward-bench-${process.pid}-${name.replaceAll(/\W+/g, '-')}.log`);
  // Straight into the file, as an operator would have it.
  const file = await open(log, 'w');
  const stdio: StdioOptions = ['ignore', 'pipe', file.fd, 'ipc'];
  const child = spawn(command, rest, { env: { ...process.env, ...env }, stdio });
  await file.close();
  running.add(child);
  child.once('exit', () => running.delete(child));
  const calls = new RemoteCalls(child);
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), endMsMax);
    await ended;
    clearTimeout(late);
  };
  const dispose = async (): Promise<void> => {
    await end();
    await rm(log, { force: true });
  };
  try {
    const found = await untilReady(child, program);
    return { pid: child.pid ?? 0, found, calls, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await end();
    throw new Error(`${name} does not start: see ${log}`, { cause: error });
  }
}

function untilReady(child: ChildProcess, { ready }: NodeProgram): Promise<string> {
  const served = Promise.withResolvers<string>();
  const late = setTimeout(() => served.reject(new Error(`not ready after ${startMsMax} ms`)), startMsMax);
  child.once('exit', (code) => served.reject(new Error(`ended with ${code}`)));
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = ready.exec(line);
      if (match) served.resolve(match[1] ?? '');
    });
  }
  return served.promise.finally(() => clearTimeout(late));
}

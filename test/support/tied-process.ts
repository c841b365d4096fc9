import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that ends with this process, however this process ends. */
export type TiedProcess = AsyncDisposable & {
  readonly pid: number;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Ends it at once, like a crash, with what it started. */
  readonly kill: () => Promise<void>;
};

export type TiedProgram = {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Is in one of its lines once it serves. */
  readonly ready: RegExp;
  /** Is in one of its lines when it never will, although it goes on. */
  readonly failed?: RegExp;
};

/**
 * The shell leads a group of its own. Its input ends when the process that holds the other end does, killed or not, and
 * then the group is killed. A signal to the terminal's group (Ctrl-C) does not reach it. The first line is the process id
 * of the program.
 */
const watch = `
  exec 3<&0
  { cat <&3 >/dev/null; kill -9 0; } &
  sh -c 'echo $$; exec "$@"' sh "$@" 3<&- </dev/null &
  wait $!
  kill -9 0`;

const linesKept = 20;
const startMsMax = 60_000;

/** Resolves once the program serves. Rejects with its last lines when it ends, fails or takes too long before that. */
export async function startTiedProcess(
  program: string,
  { args = [], env, ready, failed }: TiedProgram,
): Promise<TiedProcess> {
  const child = spawn('sh', ['-c', watch, 'sh', program, ...args], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: 'pipe',
  });
  const ended = once(child, 'close');
  const lines: string[] = [];
  const started = Promise.withResolvers<void>();
  const pid = Promise.withResolvers<number>();
  const stdout = createInterface({ input: child.stdout });
  stdout.once('line', (line) => {
    pid.resolve(Number(line));
    stdout.on('line', read);
  });
  createInterface({ input: child.stderr }).on('line', read);

  function read(line: string): void {
    lines.push(line);
    if (lines.length > linesKept) lines.shift();
    if (ready.test(line)) started.resolve();
    if (failed?.test(line)) fail('failed');
  }

  function fail(how: string): void {
    started.reject(new Error(`${program} ${how} before it served:\n${lines.join('\n')}`));
  }

  async function kill(): Promise<void> {
    if (isAlive(child) && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  void ended.then(() => fail('ended'), started.reject);
  const limit = setTimeout(() => fail(`took ${startMsMax} ms`), startMsMax);
  try {
    await started.promise;
  } catch (error) {
    await kill();
    throw error;
  } finally {
    clearTimeout(limit);
  }
  const own = await pid.promise;
  const signal = (name: NodeJS.Signals): void => {
    if (isAlive(child)) process.kill(own, name);
  };
  return { pid: own, signal, kill, [Symbol.asyncDispose]: kill };
}

const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

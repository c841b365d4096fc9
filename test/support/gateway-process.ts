import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A gateway as users run it: its own process, started by the command line. */
export type GatewayProcess = AsyncDisposable &
  Pick<WatchedProcess, 'output' | 'exited'> & {
    /** Where it listens, without a slash at the end. */
    readonly url: string;
    readonly signal: (name: NodeJS.Signals) => void;
  };

export type Started = {
  /** Arguments of `edgeward`; `start` by default. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** A process whose output is kept from the beginning. */
export type WatchedProcess = {
  readonly process: ChildProcess;
  /** Everything that it has printed. */
  readonly output: () => string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
};

export function watchProcess(child: ChildProcess): WatchedProcess {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { process: child, output: () => output, exited };
}

/** Starts `edgeward` and does not wait for anything. */
export const startEdgeward = ({ args = ['start'], env = {} }: Started = {}): WatchedProcess =>
  watchProcess(
    spawn(process.execPath, ['bin/edgeward.js', ...args], {
      cwd: root,
      env: { ...process.env, PORT: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );

/** Loading the program is work for the processor, of which there may be little while other tests run. */
export const startMsMax = 30_000;

/** Starts a gateway and waits until it serves. */
export async function startGatewayProcess(started: Started = {}): Promise<GatewayProcess> {
  const { process: child, output, exited } = startEdgeward(started);
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const url = await eventually(() => {
    const address = /https?:\/\/127\.0\.0\.1:\d+/.exec(output())?.[0];
    if (address === undefined && !ended) throw new Error(`no address yet in: ${output()}`);
    return address;
  }, startMsMax);
  if (url === undefined) throw new GatewayEnded(output());
  await eventually(async () => {
    const answer = await fetch(`${url}/readyz`);
    if (answer.status !== 200) throw new Error(await answer.text());
  }, startMsMax);
  return {
    url,
    output,
    exited,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

class GatewayEnded extends Error {
  constructor(output: string) {
    super(`The gateway ended before it served: ${output}`);
  }
}

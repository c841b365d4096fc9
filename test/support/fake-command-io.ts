import type { CommandIo } from '../../src/bootstrap/cli/command-io.ts';
import type { ExitCode } from '../../src/bootstrap/cli/exit-codes.ts';
import { runCommandLine } from '../../src/bootstrap/cli/run-command-line.ts';
import type { TopologyOptions } from '../../src/bootstrap/cli/topology-command.ts';

export type FakeCommandIo = {
  readonly io: CommandIo;
  stdout(): string;
  stderr(): string;
  /** As Ctrl-C does. */
  interrupt(): void;
  /** Runs one command. */
  run(...args: readonly string[]): Promise<ExitCode>;
};

/** The world around a command, in memory; whatever is not given fails when it is used. */
export function fakeCommandIo(given: Partial<CommandIo> = {}): FakeCommandIo {
  const texts = { stdout: '', stderr: '' };
  const interruption = new AbortController();
  const notGiven = () => Promise.reject(new Error('not given'));
  const io: CommandIo = {
    stdout: (text) => {
      texts.stdout += text;
    },
    stderr: (text) => {
      texts.stderr += text;
    },
    readStdin: notGiven,
    readFile: notGiven,
    env: {},
    fetch: notGiven,
    now: () => Date.UTC(2026, 0, 1),
    interrupted: interruption.signal,
    unread: new AbortController().signal,
    ...given,
  };
  const actions = {
    start: async (file: string | undefined, { stdout }: CommandIo) => {
      stdout(`start ${file}`);
      return 0 as const;
    },
    check: async (file: string, { stdout }: CommandIo) => {
      stdout(`check ${file}`);
      return 3 as const;
    },
    topology: async (file: string, { dryRun }: TopologyOptions, { stdout }: CommandIo) => {
      stdout(`topology ${file} ${dryRun}`);
      return 7 as const;
    },
  };
  return {
    io,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    interrupt: () => interruption.abort(),
    run: (...args) => runCommandLine({ args, io, actions, version: '1.2.3' }),
  };
}

export type SentRequest = {
  readonly path: string;
  readonly body: string;
  readonly authorization: string | null;
  readonly redirect: RequestInit['redirect'];
};

/** Answers by path; remembers what was asked. */
export function fakeFetch(answers: Readonly<Record<string, () => Response>>): {
  readonly fetch: typeof fetch;
  readonly sent: readonly SentRequest[];
} {
  const sent: SentRequest[] = [];
  return {
    sent,
    fetch: async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const authorization = new Headers(init?.headers).get('authorization');
      sent.push({
        path: pathname,
        body: typeof init?.body === 'string' ? init.body : '',
        authorization,
        redirect: init?.redirect,
      });
      return answers[pathname]?.() ?? Response.json({ title: 'Not Found', status: 404 }, { status: 404 });
    },
  };
}

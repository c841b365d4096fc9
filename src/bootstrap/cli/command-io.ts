import { safeText } from '../../adapters/operations/describe-error.ts';
import { type ExitCode, type ExitName, exitCodes } from './exit-codes.ts';

/** Everything that a command has of the world around it. */
export type CommandIo = {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** What is piped in, up to the given number of bytes; rejects when there is more. */
  readonly readStdin: (bytesMax: number) => Promise<Uint8Array>;
  readonly readFile: (path: string) => Promise<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborts at the first signal to stop. */
  readonly interrupted: AbortSignal;
  /** Aborts when nobody reads the standard output any more: for commands that do nothing but print. */
  readonly unread: AbortSignal;
};

/** What a command complains of, and the code that it ends with. */
export type Complaint = { readonly exit: ExitName; readonly message: string };

/** Says it, without secrets; whoever interrupts knows. @returns the exit code. */
export function complain(io: CommandIo, { exit, message }: Complaint): ExitCode {
  if (exit === 'interrupted') return exitCodes.interrupted.code;
  io.stderr(`edgeward: ${safeText(message)}\n`);
  return exitCodes[exit].code;
}

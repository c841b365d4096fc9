import { CommanderError } from 'commander';
import { type CommandIo, complain } from './command-io.ts';
import { type CommandActions, createProgram } from './create-program.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

export type CommandLine = {
  /** Without the names of the runtime and the program. */
  readonly args: readonly string[];
  readonly io: CommandIo;
  readonly actions: CommandActions;
  readonly version: string;
};

/** Runs one command. Resolves with its exit code, whatever happens. */
export async function runCommandLine({ args, io, actions, version }: CommandLine): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok.code;
  const program = createProgram(io, actions, version, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
    return complain(io, { exit: 'failed', message: error instanceof Error ? error.message : 'unknown failure' });
  }
}

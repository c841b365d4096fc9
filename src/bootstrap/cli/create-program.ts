import tab from '@bomb.sh/tab/commander';
import { Command } from 'commander';
import { redactSecrets } from '../../adapters/operations/redact-secrets.ts';
import { type CheckAction, createCheckCommand } from './check-command.ts';
import type { CommandIo } from './command-io.ts';
import type { ExitCode } from './exit-codes.ts';
import { createPublishCommand } from './publish-command.ts';
import { createStartCommand, type StartAction } from './start-command.ts';
import { createTailCommand } from './tail-command.ts';
import { createTokenCommand } from './token-command.ts';
import { createTopologyCommand, type TopologyAction } from './topology-command.ts';

/** What needs the whole gateway, and is put in by whoever composes it. */
export type CommandActions = {
  readonly start: StartAction;
  readonly check: CheckAction;
  readonly topology: TopologyAction;
};

/** Wide enough for the examples; the same everywhere, since the reference page shows it. */
const helpWidth = 98;

/** @param end is called with the exit code of the command that ran. */
export function createProgram(
  io: CommandIo,
  actions: CommandActions,
  version: string,
  end: (code: ExitCode) => void,
): Command {
  const program = new Command('edgeward')
    .description('Event gateway: backend services publish, edge clients get exactly the events that they may see.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help tells what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: io.stdout,
      // It quotes what was typed.
      writeErr: (text) => io.stderr(redactSecrets(text)),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', '\nExit codes and more: docs/command-line.md');
  const commands = [
    createStartCommand(io, end, actions.start),
    createCheckCommand(io, end, actions.check),
    createTopologyCommand(io, end, actions.topology),
    createTailCommand(io, end),
    createPublishCommand(io, end),
    createTokenCommand(io, end),
  ];
  for (const command of commands) {
    for (const each of [command, ...command.commands]) each.copyInheritedSettings(program);
    program.addCommand(command);
  }
  // Adds the command "complete", which prints a script for the shell and answers what that script asks.
  tab(program);
  return program;
}

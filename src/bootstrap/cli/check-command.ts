import { Command } from 'commander';
import type { CommandIo } from './command-io.ts';
import type { ExitCode } from './exit-codes.ts';

/** Reads a config file and tells all its problems. Connects to nothing. */
export type CheckAction = (file: string, io: CommandIo) => Promise<ExitCode>;

export const createCheckCommand = (io: CommandIo, end: (code: ExitCode) => void, check: CheckAction): Command =>
  new Command('check')
    .description('tell what is wrong with a config file')
    .argument('<file>', 'config file')
    .addHelpText('after', details)
    .action(async (file: string) => {
      end(await check(file, io));
    });

const details = `
All problems are told at once, each with its line, its path and the nearest known name. Variables
of the environment, and files with keys and certificates, are read as "start" reads them. Nothing
is connected to.

Examples:
  edgeward check gateway.yaml
  PUBSUB_PROJECT=shop PUBSUB_SUBSCRIPTIONS=orders:edgeward edgeward check presets/hiiretail.yaml
`;

import { Command } from 'commander';
import type { CommandIo } from './command-io.ts';
import type { ExitCode } from './exit-codes.ts';

/** Runs a gateway until it is asked to stop. @param file of the config; the demo preset without one. */
export type StartAction = (file: string | undefined, io: CommandIo) => Promise<ExitCode>;

export const createStartCommand = (io: CommandIo, end: (code: ExitCode) => void, start: StartAction): Command =>
  new Command('start')
    .description('run the gateway')
    .argument('[file]', 'config file (default: the demo preset)')
    .addHelpText('after', details)
    .action(async (file: string | undefined) => {
      end(await start(file, io));
    });

const details = `
Without a file it runs a demo that needs no broker and issues its own tokens, to this machine
only. PORT changes the port of the demo.

At Ctrl-C or SIGTERM it takes nothing new, delivers what it has, tells clients to come back, and
ends with 0. A second one ends it at once.

Examples:
  edgeward start
  PORT=9090 edgeward start
  edgeward start gateway.yaml
`;

import { Command, Option } from 'commander';
import type { CommandIo } from './command-io.ts';
import type { ExitCode } from './exit-codes.ts';
import { gatewayUrl, notEmpty } from './option-values.ts';

export type TopologyOptions = {
  readonly dryRun?: true;
  readonly json?: true;
  readonly pushUrl?: URL;
  readonly pushAccount?: string;
};

/** Makes what a config names at its brokers, and tells what it did. Changes and deletes nothing. */
export type TopologyAction = (file: string, options: TopologyOptions, io: CommandIo) => Promise<ExitCode>;

export const createTopologyCommand = (io: CommandIo, end: (code: ExitCode) => void, apply: TopologyAction): Command =>
  new Command('topology')
    .description('make what a config needs of its brokers')
    .addCommand(createApplyCommand(io, end, apply));

const createApplyCommand = (io: CommandIo, end: (code: ExitCode) => void, apply: TopologyAction): Command =>
  new Command('apply')
    .description('make the topics and subscriptions that a config names')
    .argument('<file>', 'config file')
    .option('--dry-run', 'only tell what would be made')
    .option('--json', 'print one JSON object a line')
    .addOption(new Option('--push-url <url>', 'where Pub/Sub reaches the gateway, to push to it').argParser(gatewayUrl))
    .addOption(
      new Option('--push-account <email>', 'service account whose tokens come with what is pushed').argParser(notEmpty),
    )
    .addHelpText('after', details)
    .action(async (file: string, options: TopologyOptions) => {
      end(await apply(file, options, io));
    });

const details = `
It may be run again and again: what is there already is left as it is. Where that is not as the
config needs it, the difference is told with what to do about it, and the command ends with 7.
Nothing is ever changed or deleted. The credentials and the address are those of the config.

Examples:
  edgeward topology apply gateway.yaml --dry-run
  edgeward topology apply gateway.yaml
  edgeward topology apply gateway.yaml --push-url https://events.example.com --push-account pusher@example.iam.gserviceaccount.com
`;

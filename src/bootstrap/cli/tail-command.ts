import { Command, Option } from 'commander';
import { type CommandIo, complain } from './command-io.ts';
import { eventJsonLine, eventLine } from './event-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type FollowOptions, followEvents } from './follow-events.ts';
import { followHub } from './follow-hub.ts';
import { collect, collectList, collectNamed, hubPath, positiveNumber } from './option-values.ts';
import { addSubjectOptions, type SubjectOptions, subjectOf, tokenOption, urlOption } from './token-options.ts';

export type TailOptions = SubjectOptions & {
  readonly url: URL;
  readonly token?: string;
  readonly topics: readonly string[];
  readonly room: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  readonly namespace: string;
  /** Path of a hub. */
  readonly signalr?: string;
  readonly count?: number;
  readonly json?: true;
};

export function createTailCommand(io: CommandIo, end: (code: ExitCode) => void): Command {
  const command = new Command('tail')
    .description('print events as they arrive')
    .addOption(
      new Option('--topics <list>', 'only events of these topics; names between commas')
        .argParser(collectList)
        .default([], 'all'),
    )
    .addOption(
      new Option('--room <room>', 'a further room below the business unit; may be repeated')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--query <name=value>', 'a field of the query of the connection; may be repeated')
        .argParser(collectNamed)
        .default(new Map(), 'none'),
    )
    .option('--namespace <name>', 'Socket.IO namespace', '/')
    .addOption(
      new Option('--signalr [path]', 'be a SignalR client of the hub at this path').preset('/hub').argParser(hubPath),
    )
    .addOption(new Option('-n, --count <number>', 'end after so many events').argParser(positiveNumber))
    .option('--json', 'print one JSON object a line')
    .addOption(urlOption())
    .addOption(tokenOption());
  return addSubjectOptions(command, { tenant: 'demo', roles: ['edgeward.client', 'edgeward.rooms-client'] })
    .addHelpText('after', details)
    .action(async (options: TailOptions) => {
      end(await tail(io, options));
    });
}

const details = `
It is a Socket.IO client of a running gateway, or a SignalR one, and prints one line an event:
time, name, meta, data. It connects again by itself when the connection is lost, and ends when it
is refused.

Examples:
  edgeward tail
  edgeward tail --tenant demo --user 7 --topics greetings,prices
  edgeward tail --business-unit 12 --room workstations/3 --count 1 --json
  edgeward tail --signalr
  edgeward tail --signalr /v1/hub/entries --query site_id=4711
  EDGEWARD_TOKEN=$(cat token) edgeward tail --url https://events.example.test --query sessionId=4711
`;

async function tail(io: CommandIo, options: TailOptions): Promise<ExitCode> {
  const format = options.json ? eventJsonLine : eventLine;
  let left = options.count ?? Infinity;
  const untilUnread = { ...io, interrupted: AbortSignal.any([io.interrupted, io.unread]) };
  const path = options.signalr;
  const followed: Omit<FollowOptions, 'namespace'> = {
    gateway: options.url,
    token: options.token,
    subject: subjectOf(options),
    query: queryOf(options),
    onNote: (note) => io.stderr(`edgeward: ${note}\n`),
    onEvent(event) {
      // Those that came in the same packet as the last one are not wanted any more.
      if (left === 0) return 'enough';
      io.stdout(format(event, io.now()));
      left -= 1;
      return left === 0 ? 'enough' : 'more';
    },
  };
  const complaint = await (path === undefined
    ? followEvents(untilUnread, { ...followed, namespace: options.namespace })
    : followHub(untilUnread, { ...followed, path }));
  return complaint ? complain(io, complaint) : exitCodes.ok.code;
}

function queryOf({ topics, room, query }: TailOptions): Readonly<Record<string, string>> {
  return {
    ...(topics.length > 0 ? { topics: topics.join(',') } : {}),
    ...(room.length > 0 ? { rooms: room.join(',') } : {}),
    ...Object.fromEntries(query),
  };
}

import { Command, Option } from 'commander';
import { type CommandIo, type Complaint, complain } from './command-io.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { explain, type GatewayAnswer, postJson, shown } from './gateway-request.ts';
import { obtainToken, tokenHint } from './obtain-token.ts';
import { below, collectNamed, notEmpty } from './option-values.ts';
import { publishBody, publishedData } from './publish-body.ts';
import { addSubjectOptions, type SubjectOptions, subjectOf, tokenOption, urlOption } from './token-options.ts';

type PublishOptions = SubjectOptions & {
  readonly url: URL;
  readonly token?: string;
  readonly attribute: ReadonlyMap<string, string>;
  readonly key?: string;
  readonly id?: string;
  readonly raw?: true;
};

/** The most that is read of what is piped in; sources have limits of their own, which are lower. */
const stdinBytesMax = 16 * 1024 * 1024;

export function createPublishCommand(io: CommandIo, end: (code: ExitCode) => void): Command {
  const command = new Command('publish')
    .description('publish an event to a running gateway')
    .argument('<stream>', 'stream to publish to (topic or exchange)', notEmpty)
    .argument('<data>', 'payload of the event, or "-" for standard input')
    .addOption(
      new Option('-a, --attribute <name=value>', 'attribute of the event; may be repeated')
        .argParser(collectNamed)
        .default(new Map(), 'none'),
    )
    .option('--key <key>', 'routing or ordering key of the event')
    .addOption(new Option('--id <id>', 'id of the event (default: the gateway makes one)').argParser(notEmpty))
    .option('--raw', 'send the exact bytes of DATA, whether or not they are JSON')
    .addOption(urlOption())
    .addOption(tokenOption());
  return addSubjectOptions(command, { tenant: 'demo', roles: ['edgeward.publisher'] })
    .addHelpText('after', details)
    .action(async (stream: string, data: string, options: PublishOptions) => {
      end(await publish(io, stream, data, options));
    });
}

const details = `
DATA that is JSON is sent as it stands, character by character; other text is sent as a JSON
string; with --raw its bytes are sent, whatever they are. "-" reads it from standard input.

Examples:
  edgeward publish greetings '{"text":"hello"}' --attribute Tenant-Id=demo
  edgeward publish greetings hello -a Tenant-Id=demo -a User-Id=7
  curl -s https://example.test/prices | edgeward publish prices - --key eur -a Tenant-Id=demo
  edgeward publish photos - --raw -a Tenant-Id=demo < photo.jpg
`;

async function publish(io: CommandIo, stream: string, given: string, options: PublishOptions): Promise<ExitCode> {
  const { url: gateway, key, id, attribute } = options;
  const bytes = given === '-' ? await io.readStdin(stdinBytesMax) : new TextEncoder().encode(given);
  const data = publishedData(bytes, options.raw ?? false);
  if (!data.ok) return complain(io, { exit: 'usage', message: data.reason });
  const token = await obtainToken(io, options, subjectOf(options));
  if (!token.ok) return complain(io, token.reason);

  const answer = await postJson(io, {
    gateway,
    url: below(gateway, '/v1/events'),
    body: publishBody({ stream, key, id, attributes: attribute, data: data.value }),
    token: token.value.token,
  });
  if (!answer.ok) return complain(io, answer.reason);
  const complaint = complaintOf(answer.value, gateway, token.value.from === 'nowhere');
  if (complaint) return complain(io, complaint);
  io.stdout(`accepted${idsOf(answer.value)}\n`);
  return exitCodes.ok.code;
}

function complaintOf(answer: GatewayAnswer, gateway: URL, withoutToken: boolean): Complaint | undefined {
  const { status, retryAfter } = answer;
  if (status === 202) return undefined;
  if (status === 404 || status === 405) {
    return { exit: 'refused', message: `${shown(gateway)} has no HTTP source: nothing can be published there.` };
  }
  if (status === 503 || status === 429) {
    const when = retryAfter === undefined ? '' : ` Try again in ${retryAfter} s.`;
    return { exit: 'tryLater', message: `Not published now: ${explain(answer)}.${when}` };
  }
  const hint = status === 401 && withoutToken ? ` ${tokenHint}` : '';
  const exit = status >= 400 && status < 500 ? 'refused' : 'failed';
  return { exit, message: `Not published: ${explain(answer)}.${hint}` };
}

/** Of `{events: [{id}]}`. */
function idsOf({ body }: GatewayAnswer): string {
  if (typeof body !== 'object' || body === null || !('events' in body) || !Array.isArray(body.events)) return '';
  return body.events.map(({ id }: { readonly id?: unknown }) => ` ${String(id)}`).join('');
}

import type { CommandIo } from './command-io.ts';
import { exitCodes } from './exit-codes.ts';
import { runCommandLine } from './run-command-line.ts';

/** In the order of the page. */
const commands = ['start', 'check', 'topology apply', 'tail', 'publish', 'token', 'complete'] as const;

/** `docs/command-line.md`: what the commands say of themselves, and how they end. */
export async function commandLinePage(): Promise<string> {
  const sections: string[] = [];
  for (const command of commands) sections.push(`## ${command}\n\n${fenced(await help(command.split(' ')))}`);
  return [
    '# Command line',
    '<!-- Made by `npm run docs` from the commands themselves. -->',
    'In a checkout every command begins with `npx edgeward`; where the npm package is installed globally, with `edgeward`.',
    fenced(await help([])),
    ...sections,
    '## Exit codes',
    exitTable(),
    tokens,
    completion,
    '',
  ].join('\n\n');
}

const tokens = `## Tokens

\`publish\` and \`tail\` present, in this order: what \`--token\` says, what the environment variable \`EDGEWARD_TOKEN\`
says, a token that they ask the gateway for. Only a development gateway issues tokens, and only to its own machine
(\`POST /v1/development/tokens\`). Where there is none they go without, and end with 5 if they are refused. A token on the
command line can be seen in the list of processes, so the variable is the better place. No command prints a token, except
\`token\`.`;

const completion = `## Completion

\`\`\`sh
source <(edgeward complete bash)    # or zsh; see "edgeward complete --help" for fish and powershell
\`\`\``;

const fenced = (text: string): string => `\`\`\`text\n${text.trim()}\n\`\`\``;

function exitTable(): string {
  const rows = Object.values(exitCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`);
  return ['| code | meaning |', '|---|---|', ...rows].join('\n');
}

async function help(command: readonly string[]): Promise<string> {
  let text = '';
  const nothing = () => Promise.reject(new Error('Help runs no command.'));
  const io: CommandIo = {
    stdout: (written) => {
      text += written;
    },
    stderr: () => undefined,
    readStdin: nothing,
    readFile: nothing,
    env: {},
    fetch: nothing,
    now: () => 0,
    interrupted: new AbortController().signal,
    unread: new AbortController().signal,
  };
  const actions = { start: nothing, check: nothing, topology: nothing };
  await runCommandLine({ args: [...command, '--help'], io, version: '', actions });
  return text;
}

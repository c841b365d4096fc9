import { Command, Option } from 'commander';
import { developmentClaims, readSigningKey, signToken } from '../../adapters/identity/sign-token.ts';
import { type CommandIo, complain } from './command-io.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { notIssued, requestToken } from './obtain-token.ts';
import { notEmpty, positiveNumber } from './option-values.ts';
import { addSubjectOptions, type SubjectOptions, subjectOf, urlOption } from './token-options.ts';

type TokenOptions = SubjectOptions & { readonly url: URL; readonly key?: string; readonly expiresIn: number };

const expiresInSecondsDefault = 3600;

export function createTokenCommand(io: CommandIo, end: (code: ExitCode) => void): Command {
  const command = new Command('token')
    .description('print a token for trying things out')
    .addOption(new Option('--key <file>', 'sign with this private key, PEM or JWK').argParser(notEmpty))
    .addOption(
      new Option('--expires-in <seconds>', 'how long the token is valid')
        .argParser(positiveNumber)
        .default(expiresInSecondsDefault),
    )
    .addOption(urlOption());
  return addSubjectOptions(command)
    .addHelpText('after', details)
    .action(async (options: TokenOptions) => {
      end(options.key === undefined ? await issued(io, options) : await signed(io, options, options.key));
    });
}

const details = `
A running development gateway issues it, or with --key it is signed here. Its claims are tenant,
business_unit, workstation, sub and roles, and those of --claim, which stand above them. iat and
exp follow from the clock and --expires-in, and iss is the gateway's own unless --key signs.

Examples:
  edgeward token --tenant demo --role edgeward.client
  export EDGEWARD_TOKEN=$(edgeward token --tenant demo --user 7 --role edgeward.client)
  edgeward token --key key.pem --claim 'iss="https://issuer.test/"' --claim 'aud=["edge"]' --claim 'tid="42"'
`;

async function issued(io: CommandIo, options: TokenOptions): Promise<ExitCode> {
  const subject = { ...subjectOf(options), expiresInMs: options.expiresIn * 1000 };
  const token = await requestToken(io, options.url, subject);
  if (!token.ok) return complain(io, token.reason === 'not-issued' ? notIssued(options.url) : token.reason);
  io.stdout(`${token.value}\n`);
  return exitCodes.ok.code;
}

async function signed(io: CommandIo, options: TokenOptions, file: string): Promise<ExitCode> {
  const text = await readText(io, file);
  if (text === undefined) return complain(io, { exit: 'usage', message: `Cannot read the key file "${file}".` });
  const key = readSigningKey(text);
  if (!key.ok) return complain(io, { exit: 'usage', message: `"${file}": ${key.reason}.` });
  const times = { now: io.now(), expiresInMs: options.expiresIn * 1000 };
  const { token } = await signToken(developmentClaims(subjectOf(options)), key.value, times);
  io.stdout(`${token}\n`);
  return exitCodes.ok.code;
}

async function readText(io: CommandIo, file: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await io.readFile(file));
  } catch {
    return undefined;
  }
}

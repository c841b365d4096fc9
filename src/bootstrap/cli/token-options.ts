import { type Command, Option } from 'commander';
import type { TokenSubject } from '../../adapters/identity/sign-token.ts';
import { collect, collectClaims, gatewayUrl, notEmpty } from './option-values.ts';

export const defaultGatewayUrl = 'http://127.0.0.1:8080';
export const tokenVariable = 'EDGEWARD_TOKEN';

export const urlOption = (): Option =>
  new Option('--url <url>', 'where the gateway listens')
    .default(new URL(defaultGatewayUrl), defaultGatewayUrl)
    .argParser(gatewayUrl);

/** Whom a token is for. */
export type SubjectOptions = {
  readonly tenant?: string;
  readonly businessUnit?: string;
  readonly workstation?: string;
  readonly user?: string;
  readonly role?: readonly string[];
  readonly claim: ReadonlyMap<string, unknown>;
};

export const subjectOf = ({ businessUnit, claim, role, tenant, user, workstation }: SubjectOptions): TokenSubject => ({
  tenant,
  businessUnit,
  workstation,
  user,
  roles: role,
  claims: claim.size === 0 ? undefined : Object.fromEntries(claim),
});

export type SubjectDefaults = { readonly tenant?: string; readonly roles?: readonly string[] };

export function addSubjectOptions(command: Command, { tenant, roles }: SubjectDefaults = {}): Command {
  const role = new Option('--role <role>', 'a role of the token; may be repeated').argParser(replaceDefault(roles));
  return command
    .addOption(new Option('--tenant <id>', 'tenant of the token').argParser(notEmpty).default(tenant))
    .addOption(new Option('--business-unit <id>', 'business unit of the token').argParser(notEmpty))
    .addOption(new Option('--workstation <id>', 'workstation of the token').argParser(notEmpty))
    .addOption(new Option('--user <id>', 'user of the token (`sub`)').argParser(notEmpty))
    .addOption(roles ? role.default(roles, roles.join(', ')) : role)
    .addOption(
      new Option('--claim <name=json>', 'a further claim of the token; may be repeated')
        .argParser(collectClaims)
        .default(new Map(), 'none'),
    );
}

/** The first value given stands in the place of the defaults, and is not added to them. */
const replaceDefault =
  (defaults: readonly string[] | undefined) =>
  (text: string, collected: readonly string[] | undefined): readonly string[] =>
    collect(text, collected === defaults ? [] : collected);

export type GivenToken = { readonly url: URL; readonly token?: string };

/** For commands that a gateway must let in. */
export const tokenOption = (): Option =>
  new Option(
    '--token <token>',
    `token to present; better in ${tokenVariable}, where no list of processes shows it ` +
      '(default: one that a development gateway issues for the options below)',
  ).argParser(notEmpty);

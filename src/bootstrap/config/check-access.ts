import type { SpacesSettings } from '../../adapters/outbound/socketio/spaces-settings.ts';
import type { AccessSettings } from '../../adapters/settings-fields.ts';
import type { ConnectSettings } from './build-access.ts';
import { roomTemplate } from './build-routing.ts';
import { nearestName } from './nearest-name.ts';
import type { ConfigPath, Finding } from './problem.ts';

/** The names that access settings may refer to; absent where the section that has them is wrong by itself. */
type CheckedSettings = Partial<AccessSettings> &
  Pick<ConnectSettings, 'exchanges'> &
  Partial<Pick<SpacesSettings, 'membership' | 'sender'>>;

export type AccessNames = {
  /** Kinds of token, with the variables that each gives. */
  readonly tokens: NamesByName | undefined;
  /** Checks, with the variables that each asks about. */
  readonly checks: NamesByName | undefined;
  /** The variable of a connection that names its tenant, where tenants are kept apart. */
  readonly tenant: string | undefined;
};
type NamesByName = ReadonlyMap<string, readonly string[]>;

/** References to what other sections do not have, and variables that nothing gives. Relative to the settings. */
export function accessMistakes(settings: CheckedSettings, names: AccessNames): readonly Finding[] {
  const { credentials = [], checks = [], rooms = [], exchanges = {}, membership } = settings;
  const bindUses = Object.entries(exchanges).flatMap(([exchange, rule]) =>
    rule.checks.map((name, index) => ({
      name,
      path: ['exchanges', exchange, 'checks', index],
      variables: ['stream', 'key', ...rule.keyParts],
    })),
  );
  const uses: readonly CheckUse[] = [
    ...bindUses,
    ...(membership?.checks ?? []).map((name, index) => ({
      name,
      path: ['membership', 'checks', index],
      variables: ['space', 'password'],
    })),
    ...checks.map((name, index) => ({ name, path: ['checks', index] })),
    ...rooms.flatMap((group, room) =>
      group.checks.map((name, index) => ({ name, path: ['rooms', room, 'checks', index] })),
    ),
  ];
  return [
    ...credentials.flatMap(({ accepts }, index) =>
      accepts.flatMap((name, position) =>
        unknownName(['credentials', index, 'accepts', position], name, names.tokens?.keys(), 'identity.tokens'),
      ),
    ),
    ...loneCompanions(credentials),
    ...uses.flatMap(({ name, path }) => unknownName(path, name, names.checks?.keys(), 'checks')),
    ...(names.tokens ? variableMistakes(settings, uses, names.tokens, names.checks ?? new Map()) : []),
    ...chosenTenant(settings, names),
  ];
}

/** A name that is referred to, and is not there. */
export function unknownName(
  path: ConfigPath,
  name: string,
  names: Iterable<string> | undefined,
  section: string,
): readonly Finding[] {
  if (names === undefined) return [];
  const known = [...new Set(names)];
  if (known.includes(name)) return [];
  const has = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
  return [{ path, message: `"${name}" is not in ${section}; ${has}`, suggestion: nearestName(name, known) }];
}

/** `with` asks for a credential before it; what can never be there makes the whole credential dead. */
const loneCompanions = (credentials: AccessSettings['credentials']): readonly Finding[] =>
  credentials.flatMap(({ with: companion }, index) => {
    if (companion === undefined) return [];
    const before = [...new Set(credentials.slice(0, index).flatMap(({ accepts }) => accepts))];
    if (before.includes(companion)) return [];
    const has = before.length === 0 ? 'there is none' : `they accept ${before.join(', ')}`;
    const message = `no credential before this one accepts "${companion}"; ${has}`;
    return [{ path: ['credentials', index, 'with'], message, suggestion: nearestName(companion, before) }];
  });

type CheckUse = {
  readonly name: string;
  readonly path: ConfigPath;
  /** Variables that are there for this use only. */
  readonly variables?: readonly string[];
};

function variableMistakes(
  { credentials, query = {}, rooms, exchanges = {}, sender }: CheckedSettings,
  uses: readonly CheckUse[],
  tokens: NamesByName,
  checks: NamesByName,
): readonly Finding[] {
  if (!credentials) return [];
  const kinds = [...new Set(credentials.flatMap(({ accepts }) => accepts))];
  // What a kind that is not there would give is anybody's guess.
  if (!kinds.every((kind) => tokens.has(kind))) return [];
  const givers = new Map(kinds.flatMap((kind) => (tokens.get(kind) ?? []).map((name) => [name, kind])));
  // Who publishes has tokens and nothing else.
  const known = [...new Set([...(rooms || sender ? ['connection'] : []), ...givers.keys(), ...Object.keys(query)])];
  const notGiven = (path: ConfigPath, variables: Iterable<string>, more: readonly string[] = []): readonly Finding[] =>
    [...variables]
      .filter((name) => !known.includes(name) && !more.includes(name))
      .map((name) => absentVariable(path, name, [...known, ...more]));
  return [
    ...Object.keys(query).flatMap((name) => hiddenQuery(name, givers)),
    ...(rooms ?? []).flatMap(({ templates, firstOf, under }, index) => [
      ...(firstOf ?? templates ?? []).flatMap((text, position) =>
        notGiven(['rooms', index, firstOf ? 'firstOf' : 'templates', position], roomTemplate(text).variables),
      ),
      ...(under === undefined ? [] : notGiven(['rooms', index, 'under'], roomTemplate(under).variables)),
    ]),
    ...(sender ? notGiven(['sender', 'id'], [sender.id]) : []),
    ...Object.entries(sender?.fields ?? {}).flatMap(([field, name]) => notGiven(['sender', 'fields', field], [name])),
    ...(sender ? spaceNames(givers) : []),
    ...uses.flatMap(({ name, path, variables }) => notGiven(path, checks.get(name) ?? [], variables)),
    ...Object.entries(exchanges).flatMap(([name, { keyParts }]) => takenParts(name, keyParts, known)),
  ];
}

const absentVariable = (path: ConfigPath, name: string, known: readonly string[]): Finding => ({
  path,
  message: `nothing gives {${name}}; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ') || 'none'}`,
  suggestion: nearestName(name, known),
});

/** What a client asks for would stand for what its tokens say. */
const spaceNames = (givers: ReadonlyMap<string, string>): readonly Finding[] =>
  ['space', 'password'].flatMap((name) => {
    const kind = givers.get(name);
    if (kind === undefined) return [];
    return [
      { path: ['credentials'], message: `tokens of the kind ${kind} give {${name}}, which is what a client asks for` },
    ];
  });

/** A part of a key that has the name of something else would stand for it in the checks. */
const takenParts = (exchange: string, keyParts: readonly string[], known: readonly string[]): readonly Finding[] =>
  keyParts.flatMap((part, index) => {
    if (!known.includes(part)) return [];
    const message = `there is a {${part}} already, of a token, the query or the connection; give the part another name`;
    return [{ path: ['exchanges', exchange, 'keyParts', index], message }];
  });

/** What a token or the endpoint gives stands above the query, so the client's value would be read and never used. */
function hiddenQuery(name: string, givers: ReadonlyMap<string, string>): readonly Finding[] {
  const kind = givers.get(name);
  if (kind === undefined && name !== 'connection') return [];
  const giver = kind === undefined ? 'every connection has' : `tokens of the kind ${kind} give`;
  return [{ path: ['query', name], at: 'key', message: `${giver} {${name}} already; give it another name` }];
}

/**
 * A tenant that the client names in its URL, and that nobody looks at. It is enough that the condition or a check of the
 * endpoint reads the variable, or one of every group of rooms that has it: whether it does so well is not for a check of
 * the config to know.
 */
function chosenTenant(settings: CheckedSettings, { tokens, checks, tenant }: AccessNames): readonly Finding[] {
  const { credentials, query = {}, require, checks: asked, rooms, exchanges = {} } = settings;
  if (tenant === undefined || !Object.hasOwn(query, tenant)) return [];
  // What is wrong by itself may be what gives the variable, or looks at it.
  if (!credentials || !asked || !tokens || !checks || !rooms) return [];
  const kinds = credentials.flatMap(({ accepts }) => accepts);
  const given = kinds.some((kind) => tokens.get(kind)?.includes(tenant) ?? true);
  // The query cannot have a name of a token's: that is a mistake of its own.
  if (given || looksAt(tenant, require, asked, checks)) return [];
  const groups = rooms.filter((group) => usesVariable(group, tenant));
  const isForBinds = Object.keys(exchanges).length > 0;
  const isLookedAt = groups.every((group) => looksAt(tenant, group.when, group.checks, checks));
  if (groups.length > 0 && !isForBinds && isLookedAt) return [];
  const message =
    `a client would choose its tenant: isolation.connection is {${tenant}}, which no token that is accepted here gives; ` +
    `take it from a token, or look at it with query.${tenant} in \`require\`, or with a check whose url has {${tenant}}`;
  return [{ path: ['query', tenant], at: 'key', message }];
}

function looksAt(
  variable: string,
  condition: string | undefined,
  asked: readonly string[],
  checks: NamesByName,
): boolean {
  if (namesRead(condition ?? '', 'query').has(variable)) return true;
  // A condition that reads checks decides alone what they mean: those that it leaves out decide nothing.
  const read = namesRead(condition ?? '', 'check');
  const deciding = read.size === 0 ? asked : asked.filter((name) => read.has(name));
  return deciding.some((name) => checks.get(name)?.includes(variable) ?? true);
}

const usesVariable = ({ templates, firstOf, under }: AccessSettings['rooms'][number], variable: string): boolean =>
  [...(templates ?? []), ...(firstOf ?? []), ...(under === undefined ? [] : [under])].some((text) =>
    roomTemplate(text).variables.has(variable),
  );

/** The names after `query.` or in `query['…']`, for one that a condition reads. `has(query.x)` looks at no value. */
function namesRead(condition: string, from: 'query' | 'check'): ReadonlySet<string> {
  const reference = new RegExp(
    String.raw`(?<!has\s*\(\s*)(?<![\w.])${from}\s*(?:\.\s*(\w+)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\])`,
    'g',
  );
  return new Set(
    [...condition.matchAll(reference)].map(([, field, single, double]) => field ?? single ?? double ?? ''),
  );
}

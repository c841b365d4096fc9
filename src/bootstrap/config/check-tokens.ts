import { accessNames } from './build-access.ts';
import { unknownName } from './check-access.ts';
import type { CheckableConfig, CheckableIdentity } from './checkable-config.ts';
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigDraft } from './salvage.ts';

type Draft = ConfigDraft<CheckableConfig>;
type Tokens = CheckableIdentity['tokens'];
type Question = NonNullable<CheckableConfig['checks']>[string];

/** Kinds of token that conditions could not read or nobody could present, and references to those that are not there. */
export function tokenMistakes(draft: Draft): readonly Finding[] {
  const tokens = draft.identity?.tokens ?? {};
  return [
    ...Object.keys(tokens).flatMap(takenName),
    ...Object.entries(tokens).flatMap(([name, { variables }]) =>
      variableMistakes(variables).map((finding) => ({
        ...finding,
        path: ['identity', 'tokens', name, 'variables', ...finding.path],
      })),
    ),
    ...(['sources', 'endpoints'] as const).flatMap((section) =>
      (draft[section] ?? []).flatMap((adapter, index) =>
        (adapter?.settings.credentials ?? []).flatMap(({ accepts }, position) => {
          const place = [section, index, adapter?.kind ?? '', 'credentials', position, 'accepts'];
          return neverChosen(accepts, tokens).map((finding) => ({ ...finding, path: [...place, ...finding.path] }));
        }),
      ),
    ),
    ...questionReferences(draft),
  ];
}

function takenName(name: string): readonly Finding[] {
  if (!accessNames.includes(name) && name !== 'event' && name !== 'bind') return [];
  const message = 'conditions read something else by this name; give it another';
  return [{ path: ['identity', 'tokens', name], at: 'key', message }];
}

function variableMistakes(variables: Tokens[string]['variables']): readonly Finding[] {
  const names = Object.keys(variables);
  return Object.entries(variables).flatMap(([name, source], index): readonly Finding[] => {
    if (name === 'connection') {
      const message = 'every connection has {connection} already; give it another name';
      return [{ path: [name], at: 'key', message }];
    }
    if (!('sha256' in source)) return [];
    return source.sha256.flatMap((part, position) => {
      // The part that is called as its own variable is a claim, since there is no such variable yet.
      if (names.indexOf(part) <= index) return [];
      const message = 'names a variable that stands after this one, and would be read as a claim; put that one first';
      return [{ path: [name, 'sha256', position], message }];
    });
  });
}

/** Kinds are told apart by issuer, and of two that take the same one the first is always meant. */
function neverChosen(accepts: readonly string[], tokens: Tokens): readonly Finding[] {
  return accepts.flatMap((name, index): readonly Finding[] => {
    const kind = kindOf(name, tokens);
    if (!kind) return [];
    const first = accepts.slice(0, index).find((other) => sharesIssuer(kindOf(other, tokens), kind));
    if (first === undefined) return [];
    if (first === name) return [{ path: [index], message: 'is accepted here already; leave it out' }];
    const shared = kind.development || kind.issuers.length > 0 ? 'has an issuer of' : 'names no issuers, as does';
    const message = `${shared} the kind ${first} before it, and is never chosen for such tokens; accept one of them`;
    return [{ path: [index], message }];
  });
}

const kindOf = (name: string, tokens: Tokens): Tokens[string] | undefined =>
  Object.hasOwn(tokens, name) ? tokens[name] : undefined;

function sharesIssuer(one: Tokens[string] | undefined, other: Tokens[string]): boolean {
  if (!one) return false;
  if (one.introspection || other.introspection) return (one.introspection && other.introspection) !== undefined;
  if (one.development || other.development) return one.development === other.development;
  if (one.issuers.length === 0) return other.issuers.length === 0;
  return one.issuers.some((issuer) => other.issuers.includes(issuer));
}

/** Kinds of token that other services are asked about. */
function questionReferences(draft: Draft): readonly Finding[] {
  const names = Object.hasOwn(draft, 'identity') ? Object.keys(draft.identity?.tokens ?? {}) : undefined;
  const known = (path: ConfigPath, name: string): readonly Finding[] =>
    unknownName(path, name, names, 'identity.tokens');
  const relayed = (path: ConfigPath, { bearer = '*', schemes = {} }: Question): readonly Finding[] => [
    ...(bearer === '*' ? [] : known([...path, 'bearer'], bearer)),
    ...Object.keys(schemes).flatMap((name) => known([...path, 'schemes', name], name)),
  ];
  return [
    ...Object.entries(draft.checks ?? {}).flatMap(([name, question]) => relayed(['checks', name], question)),
    ...Object.entries(draft.permissionSources ?? {}).flatMap(([name, { credential, ...question }]) => [
      ...relayed(['permissionSources', name], question),
      ...known(['permissionSources', name, 'credential'], credential),
    ]),
  ];
}

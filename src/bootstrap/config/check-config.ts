import type { AccessSettings } from '../../adapters/settings-fields.ts';
import { parseUrlTemplate } from '../../adapters/url-template.ts';
import { buildAccess, buildPublishAccess } from './build-access.ts';
import { buildMembership } from './build-membership.ts';
import { buildIsolation, buildRouting, type CompileCondition } from './build-routing.ts';
import { type AccessNames, accessMistakes, unknownName } from './check-access.ts';
import { notificationMistakes } from './check-notifications.ts';
import { takenPaths } from './check-paths.ts';
import { insecureChoices } from './check-security.ts';
import { spacesMistakes, spacesOf } from './check-spaces.ts';
import { streamTypeMistakes } from './check-stream-types.ts';
import { tokenMistakes } from './check-tokens.ts';
import type { CheckableAdapter, CheckableConfig, CheckableIdentity } from './checkable-config.ts';
import { type ConfigPath, type Finding, pathText } from './problem.ts';
import { referencedName } from './route-settings.ts';
import type { ConfigDraft } from './salvage.ts';

type Draft = ConfigDraft<CheckableConfig>;

export type ConfigCheckOptions = {
  readonly compile: CompileCondition;
  /** Kinds of source that can be published to. */
  readonly publisherKinds: readonly string[];
};

/**
 * Looks for contradictions between the sections of a config: what its schema cannot see. Parts that are wrong by
 * themselves are missing in the draft, and so is what could be said about them.
 */
export const createConfigCheck =
  ({ compile, publisherKinds }: ConfigCheckOptions) =>
  (draft: Draft): readonly Finding[] => {
    const { sources = [], endpoints = [], routes = [], isolation } = draft;
    const routing = buildRouting(routes, isolation, compile);
    return [
      ...takenNames('sources', sources),
      ...takenNames('endpoints', endpoints),
      ...takenNames('routes', routes),
      ...takenPaths(draft),
      ...tokenMistakes(draft),
      ...discardedDeadLetters(draft),
      ...publishTargets(sources, endpoints, publisherKinds),
      ...spacesMistakes(draft, routing),
      ...streamTypeMistakes(sources, endpoints),
      ...insecureChoices(draft),
      ...notificationMistakes(draft, namesOf(draft), compile),
      ...sources.flatMap((source, index) => accessFindings(['sources', index], source, draft, compile)),
      ...endpoints.flatMap((endpoint, index) => accessFindings(['endpoints', index], endpoint, draft, compile)),
      ...(routing.ok ? [] : routing.reason),
    ];
  };

type Named = { readonly name?: string | undefined };

function takenNames(section: string, items: readonly (Named | undefined)[]): readonly Finding[] {
  return items.flatMap((item, index) => {
    const first = items.findIndex((each) => each?.name !== undefined && each.name === item?.name);
    if (first === -1 || first === index) return [];
    const taken = `is the name of ${section}[${first}], too; give one of them another`;
    return [{ path: [section, index, 'name'], message: `"${item?.name}" ${taken}`, withoutValue: taken }];
  });
}

function publishTargets(
  sources: readonly (CheckableAdapter | undefined)[],
  endpoints: readonly (CheckableAdapter | undefined)[],
  publisherKinds: readonly string[],
): readonly Finding[] {
  // A source that is wrong by itself may be the one that is meant.
  if (sources.includes(undefined)) return [];
  const targets = sources.flatMap((each) => (each && publisherKinds.includes(each.kind) ? [each.name] : []));
  const unknownTarget = (path: ConfigPath, target: string | undefined): readonly Finding[] =>
    target === undefined ? [] : unknownName(path, target, targets, 'the sources that can publish');
  return [
    ...sources.flatMap((source, index) =>
      unknownTarget(['sources', index, source?.kind ?? '', 'publishTo'], source?.settings.publishTo),
    ),
    ...endpoints.flatMap((endpoint, index) =>
      unknownTarget(['endpoints', index, endpoint?.kind ?? '', 'publish', 'to'], spacesOf(endpoint)?.publish.to),
    ),
  ];
}

/** `dead-letter` asks for a place that a source has been told not to have. */
function discardedDeadLetters({ unroutable, sources = [] }: Draft): readonly Finding[] {
  if (unroutable !== 'dead-letter') return [];
  const discarding = sources.findIndex((source) => source?.settings['onDeadLetter'] === 'discard');
  if (discarding === -1) return [];
  const message =
    `contradicts onDeadLetter: discard of sources[${discarding}]; ` +
    'give that source a place for dead letters, or accept what no route leads anywhere';
  return [{ path: ['unroutable'], message }];
}

/** Everything about who may connect to an endpoint or publish through a source. */
function accessFindings(
  place: ConfigPath,
  adapter: CheckableAdapter | undefined,
  draft: Draft,
  compile: CompileCondition,
): readonly Finding[] {
  if (!adapter) return [];
  const { settings, kind } = adapter;
  const mistakes = accessMistakes(settings, namesOf(draft));
  const known = new Set(mistakes.map(({ path }) => pathText(path)));
  // A variable that nothing gives also crosses the isolation, and that is one mistake.
  const others = builtFindings(settings, draft, compile).filter(({ path }) => !known.has(pathText(path)));
  return [...mistakes, ...others].map((finding) => ({ ...finding, path: [...place, kind, ...finding.path] }));
}

function builtFindings(
  settings: CheckableAdapter['settings'],
  { isolation, identity }: Draft,
  compile: CompileCondition,
): readonly Finding[] {
  const { require, checks = [], rooms, roomsPerConnectionMax = 1, values = {}, exchanges } = settings;
  // Without the credentials it is not known what conditions may read.
  if (!settings.credentials) return [];
  const credentials = withEveryName(settings.credentials, identity);
  if (settings.membership && settings.sender) {
    const { membership, sender } = settings;
    const policy = buildMembership({ credentials, membership, sender }, compile);
    if (!policy.ok) return policy.reason;
  }
  const access = rooms
    ? buildAccess(
        { credentials, require, checks, rooms, roomsPerConnectionMax, values, exchanges },
        { isolation: isolation && buildIsolation(isolation), compile },
      )
    : buildPublishAccess({ credentials, require, checks }, compile);
  return access.ok ? [] : access.reason;
}

/** Where a kind of token is misspelt, a condition may read the one that was meant. */
function withEveryName(
  credentials: AccessSettings['credentials'],
  identity: CheckableIdentity | undefined,
): AccessSettings['credentials'] {
  const kinds = Object.keys(identity?.tokens ?? {});
  return credentials.map((credential) =>
    credential.accepts.every((name) => kinds.includes(name))
      ? credential
      : { ...credential, accepts: [...credential.accepts, ...kinds] },
  );
}

/** A section that is wrong by itself has names all the same, but which ones is not known. */
const namesOf = (draft: Draft): AccessNames => ({
  tokens: Object.hasOwn(draft, 'identity')
    ? new Map(
        Object.entries(draft.identity?.tokens ?? {}).map(([name, { variables }]) => [name, Object.keys(variables)]),
      )
    : undefined,
  checks: Object.hasOwn(draft, 'checks')
    ? new Map(Object.entries(draft.checks ?? {}).map(([name, { url }]) => [name, urlVariables(url)]))
    : undefined,
  tenant: draft.isolation && referencedName(draft.isolation.connection),
});

function urlVariables(url: string): readonly string[] {
  const template = parseUrlTemplate(url);
  return template.ok ? template.value.variables : [];
}

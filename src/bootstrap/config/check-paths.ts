import { pushPath } from '../../adapters/inbound/pubsub/pubsub-push-path.ts';
import type { CheckableAdapter, CheckableConfig } from './checkable-config.ts';
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigDraft } from './salvage.ts';

/** Paths that the gateway serves itself. */
const ownPaths: readonly string[] = ['/healthz', '/readyz', '/metrics', '/v1/development/tokens'];

type Place = {
  readonly path: string;
  readonly by: string;
  readonly at: ConfigPath;
  /** Several endpoints of Socket.IO may have one path, each with a namespace of its own. */
  readonly namespace?: string | undefined;
  /** The path is made of the adapter's name. */
  readonly isNamed?: boolean;
};

/**
 * Two adapters on one path. An endpoint gets every request at and below its own, so what a source or the gateway serves
 * there would never be reached.
 */
export function takenPaths({
  sources = [],
  endpoints = [],
  notifications,
}: ConfigDraft<CheckableConfig>): readonly Finding[] {
  const served = ownPaths.map((path): Place => ({ path, by: 'the gateway itself', at: [] }));
  const findings: Finding[] = [];
  const asked = (notifications?.paths ?? []).map(
    (path, index): Place => ({
      path,
      by: 'notifications',
      at: ['notifications', 'paths', index],
    }),
  );
  for (const place of [...sources.flatMap((source, index) => placesOf('sources', index, source)), ...asked]) {
    // Two such paths are one where two names are, and that is a mistake of its own.
    const taken = served.find(({ path, isNamed }) => path === place.path && !(isNamed && place.isNamed));
    if (taken) findings.push(finding(place, taken));
    served.push(place);
  }
  const reached: Place[] = [];
  for (const place of endpoints.flatMap((endpoint, index) => placesOf('endpoints', index, endpoint))) {
    const taken =
      reached.find((other) => other.path === place.path && !mayShare(other, place)) ??
      served.find(({ path }) => isWithin(path, place.path));
    if (taken) findings.push(finding(place, taken));
    reached.push(place);
  }
  return findings;
}

/** A slash at the end is no difference. */
function placesOf(section: string, index: number, adapter: CheckableAdapter | undefined): readonly Place[] {
  if (adapter?.kind === 'pubsubPush') {
    return [{ path: pushPath(adapter.name), by: `${section}[${index}]`, at: [section, index, 'name'], isNamed: true }];
  }
  const { path, paths = [], health, namespace, api } = adapter?.settings ?? {};
  const below = [section, index, adapter?.kind ?? ''];
  const one = path === undefined ? [] : [{ path, namespace, at: [...below, 'path'] }];
  const all = [
    ...(api === undefined ? [] : [{ path: api.path, at: [...below, 'api', 'path'] }]),
    ...one,
    ...paths.map((each, position) => ({ path: each, at: [...below, 'paths', position] })),
    ...(health?.paths ?? []).map((each, position) => ({ path: each, at: [...below, 'health', 'paths', position] })),
  ];
  return all.map((place) => ({ ...place, path: place.path.replace(/\/$/, ''), by: `${section}[${index}]` }));
}

const mayShare = (one: Place, other: Place): boolean =>
  one.namespace !== undefined && other.namespace !== undefined && one.namespace !== other.namespace;

const isWithin = (path: string, above: string): boolean =>
  path === above || (above !== '' && path.startsWith(`${above}/`));

const finding = ({ at, path, isNamed }: Place, taken: Place): Finding => ({
  path: at,
  message: isNamed
    ? `makes the path ${path}, which is one of ${taken.by}, too; give it another name`
    : `is a path of ${taken.by}, too, or stands above one; choose another`,
});

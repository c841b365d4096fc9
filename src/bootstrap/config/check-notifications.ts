import { buildAccess } from './build-access.ts';
import type { CompileCondition } from './build-routing.ts';
import { type AccessNames, unknownName } from './check-access.ts';
import type { CheckableConfig } from './checkable-config.ts';
import type { Finding } from './problem.ts';
import type { ConfigDraft } from './salvage.ts';

/** What contradicts other sections in that of notifications. */
export function notificationMistakes(
  { notifications, sources = [] }: ConfigDraft<CheckableConfig>,
  names: AccessNames,
  compile: CompileCondition,
): readonly Finding[] {
  if (!notifications) return [];
  const { source, credentials, owner, administrators } = notifications;
  const kinds = [...new Set(credentials.flatMap(({ accepts }) => accepts))];
  const sourceNames = sources.includes(undefined) ? undefined : sources.map((each) => each?.name ?? '');
  const access = buildAccess(
    { credentials, require: administrators, checks: [], rooms: [], roomsPerConnectionMax: 1, values: {} },
    { isolation: undefined, compile },
  );
  const findings = [
    ...unknownName(['source'], source, sourceNames, 'the sources'),
    ...credentials.flatMap(({ accepts }, index) =>
      accepts.flatMap((name, position) =>
        unknownName(['credentials', index, 'accepts', position], name, names.tokens?.keys(), 'identity.tokens'),
      ),
    ),
    ...kinds
      .filter((kind) => names.tokens?.get(kind)?.includes(owner) === false)
      .map((kind) => ({
        path: ['owner'],
        message: `tokens of the kind ${kind} do not give {${owner}}; add it to identity.tokens.${kind}.variables`,
      })),
    ...(access.ok ? [] : access.reason.map(({ message }) => ({ path: ['administrators'], message }))),
    ...fedSources(notifications, sources),
  ];
  return findings.map((finding) => ({ ...finding, path: ['notifications', ...finding.path] }));
}

/** A source that another one publishes into, or that clients bind, is there for clients. */
function fedSources(
  { source }: NonNullable<CheckableConfig['notifications']>,
  sources: NonNullable<ConfigDraft<CheckableConfig>['sources']>,
): readonly Finding[] {
  const chosen = sources.find((each) => each?.name === source);
  if (chosen?.settings['bindings'] === undefined) return [];
  const message = `"${source}" is what clients bind; notifications need a source of their own, with queues or subscriptions`;
  return [{ path: ['source'], message }];
}

import type { CheckableAdapter, CheckableConfig } from './checkable-config.ts';
import type { Finding } from './problem.ts';
import type { ConfigDraft } from './salvage.ts';

/** Paths that the gateway serves itself. */
const ownPaths: readonly string[] = ['/healthz', '/readyz', '/metrics', '/v1/development/tokens'];

type Taken = { readonly path: string; readonly by: string };

/**
 * Two adapters on one path. An endpoint gets every request at and below its own, so what a source or the gateway serves
 * there would never be reached.
 */
export function takenPaths({ sources = [], endpoints = [] }: ConfigDraft<CheckableConfig>): readonly Finding[] {
  const served: Taken[] = ownPaths.map((path) => ({ path, by: 'the gateway itself' }));
  const findings: Finding[] = [];
  for (const [index, source] of sources.entries()) {
    const path = pathOf(source);
    if (!source || path === undefined) continue;
    const taken = served.find((each) => each.path === path);
    if (taken) findings.push(finding('sources', index, source, taken.by));
    served.push({ path, by: `sources[${index}]` });
  }
  const reached: Taken[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    const path = pathOf(endpoint);
    if (!endpoint || path === undefined) continue;
    const taken =
      reached.find((each) => each.path === path) ??
      served.find((each) => each.path === path || (path !== '' && each.path.startsWith(`${path}/`)));
    if (taken) findings.push(finding('endpoints', index, endpoint, taken.by));
    reached.push({ path, by: `endpoints[${index}]` });
  }
  return findings;
}

/** A slash at the end is no difference. */
const pathOf = (adapter: CheckableAdapter | undefined): string | undefined =>
  adapter?.settings.path?.replace(/\/$/, '');

const finding = (section: string, index: number, { kind }: CheckableAdapter, by: string): Finding => ({
  path: [section, index, kind, 'path'],
  message: `is a path of ${by}, too, or stands above one; choose another`,
});

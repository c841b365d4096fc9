import type { SpacesSettings } from '../../adapters/outbound/socketio/spaces-settings.ts';
import { createMembershipPolicy, type MembershipPolicy, openMembership } from '../../domain/membership-policy.ts';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import { accessNames, credentialNamesOf, ruleCompiler } from './build-access.ts';
import type { CompileCondition } from './build-routing.ts';
import type { Finding } from './problem.ts';

export type MembershipSettings = Pick<SpacesSettings, 'credentials' | 'membership' | 'sender'>;

/** Who may be in which space. Findings are relative to the endpoint's settings. */
export function buildMembership(
  settings: MembershipSettings,
  compile: CompileCondition,
): Verdict<MembershipPolicy, readonly Finding[]> {
  const { membership, sender } = settings;
  if (!membership) return allowed(openMembership);
  const credentialNames = credentialNamesOf(settings);
  const rules = ruleCompiler(compile, [
    ...accessNames.filter((name) => name !== 'values'),
    ...credentialNames,
    'space',
  ]);
  const rule = rules.compile(membership.require, membership.checks, ['membership', 'require']);
  if (rules.findings.length > 0) return refused(rules.findings);
  const members =
    membership.members && new Map(Object.entries(membership.members).map(([space, ids]) => [space, new Set(ids)]));
  return allowed(createMembershipPolicy({ rule, members, memberVariable: sender.id, credentialNames }));
}

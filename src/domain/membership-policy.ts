import { accessScope, applyRule } from './access-policy.ts';
import type { AccessRule } from './access-rule.ts';
import type { AccessDecision, AccessRequest } from './ports/access-control.ts';
import type { SpaceId } from './space.ts';
import { singleValue } from './variables.ts';

export type MembershipRules = {
  /** What must hold, with `space` among what the condition reads. */
  readonly rule: AccessRule;
  /** The members of each space, where they are listed: whoever is not, or whose space is not, is none. */
  readonly members?: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  /** The variable of a connection that says which member it is. */
  readonly memberVariable: string;
  readonly credentialNames: readonly string[];
};

/** Pure and synchronous; never throws. */
export interface MembershipPolicy {
  mayJoin(request: AccessRequest, space: SpaceId): AccessDecision<true>;
}

/** Whoever is connected is a member of every space. */
export const openMembership: MembershipPolicy = {
  mayJoin: () => ({ kind: 'allow', value: true, reason: 'every space is open' }),
};

/** The list and the condition are looked at first, so that nobody is asked about what they refuse. */
export function createMembershipPolicy({
  rule,
  members,
  memberVariable,
  credentialNames,
}: MembershipRules): MembershipPolicy {
  return {
    mayJoin(request, space) {
      const member = singleValue(request.principal.variables, memberVariable);
      if (members && (member === undefined || !members.get(space)?.has(member))) {
        return { kind: 'deny', code: 'room_denied', reason: 'it is not in the list of the members of the space' };
      }
      const scope = { ...accessScope(request, { credentialNames }), space };
      if (!rule.readsChecks && rule.checks.length > 0) {
        const alone = applyRule({ when: rule.when, checks: [] }, request, scope, 'room_denied');
        if (alone.kind === 'deny') return alone;
      }
      return applyRule(rule, request, scope, 'room_denied');
    },
  };
}

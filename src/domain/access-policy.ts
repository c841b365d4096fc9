import { type AccessRule, isAllowing } from './access-rule.ts';
import { createBindPolicy, type StreamRule } from './bind-policy.ts';
import { eventScope, type Scope } from './condition.ts';
import type { Denial } from './denial.ts';
import { coverage, type Isolation } from './isolation.ts';
import type { AccessControl, AccessDecision, AccessRequest, IgnoredRooms, JoinGrant } from './ports/access-control.ts';
import type { Principal } from './principal.ts';
import type { RoomName } from './room.ts';
import { below, expand, missingVariable, type RoomTemplate, unreachableTemplates } from './room-template.ts';
import { presentValues, united, type Variables } from './variables.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

export type RoomGroup = {
  readonly templates: readonly RoomTemplate[];
  /** `firstOf`: the first complete template; `eachOf`, the default: every complete one. */
  readonly choice?: 'firstOf' | 'eachOf' | undefined;
  /** Where its variables have values, the rooms stand below it, once for each value, and not by themselves. */
  readonly under?: RoomTemplate | undefined;
  readonly rule: AccessRule;
  readonly otherwise: 'ignore' | 'refuse';
};

export type AccessPolicy = {
  readonly connect: AccessRule;
  readonly publish: AccessRule;
  readonly rooms: readonly RoomGroup[];
  readonly roomsPerConnectionMax: number;
  /** What may be bound; the first rule whose name matches a stream counts. By default nothing may. */
  readonly streams?: readonly StreamRule[];
  /** Every name a credential can have, so that a condition may ask about one that is absent. */
  readonly credentialNames: readonly string[];
  /** Texts of the config, which conditions read as `values`. */
  readonly values?: ReadonlyMap<string, string>;
};

/** `part` is a place in the policy, such as `rooms[1].templates[0]`. */
export type PolicyProblem = { readonly part: string; readonly reason: string };

/** Refuses room templates that could let a connection into another tenant's room. */
export function createAccessPolicy(
  policy: AccessPolicy,
  isolation?: Isolation,
): Verdict<AccessControl, readonly PolicyProblem[]> {
  const problems = policy.rooms.flatMap((group, index) => [
    ...openPrefix(group, index),
    ...deadTemplates(group, index),
    ...(isolation ? tenantCrossings(group, index, isolation) : []),
  ]);
  if (problems.length > 0) return refused(problems);
  const publishAtAll = withoutEvent(policy.publish);
  const binds = createBindPolicy(policy.streams ?? [], isolation);
  return allowed({
    mayConnect: (request) =>
      nothingForAnonymous(policy, request) ??
      applyInOrder(policy.connect, request, accessScope(request, policy), 'access_denied'),
    mayBind: (request, bind) => binds.mayBind(request, bind, accessScope(request, policy)),
    bindVariables: (bind) => binds.bindVariables(bind),
    mayJoin: (request) => severalTenants(request, isolation) ?? join(policy, request),
    mayPublish: (request, event) => {
      const scope = accessScope(request, policy);
      return event
        ? applyRule(policy.publish, request, { ...scope, ...eventScope(event) }, 'access_denied')
        : applyRule(publishAtAll, request, scope, 'access_denied');
    },
  });
}

/** Where a connection is there for binds, and a token is needed for every one of them, so it is for the connection. */
function nothingForAnonymous(
  { streams = [], rooms, credentialNames }: AccessPolicy,
  { principal }: AccessRequest,
): AccessDecision<never> | undefined {
  if (principal.credentials.length > 0 || credentialNames.length === 0 || rooms.length > 0) return undefined;
  if (streams.length === 0 || streams.some(({ rule }) => rule === 'public')) return undefined;
  return { kind: 'deny', code: 'token_missing', reason: 'there is no token, and nothing is public' };
}

/** The decision of one rule, or what is to be asked for it. */
export function applyRule(
  rule: AccessRule,
  request: AccessRequest,
  scope: Scope,
  code: Denial['code'],
): AccessDecision<true> {
  const unanswered = rule.checks.filter((name) => !request.checks.has(name));
  if (unanswered.length > 0) return { kind: 'ask', checks: unanswered };
  const held = rule.when?.(scope);
  if (held && !held.ok) return { kind: 'deny', code, reason: held.reason.text };
  const denying = rule.readsChecks ? [] : rule.checks.filter((name) => !isAllowing(request.checks.get(name)));
  if (denying.length > 0) return { kind: 'deny', code, reason: `denied by the check ${denying.join(', ')}` };
  return { kind: 'allow', value: true, reason: whatHolds(rule) };
}

/**
 * A condition that reads checks is looked at before anybody is asked: where it needs none of the answers, such as for a
 * token without the scope, it is decided. One that does need them cannot be evaluated.
 */
function applyInOrder(
  rule: AccessRule,
  request: AccessRequest,
  scope: Scope,
  code: Denial['code'],
): AccessDecision<true> {
  if (rule.decidesEarly && rule.checks.some((name) => !request.checks.has(name))) {
    const { check: _, ...known } = scope;
    const held = rule.when?.(known);
    if (held?.ok) return { kind: 'allow', value: true, reason: 'the condition holds, whatever its checks say' };
    if (held && !held.reason.error) return { kind: 'deny', code, reason: held.reason.text };
  }
  return applyRule(rule, request, scope, code);
}

/** A condition that cannot be evaluated without the event may yet hold for one. */
const withoutEvent = ({ when, ...rule }: AccessRule): AccessRule => ({
  ...rule,
  when:
    when &&
    ((scope) => {
      const held = when(scope);
      return held.ok || !held.reason.error ? held : allowed(true);
    }),
});

function whatHolds({ when, checks, readsChecks }: AccessRule): string {
  if (when && (readsChecks || checks.length === 0)) return 'the condition holds';
  if (when) return 'the condition holds and every check allows';
  return checks.length > 0 ? 'every check allows' : 'there is no condition';
}

/** A token whose tenant is a list would be in the rooms of them all. */
function severalTenants(request: AccessRequest, isolation?: Isolation): AccessDecision<never> | undefined {
  if (!isolation) return undefined;
  const name = isolation.connectionVariable;
  const { principal, variables } = request;
  if (presentValues(principal.variables.get(name) ?? variables.get(name)).length <= 1) return undefined;
  return { kind: 'deny', code: 'access_denied', reason: `the connection has more than one {${name}}` };
}

function join(policy: AccessPolicy, request: AccessRequest): AccessDecision<JoinGrant> {
  const variables = joinVariables(request);
  const scope = accessScope(request, policy);
  const rooms = new Set<RoomName>();
  const ignored: IgnoredRooms[] = [];
  const unanswered = new Set<string>();
  for (const group of policy.rooms) {
    const templates = completeTemplates(group, variables);
    if (templates.length === 0) continue;
    const decision = applyInOrder(group.rule, request, scope, 'room_denied');
    if (decision.kind === 'ask') {
      for (const check of decision.checks) unanswered.add(check);
    } else if (decision.kind === 'deny') {
      if (group.otherwise === 'refuse') return decision;
      ignored.push(...templates.map((template) => ({ template: template.text, reason: decision.reason })));
    } else if (!addRooms(templates, variables, rooms, policy.roomsPerConnectionMax)) {
      const reason = `the connection asks for more than ${policy.roomsPerConnectionMax} rooms`;
      return { kind: 'deny', code: 'rooms_too_many', reason };
    }
  }
  if (unanswered.size > 0) return { kind: 'ask', checks: [...unanswered] };
  return { kind: 'allow', value: { rooms: [...rooms], ignored }, reason: `${rooms.size} rooms` };
}

/** False when there would be more than `roomsMax` rooms. */
function addRooms(
  templates: readonly RoomTemplate[],
  variables: Variables,
  rooms: Set<RoomName>,
  roomsMax: number,
): boolean {
  for (const template of templates) {
    for (const room of expand(template, variables, roomsMax + 1)) rooms.add(room);
    if (rooms.size > roomsMax) return false;
  }
  return true;
}

function completeTemplates(group: RoomGroup, variables: Variables): readonly RoomTemplate[] {
  const { under } = group;
  const all = group.templates.filter((template) => missingVariable(template, variables) === undefined);
  const complete = group.choice === 'firstOf' ? all.slice(0, 1) : all;
  if (!under || missingVariable(under, variables) !== undefined) return complete;
  return complete.map((template) => below(under, template));
}

/** What a client says of itself never stands above what its tokens say. */
const joinVariables = (request: AccessRequest): Variables => united(request.variables, request.principal.variables);

/**
 * What conditions read. Unqualified `claims`, `roles` and `permissions` are the first credential's only; each credential
 * stands under its own name, an absent one with `present: false` and nothing in it.
 */
/** @param policy what conditions may read beside the request. */
export function accessScope(
  request: AccessRequest,
  { credentialNames, values = new Map() }: Pick<AccessPolicy, 'credentialNames' | 'values'>,
): Scope {
  const { principal } = request;
  const scope: Record<string, unknown> = Object.create(null);
  for (const name of credentialNames) scope[name] = credentialScope(principal, name);
  const first = credentialScope(principal, principal.credentials[0]?.name ?? '');
  scope['claims'] = first.claims;
  scope['roles'] = first.roles;
  scope['permissions'] = first.permissions;
  scope['variables'] = principal.variables;
  scope['query'] = request.variables;
  scope['connection'] = request.variables.get('connection') ?? '';
  scope['check'] = request.checks;
  scope['values'] = values;
  return scope;
}

function credentialScope(principal: Principal, name: string) {
  const credential = principal.credentials.find((each) => each.name === name);
  return {
    present: credential !== undefined,
    claims: credential?.claims ?? {},
    roles: credential?.roles ?? [],
    permissions: credential?.permissions ?? [],
    variables: credential?.variables ?? new Map<string, never>(),
  };
}

/** Whatever a client writes there would stand before the rooms, so that they could begin with anything. */
const openPrefix = (group: RoomGroup, index: number): PolicyProblem[] =>
  group.under?.segments.at(-1)?.kind === 'rest'
    ? [{ part: `rooms[${index}].under`, reason: `"${group.under.text}" must not end in {name*}: rooms stand below it` }]
    : [];

function deadTemplates({ templates, choice }: RoomGroup, index: number): PolicyProblem[] {
  if (choice !== 'firstOf') return [];
  return unreachableTemplates(templates).map(({ position, reason }) => ({
    part: `rooms[${index}].firstOf[${position}]`,
    reason,
  }));
}

function tenantCrossings(group: RoomGroup, index: number, isolation: Isolation): PolicyProblem[] {
  const { under, choice } = group;
  return group.templates.flatMap((template, position) => {
    const places = under ? [template, below(under, template)] : [template];
    const part = `rooms[${index}].${choice === 'firstOf' ? 'firstOf' : 'templates'}[${position}]`;
    return places.flatMap((each) => {
      const covered = coverage(each, isolation.connectionVariable, isolation.shapes);
      return covered.ok ? [] : [{ part, reason: covered.reason }];
    });
  });
}

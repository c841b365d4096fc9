import type { Event } from './event.ts';
import { EventVariables } from './event-variables.ts';
import { coverage, type Isolation, isRoomOf } from './isolation.ts';
import { roomsPerEventMax } from './limits.ts';
import type { EventRouting, RoutingDecision, UnroutableCause } from './ports/event-routing.ts';
import { type PreparedRule, prepareRule, type RuleAnswer } from './prepare-rule.ts';
import type { RoomName } from './room.ts';
import { below, expand, type RoomTemplate, unreachableTemplates } from './room-template.ts';
import type { RoutingRule } from './routing-rule.ts';
import { createTopicIndex } from './topic-index.ts';
import { singleValue } from './variables.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

/** A rule that cannot be, and which part of it: `templates[2]`, `alsoUnder[0]`, `narrowing[1]`. */
export type RuleProblem = { readonly rule: number; readonly part: string; readonly reason: string };

/** Refuses rules that could lead an event to another tenant's room, and templates that no event could ever choose. */
export function createRoutingTable(
  rules: readonly RoutingRule[],
  isolation?: Isolation,
): Verdict<EventRouting, readonly RuleProblem[]> {
  const problems = rules.flatMap((rule, index) =>
    [
      ...deadTemplates(rule),
      ...unusedNarrowing(rule),
      ...openPrefixes(rule),
      ...(isolation ? tenantCrossings(rule, isolation) : []),
    ].map((problem) => ({ rule: index, ...problem })),
  );
  if (problems.length > 0) return refused(problems);

  const rulesFor = createRuleFinder(rules.map(prepareRule));
  return allowed({ decide: (event) => decide(event, rulesFor(event.stream), isolation) });
}

/** Streams are topics and exchanges, so few; more than this are looked up each time anew. */
const streamsKnownMax = 1000;

/** The rules whose stream holds, in their order. */
function createRuleFinder(rules: readonly PreparedRule[]): (stream: string) => readonly PreparedRule[] {
  const byStream = createTopicIndex<PreparedRule>();
  for (const rule of rules) byStream.add(rule.stream, rule);
  const known = new Map<string, readonly PreparedRule[]>();
  return (stream) => {
    const found = known.get(stream);
    if (found) return found;
    const matching = byStream.match(stream).sort((a, b) => a.place - b.place);
    if (known.size < streamsKnownMax) known.set(stream, matching);
    return matching;
  };
}

/** What one rule makes of an event. */
type Contribution = RuleAnswer & { readonly variables: EventVariables };

function contributionsOf(
  event: Event,
  rules: readonly PreparedRule[],
  isolation: Isolation | undefined,
): readonly Contribution[] {
  const contributions: Contribution[] = [];
  for (const rule of rules) {
    if (!rule.hasKey(event.key)) continue;
    const variables = new EventVariables(event, rule);
    const { outcome, chosen, unmet } = rule.answer(event, variables, isolation);
    contributions.push({ outcome, chosen, unmet, variables });
  }
  return contributions;
}

function decide(event: Event, rules: readonly PreparedRule[], isolation: Isolation | undefined): RoutingDecision {
  const contributions = contributionsOf(event, rules, isolation);
  const outcomes = contributions.map((each) => each.outcome);
  const unroutable = (cause: UnroutableCause, reason: string): RoutingDecision => ({
    kind: 'unroutable',
    cause,
    reason,
    rules: outcomes,
  });

  // One rule's unmet narrowing stops all of them: what another rule would add is wider than what the event names.
  if (contributions.some((each) => each.unmet.length > 0)) {
    const unmet = new Set(contributions.flatMap((each) => each.unmet));
    return unroutable('narrowing', `the event carries ${[...unmet].join(', ')}, which no complete template uses`);
  }
  if (outcomes.every((outcome) => outcome.kind === 'skipped')) {
    return outcomes.length === 0
      ? unroutable('no_rule', `no rule is for stream "${event.stream}" and key "${event.key}"`)
      : unroutable('no_template', outcomes.map(({ rule, reason }) => `${rule}: ${reason}`).join('; '));
  }

  const rooms = new Map<RoomName, RoomTemplate>();
  for (const { chosen, variables } of contributions) {
    for (const { template, fill } of chosen) {
      const only = fill(variables);
      if (only !== undefined) rooms.set(only, template);
      else for (const room of expand(template, variables, roomsPerEventMax + 1)) rooms.set(room, template);
      if (rooms.size > roomsPerEventMax) {
        return unroutable('rooms_too_many', `the event names more than ${roomsPerEventMax} rooms`);
      }
    }
  }
  // The reason names the template: a room's name holds values of attributes, which are for no log.
  const foreign = isolation && foreignTemplate(contributions, rooms, isolation);
  if (foreign) return unroutable('isolation', `"${foreign.text}" makes a room that is not the event's tenant's`);
  return { kind: 'routed', rooms: [...rooms.keys()], rules: outcomes };
}

/**
 * The template of a room that is not for the event's tenant: another one's, or nobody's while the event has a tenant.
 * The templates were checked at load; this is the second lock, and the first where rules read the tenant differently.
 */
function foreignTemplate(
  contributions: readonly Contribution[],
  rooms: ReadonlyMap<RoomName, RoomTemplate>,
  isolation: Isolation,
): RoomTemplate | undefined {
  const tenants = new Set<string>();
  for (const { chosen, variables } of contributions) {
    const tenant = chosen.length > 0 ? singleValue(variables, isolation.eventVariable) : undefined;
    if (tenant !== undefined) tenants.add(tenant);
  }
  for (const [room, template] of rooms) if (!isRoomOf(room, tenants, isolation.shapes)) return template;
  return undefined;
}

type Problem = { readonly part: string; readonly reason: string };

const deadTemplates = ({ choice, templates }: RoutingRule): Problem[] =>
  choice === 'eachOf'
    ? []
    : unreachableTemplates(templates).map(({ position, reason }) => ({ part: `firstOf[${position}]`, reason }));

function unusedNarrowing(rule: RoutingRule): Problem[] {
  return rule.narrowing.flatMap((name, index) => {
    if (rule.templates.some((template) => template.variables.has(name))) return [];
    return [
      { part: `narrowing[${index}]`, reason: `no template uses {${name}}, so an event that carries it reaches nobody` },
    ];
  });
}

/** What stands in a `{name*}` is the publisher's to choose, so the rooms below it could begin with anything. */
const openPrefixes = (rule: RoutingRule): Problem[] =>
  rule.alsoUnder.flatMap((prefix, index) =>
    prefix.segments.at(-1)?.kind === 'rest'
      ? [{ part: `alsoUnder[${index}]`, reason: `"${prefix.text}" must not end in {name*}: rooms stand below it` }]
      : [],
  );

function tenantCrossings(rule: RoutingRule, isolation: Isolation): Problem[] {
  const problems: Problem[] = [];
  if (rule.lists.has(isolation.eventVariable)) {
    problems.push({
      part: 'lists',
      reason: `{${isolation.eventVariable}} is the event's tenant, and an event has one tenant`,
    });
  }
  const check = (template: RoomTemplate, part: string) => {
    const covered = coverage(template, isolation.eventVariable, isolation.shapes);
    if (!covered.ok) problems.push({ part, reason: covered.reason });
    else if (rule.withoutTenant && covered.value === 'tenant') {
      problems.push({ part, reason: `"${template.text}" is a tenant's room, and the rule is marked withoutTenant` });
    } else if (!rule.withoutTenant && covered.value === 'common') {
      const reason = `"${template.text}" does not hold {${isolation.eventVariable}}, so all tenants would share it; mark the rule withoutTenant if that is meant`;
      problems.push({ part, reason });
    }
  };
  for (const [index, template] of rule.templates.entries()) {
    check(template, `${rule.choice}[${index}]`);
    for (const [prefix, under] of rule.alsoUnder.entries()) check(below(under, template), `alsoUnder[${prefix}]`);
  }
  return problems;
}

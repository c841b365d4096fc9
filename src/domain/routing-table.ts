import { type Condition, eventScope } from './condition.ts';
import type { Event } from './event.ts';
import { coverage, type Isolation, isRoomOf } from './isolation.ts';
import { roomsPerEventMax } from './limits.ts';
import type { EventRouting, RoutingDecision, RuleOutcome, UnroutableCause } from './ports/event-routing.ts';
import type { RoomName } from './room.ts';
import { below, expand, missingVariable, type RoomTemplate, unreachableTemplates } from './room-template.ts';
import { createTopicIndex } from './topic-index.ts';
import { type TopicPattern, wordsOf } from './topic-pattern.ts';
import { singleValue, splitList, type Variables, type VariableValue } from './variables.ts';
import { allowed, refused, type Verdict } from './verdict.ts';

export type RoutingRule = {
  /** For reasons: the name from the config, or its place there. */
  readonly name: string;
  readonly stream: TopicPattern;
  readonly key: TopicPattern;
  readonly when?: Condition | undefined;
  /** Variables that the key's words give, in order; `''` skips a word. */
  readonly keyParts: readonly string[];
  /** Attributes that hold a list, with their separators. */
  readonly lists: ReadonlyMap<string, string>;
  /** `firstOf`: the first complete template; `eachOf`: every complete one. */
  readonly choice: 'firstOf' | 'eachOf';
  readonly templates: readonly RoomTemplate[];
  /** Names that make an event narrower: one that carries such a name reaches nobody unless a complete template uses it. */
  readonly narrowing: readonly string[];
  /** The rooms are repeated below each of these. */
  readonly alsoUnder: readonly RoomTemplate[];
  /** For events without a tenant, to rooms without one. Where there is no isolation it changes nothing. */
  readonly withoutTenant: boolean;
};

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

  const byStream = createTopicIndex<PreparedRule>();
  for (const [place, rule] of rules.entries()) byStream.add(rule.stream, prepare(rule, place));

  return allowed({
    decide(event) {
      const matching = byStream
        .match(event.stream)
        .filter(({ hasKey }) => hasKey(event.key))
        .sort((a, b) => a.place - b.place);
      return decide(event, matching, isolation);
    },
  });
}

/** A rule with what can be known of it before any event comes. */
type PreparedRule = RoutingRule & {
  /** Among the rules, from 0. */
  readonly place: number;
  readonly hasKey: (key: string) => boolean;
  /** Each of `alsoUnder`, with the rule's templates below it. */
  readonly repeated: readonly {
    readonly prefix: RoomTemplate;
    readonly below: ReadonlyMap<RoomTemplate, RoomTemplate>;
  }[];
};

const prepare = (rule: RoutingRule, place: number): PreparedRule => ({
  ...rule,
  place,
  hasKey: keyMatcher(rule.key),
  repeated: rule.alsoUnder.map((prefix) => ({
    prefix,
    below: new Map(rule.templates.map((template) => [template, below(prefix, template)])),
  })),
});

/** What one rule makes of an event. */
type Contribution = {
  readonly outcome: RuleOutcome;
  readonly chosen: readonly RoomTemplate[];
  readonly variables: Variables;
  /** Narrowing names that the event carries and no complete template of the rule uses. */
  readonly unmet: readonly string[];
};

function decide(event: Event, rules: readonly PreparedRule[], isolation: Isolation | undefined): RoutingDecision {
  const contributions = rules.map((rule) => contribute(event, rule, isolation));
  const outcomes = contributions.map((each) => each.outcome);
  const unroutable = (cause: UnroutableCause, reason: string): RoutingDecision => ({
    kind: 'unroutable',
    cause,
    reason,
    rules: outcomes,
  });

  // One rule's unmet narrowing stops all of them: what another rule would add is wider than what the event names.
  const unmet = contributions.flatMap((each) => each.unmet);
  if (unmet.length > 0) {
    return unroutable(
      'narrowing',
      `the event carries ${[...new Set(unmet)].join(', ')}, which no complete template uses`,
    );
  }
  if (outcomes.every((outcome) => outcome.kind === 'skipped')) {
    return outcomes.length === 0
      ? unroutable('no_rule', `no rule is for stream "${event.stream}" and key "${event.key}"`)
      : unroutable('no_template', outcomes.map(({ rule, reason }) => `${rule}: ${reason}`).join('; '));
  }

  const rooms = new Map<RoomName, RoomTemplate>();
  for (const { chosen, variables } of contributions) {
    for (const template of chosen) {
      for (const room of expand(template, variables, roomsPerEventMax + 1)) rooms.set(room, template);
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

function contribute(event: Event, rule: PreparedRule, isolation: Isolation | undefined): Contribution {
  const variables = variablesOf(event, rule);
  const nothing = (reason: string, error = false): Contribution => ({
    outcome: { rule: rule.name, kind: 'skipped', reason, error },
    chosen: [],
    variables,
    unmet: [],
  });

  // An attribute counts even where a part of the key that is not there stands above it.
  const carries = (name: string): boolean => variables.has(name) || event.attributes.has(name);
  if (isolation && rule.withoutTenant && carries(isolation.eventVariable)) {
    return nothing(`it is for events without ${isolation.eventVariable}`);
  }
  const held = rule.when?.(eventScope(event));
  if (held && !held.ok) {
    // A rule that could not be evaluated might have been the one for the narrower target that the event names.
    const unmet = held.reason.error ? rule.narrowing.filter(carries) : [];
    return { ...nothing(held.reason.text, held.reason.error), unmet };
  }

  const complete = rule.templates.filter((template) => missingVariable(template, variables) === undefined);
  const unmet = rule.narrowing.filter(
    (name) => carries(name) && !complete.some((template) => template.variables.has(name)),
  );
  const first = rule.choice === 'firstOf' ? complete.slice(0, 1) : complete;
  if (first.length === 0) return { ...nothing(incomplete(rule, variables)), unmet };

  const repeated = rule.repeated.filter(({ prefix }) => missingVariable(prefix, variables) === undefined);
  const chosen = [
    ...first,
    ...repeated.flatMap((under) => first.flatMap((template) => under.below.get(template) ?? [])),
  ];
  const templates = chosen.map((template) => template.text);
  return { outcome: { rule: rule.name, kind: 'contributed', templates }, chosen, variables, unmet };
}

/** Attributes by name; `stream`, `key` and the named parts of the key stand above an attribute of the same name. */
function variablesOf(event: Event, rule: RoutingRule): Variables {
  const variables = new Map<string, VariableValue>(event.attributes);
  for (const [name, separator] of rule.lists) {
    const text = event.attributes.get(name);
    if (text !== undefined) variables.set(name, splitList(text, separator));
  }
  const words = wordsOf(event.key);
  for (const [index, name] of rule.keyParts.entries()) {
    if (name === '') continue;
    const word = words[index];
    if (word === undefined) variables.delete(name);
    else variables.set(name, word);
  }
  variables.set('stream', event.stream);
  variables.set('key', event.key);
  return variables;
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
  const contributing = contributions.filter(({ chosen }) => chosen.length > 0);
  const tenants = new Set(
    contributing
      .map(({ variables }) => singleValue(variables, isolation.eventVariable))
      .filter((each) => each !== undefined),
  );
  return [...rooms].find(([room]) => !isRoomOf(room, tenants, isolation.shapes))?.[1];
}

function keyMatcher(pattern: TopicPattern): (key: string) => boolean {
  if (pattern.text === '#') return () => true;
  const index = createTopicIndex<true>();
  index.add(pattern, true);
  return (key) => index.match(key).length > 0;
}

const incomplete = (rule: RoutingRule, variables: Variables): string =>
  rule.templates.map((template) => `"${template.text}" lacks {${missingVariable(template, variables)}}`).join(', ');

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

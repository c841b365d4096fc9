import { eventScope } from './condition.ts';
import type { Event } from './event.ts';
import type { EventVariables } from './event-variables.ts';
import type { Isolation } from './isolation.ts';
import type { RuleOutcome } from './ports/event-routing.ts';
import type { RoomName } from './room.ts';
import { below, createFiller, type RoomTemplate } from './room-template.ts';
import type { RoutingRule } from './routing-rule.ts';
import { createTopicIndex } from './topic-index.ts';
import type { TopicPattern } from './topic-pattern.ts';
import { isPresent, type VariableReader } from './variables.ts';

/** `fill`: as of `createFiller`. */
export type ChosenTemplate = {
  readonly template: RoomTemplate;
  readonly fill: (variables: VariableReader) => RoomName | undefined;
};

/** What a rule says to an event, whatever the values of its variables. */
export type RuleAnswer = {
  readonly outcome: RuleOutcome;
  readonly chosen: readonly ChosenTemplate[];
  /** Narrowing names that the event carries and no complete template of the rule uses. */
  readonly unmet: readonly string[];
};

/** A rule with what can be known of it before any event comes. */
export type PreparedRule = RoutingRule & {
  /** Among the rules, from 0. */
  readonly place: number;
  readonly hasKey: (key: string) => boolean;
  readonly answer: (event: Event, variables: EventVariables, isolation: Isolation | undefined) => RuleAnswer;
};

export function prepareRule(rule: RoutingRule, place: number): PreparedRule {
  const answerBySigns = createAnswers(rule);
  return {
    ...rule,
    place,
    hasKey: keyMatcher(rule.key),
    answer(event, variables, isolation) {
      if (isolation && rule.withoutTenant && variables.carries(isolation.eventVariable)) {
        return skipped(rule, `it is for events without ${isolation.eventVariable}`);
      }
      const held = rule.when?.(eventScope(event));
      if (!held || held.ok) return answerBySigns(variables);
      // A rule that could not be evaluated might have been the one for the narrower target that the event names.
      const unmet = held.reason.error ? rule.narrowing.filter((name) => variables.carries(name)) : [];
      return { ...skipped(rule, held.reason.text, held.reason.error), unmet };
    },
  };
}

const skipped = ({ name }: RoutingRule, reason: string, error = false): RuleAnswer => ({
  outcome: { rule: name, kind: 'skipped', reason, error },
  chosen: [],
  unmet: [],
});

/** What an event has of a variable. `empty`: it carries it, and no template can be filled with it. */
type Sign = 'absent' | 'empty' | 'present';
type Signs = ReadonlyMap<string, Sign>;

const signDigits = { absent: 0, empty: 1, present: 2 } as const;

/** So many signs fit into one whole number. */
const signsMax = 33;
const answersKnownMax = 1000;

/**
 * Which templates a rule chooses depends on which variables an event has, and on no value of theirs. Events of one kind
 * have the same ones, so each answer is worked out once.
 */
function createAnswers(rule: RoutingRule): (variables: EventVariables) => RuleAnswer {
  const names = [...namesOf(rule)];
  const repeated = rule.alsoUnder.map((prefix) => ({
    prefix,
    below: new Map(rule.templates.map((template) => [template, below(prefix, template)])),
  }));
  const known = new Map<number, RuleAnswer>();
  return (variables) => {
    let number = 0;
    for (const name of names) number = number * 3 + signDigits[signOf(variables, name)];
    const found = names.length <= signsMax ? known.get(number) : undefined;
    if (found) return found;
    const signs = new Map(names.map((name) => [name, signOf(variables, name)]));
    const answer = answerOf(rule, repeated, signs);
    if (names.length <= signsMax && known.size < answersKnownMax) known.set(number, answer);
    return answer;
  };
}

const namesOf = ({ templates, alsoUnder, narrowing }: RoutingRule): ReadonlySet<string> =>
  new Set([...[...templates, ...alsoUnder].flatMap((template) => [...template.variables]), ...narrowing]);

function signOf(variables: EventVariables, name: string): Sign {
  const value = variables.get(name);
  if (isPresent(value)) return 'present';
  return value !== undefined || variables.carries(name) ? 'empty' : 'absent';
}

/** Each of `alsoUnder`, with the rule's templates below it. */
type Repeated = { readonly prefix: RoomTemplate; readonly below: ReadonlyMap<RoomTemplate, RoomTemplate> };

function answerOf(rule: RoutingRule, repeated: readonly Repeated[], signs: Signs): RuleAnswer {
  const missing = (template: RoomTemplate) => [...template.variables].find((name) => signs.get(name) !== 'present');
  const complete = rule.templates.filter((template) => missing(template) === undefined);
  const unmet = rule.narrowing.filter(
    (name) => signs.get(name) !== 'absent' && !complete.some((template) => template.variables.has(name)),
  );
  const first = rule.choice === 'firstOf' ? complete.slice(0, 1) : complete;
  if (first.length === 0) {
    const reason = rule.templates.map((template) => `"${template.text}" lacks {${missing(template)}}`).join(', ');
    return { ...skipped(rule, reason), unmet };
  }
  const under = repeated.filter(({ prefix }) => missing(prefix) === undefined);
  const all = [...first, ...under.flatMap((each) => first.flatMap((template) => each.below.get(template) ?? []))];
  const templates = all.map((template) => template.text);
  const chosen = all.map((template) => ({ template, fill: createFiller(template) }));
  return { outcome: { rule: rule.name, kind: 'contributed', templates }, chosen, unmet };
}

function keyMatcher(pattern: TopicPattern): (key: string) => boolean {
  if (pattern.text === '#') return () => true;
  const index = createTopicIndex<true>();
  index.add(pattern, true);
  return (key) => index.match(key).length > 0;
}

import { Event, type EventFields } from '../../src/domain/event.ts';
import { type Isolation, parseRoomShape } from '../../src/domain/isolation.ts';
import type { EventRouting } from '../../src/domain/ports/event-routing.ts';
import { type Credential, createPrincipal, type Principal } from '../../src/domain/principal.ts';
import { parseRoomTemplate, type RoomTemplate } from '../../src/domain/room-template.ts';
import type { RoutingRule } from '../../src/domain/routing-rule.ts';
import { createRoutingTable } from '../../src/domain/routing-table.ts';
import { parseTopicPattern, type TopicPattern } from '../../src/domain/topic-pattern.ts';
import type { VariableValue } from '../../src/domain/variables.ts';
import type { Verdict } from '../../src/domain/verdict.ts';

/** What was allowed; a refusal fails the test with its reason. */
export function allowedValue<T, R>(verdict: Verdict<T, R>): T {
  if (!verdict.ok) throw new Error(`refused: ${JSON.stringify(verdict.reason)}`);
  return verdict.value;
}

/** Why it was refused; a value fails the test. */
export function refusalReason<T, R>(verdict: Verdict<T, R>): R {
  if (verdict.ok) throw new Error('nothing was refused');
  return verdict.reason;
}

export const templateOf = (text: string): RoomTemplate => allowedValue(parseRoomTemplate(text));
export const templatesOf = (...texts: readonly string[]): readonly RoomTemplate[] => texts.map(templateOf);
export const patternOf = (text: string): TopicPattern => allowedValue(parseTopicPattern(text));

export const isolationOf = (event: string, connection: string, ...shapes: readonly string[]): Isolation => ({
  eventVariable: event,
  connectionVariable: connection,
  shapes: shapes.map((shape) => allowedValue(parseRoomShape(shape))),
});

/** A rule for every stream that does nothing but what is given. */
export const ruleOf = (given: Partial<RoutingRule>): RoutingRule => ({
  name: 'rule',
  stream: patternOf('#'),
  key: patternOf('#'),
  keyParts: [],
  lists: new Map(),
  choice: 'firstOf',
  templates: [],
  narrowing: [],
  alsoUnder: [],
  withoutTenant: false,
  ...given,
});

export const routingOf = (rules: readonly RoutingRule[], isolation?: Isolation): EventRouting =>
  allowedValue(createRoutingTable(rules, isolation));

/** An event with the attributes given as a record, or as pairs where a name could not stand in one. */
export const eventOf = (
  attributes: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  fields: Partial<EventFields> = {},
): Event =>
  new Event({
    id: 'event-1',
    stream: 'stream',
    key: '',
    attributes: new Map(Array.isArray(attributes) ? attributes : Object.entries(attributes)),
    payload: new TextEncoder().encode('{}'),
    publishedAt: 0,
    origin: { source: 'test', properties: {} },
    ...fields,
  });

export const credentialOf = (
  name: string,
  variables: Readonly<Record<string, VariableValue>> = {},
  given: Partial<Credential> = {},
): Credential => ({
  name,
  claims: {},
  roles: [],
  permissions: [],
  variables: new Map(Object.entries(variables)),
  ...given,
});

export const principalOf = (...credentials: readonly Credential[]): Principal =>
  allowedValue(createPrincipal(credentials));

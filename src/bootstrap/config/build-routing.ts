import type { Condition } from '../../domain/condition.ts';
import { type Isolation, parseRoomShape } from '../../domain/isolation.ts';
import type { EventRouting } from '../../domain/ports/event-routing.ts';
import { parseRoomTemplate, type RoomTemplate } from '../../domain/room-template.ts';
import type { RoutingRule } from '../../domain/routing-rule.ts';
import { createRoutingTable } from '../../domain/routing-table.ts';
import { parseTopicPattern, type TopicPattern } from '../../domain/topic-pattern.ts';
import { refused, type Verdict } from '../../domain/verdict.ts';
import { type Finding, partPath } from './problem.ts';
import { type IsolationSettings, type RouteSettings, referencedName } from './route-settings.ts';

/** Compiles CEL; the names are those that the text may read. */
export type CompileCondition = (text: string, knownNames: readonly string[]) => Verdict<Condition>;

/** What the condition of a route may read. */
const routeNames: readonly string[] = ['event'];

/**
 * The routing table of a config. Findings are relative to the config.
 *
 * @param routes those that are right by themselves, each with its place in the config.
 */
export function buildRouting(
  routes: readonly (RouteSettings | undefined)[],
  isolation: IsolationSettings | undefined,
  compile: CompileCondition,
): Verdict<EventRouting, readonly Finding[]> {
  const findings: Finding[] = [];
  const rules: RoutingRule[] = [];
  const places: number[] = [];
  for (const [index, route] of routes.entries()) {
    if (!route) continue;
    const when = route.when === undefined ? undefined : compile(route.when, routeNames);
    if (when && !when.ok) findings.push({ path: ['routes', index, 'when'], message: `condition: ${when.reason}` });
    rules.push(ruleOf(route, index, when?.ok ? when.value : undefined));
    places.push(index);
  }
  const table = createRoutingTable(rules, isolation && buildIsolation(isolation));
  if (!table.ok) findings.push(...tableFindings(table.reason, places));
  return table.ok && findings.length === 0 ? table : refused(findings);
}

/** Of settings that the schema has taken. */
export const buildIsolation = ({ event, connection, rooms }: IsolationSettings): Isolation => ({
  eventVariable: referencedName(event),
  connectionVariable: referencedName(connection),
  shapes: rooms.map((text) => valid(parseRoomShape(text))),
});

function ruleOf(route: RouteSettings, index: number, when: Condition | undefined): RoutingRule {
  return {
    name: route.name ?? `routes[${index}]`,
    stream: topicPattern(route.stream),
    key: topicPattern(route.key),
    when,
    keyParts: route.keyParts,
    lists: new Map(Object.entries(route.lists)),
    choice: route.firstOf ? 'firstOf' : 'eachOf',
    templates: (route.firstOf ?? route.eachOf ?? []).map(roomTemplate),
    narrowing: route.narrowing,
    alsoUnder: [route.alsoUnder ?? []].flat().map(roomTemplate),
    withoutTenant: route.withoutTenant,
  };
}

export const roomTemplate = (text: string): RoomTemplate => valid(parseRoomTemplate(text));
export const topicPattern = (text: string): TopicPattern => valid(parseTopicPattern(text));

/** The schema has parsed the same text before. */
function valid<T>(verdict: Verdict<T>): T {
  if (verdict.ok) return verdict.value;
  throw new Error(`The schema let through what it should have refused: ${verdict.reason}`);
}

type TableProblem = { readonly rule: number; readonly part: string; readonly reason: string };

/** A template that is wrong by itself is so below each of `alsoUnder`, too, and that is one mistake. */
function tableFindings(problems: readonly TableProblem[], places: readonly number[]): readonly Finding[] {
  const seen = new Set<string>();
  return problems.flatMap(({ rule, part, reason }) => {
    const consequence =
      part.startsWith('alsoUnder') &&
      problems.some((each) => each.rule === rule && /^(firstOf|eachOf)/.test(each.part));
    if (consequence || seen.has(`${rule} ${part}`)) return [];
    seen.add(`${rule} ${part}`);
    return [{ path: ['routes', places[rule] ?? 0, ...partPath(part)], message: reason }];
  });
}

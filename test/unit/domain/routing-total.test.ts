import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roomsPerEventMax } from '../../../src/domain/limits.ts';
import { unroutableCauses } from '../../../src/domain/ports/event-routing.ts';
import { createRoutingTable } from '../../../src/domain/routing-table.ts';
import { refused } from '../../../src/domain/verdict.ts';
import { eventOf } from '../../support/domain-fixtures.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { isolation, routingRule } from '../../support/routing-arbitraries.ts';

const config = isolation().chain((isolated) =>
  fc.record({
    isolated: fc.constantFrom(isolated, undefined),
    rules: fc.array(routingRule(isolated), { maxLength: 3 }),
    narrowing: fc.subarray(['U', 'L']),
    broken: fc.boolean(),
  }),
);
const name = fc.oneof(fc.constantFrom('T', 'U', 'L', 'stream', 'key', '__proto__', ''), hostileText());
const anyEvent = fc
  .record({
    attributes: fc.array(fc.tuple(name, hostileText()), { maxLength: 6 }),
    stream: hostileText(),
    key: hostileText(),
    payload: fc.uint8Array(),
    publishedAt: fc.double(),
  })
  .map(({ attributes, ...fields }) => eventOf(attributes, fields));

test('routing is total: any event gets a decision with its reasons, and the same one again', {
  timeout: 60_000,
}, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(config, fc.array(anyEvent, { maxLength: 5 }), ({ isolated, rules, narrowing, broken }, events) => {
      const table = createRoutingTable(
        rules.map((rule) => ({
          ...rule,
          narrowing: narrowing.filter((each) => rule.templates.some((template) => template.variables.has(each))),
          when: broken ? () => refused({ error: true, text: 'cannot be evaluated' }) : undefined,
        })),
        isolated,
      );
      if (!table.ok) {
        expect(table.reason.every(({ part, reason }) => part !== '' && reason !== '')).toBe(true);
        return;
      }
      for (const event of events) {
        const decision = table.value.decide(event);
        const result = decision.kind === 'routed' ? 'routed' : decision.cause;
        seen.set(result, (seen.get(result) ?? 0) + 1);
        expect(table.value.decide(event)).toEqual(decision);
        if (decision.kind === 'routed') {
          expect(new Set(decision.rooms).size).toBe(decision.rooms.length);
          expect(decision.rooms.length).toBeGreaterThan(0);
          expect(decision.rooms.length).toBeLessThanOrEqual(roomsPerEventMax);
          expect(decision.rules.some((rule) => rule.kind === 'contributed')).toBe(true);
        } else {
          expect(unroutableCauses).toContain(decision.cause);
          expect(decision.reason).not.toBe('');
        }
        expect(decision.rules.every((rule) => rule.kind === 'contributed' || rule.reason !== '')).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
  for (const result of ['routed', 'no_rule', 'no_template', 'narrowing']) {
    expect(seen.get(result) ?? 0, result).toBeGreaterThan(0);
  }
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { Event } from '../../../src/domain/event.ts';
import { type Isolation, tenantsOfRoom } from '../../../src/domain/isolation.ts';
import type { AccessControl, AccessRequest } from '../../../src/domain/ports/access-control.ts';
import type { RoutingDecision } from '../../../src/domain/ports/event-routing.ts';
import { type RoomName, roomSegment } from '../../../src/domain/room.ts';
import type { RoutingRule } from '../../../src/domain/routing-rule.ts';
import { createRoutingTable } from '../../../src/domain/routing-table.ts';
import { wordsOf } from '../../../src/domain/topic-pattern.ts';
import { presentValues } from '../../../src/domain/variables.ts';
import {
  allowedValue,
  credentialOf,
  eventOf,
  isolationOf,
  principalOf,
  routingOf,
  ruleOf,
  templatesOf,
} from '../../support/domain-fixtures.ts';
import { accessPolicy, accessRequest, event, isolation, routingRule } from '../../support/routing-arbitraries.ts';

type Routed = Extract<RoutingDecision, { kind: 'routed' }>;

const config = isolation().chain((isolated) =>
  fc.record({
    isolated: fc.constant(isolated),
    rules: fc.array(routingRule(isolated), { minLength: 1, maxLength: 2 }),
    policy: accessPolicy(isolated),
  }),
);

/** The rules that contributed, told apart by their names, which are their places. */
const contributing = (rules: readonly RoutingRule[], decision: Routed): readonly RoutingRule[] =>
  rules.filter((_, index) => decision.rules.some((each) => each.kind === 'contributed' && each.rule === `${index}`));

/** Whose event it is, as one rule reads it: the word of the key where the rule says so, else the attribute. */
function tenantOf(rule: RoutingRule, given: { key: string; attributes: ReadonlyMap<string, string> }) {
  const place = rule.keyParts.indexOf('T');
  return place === -1 ? given.attributes.get('T') : wordsOf(given.key)[place];
}

const spelledIn = (rooms: readonly string[], isolated: Isolation): ReadonlySet<string> =>
  new Set(rooms.flatMap((room) => tenantsOfRoom(room, isolated.shapes)));

type Table = { readonly isolated: Isolation; readonly rules: readonly RoutingRule[] };
const seen = { configs: 0, accepted: 0, routed: 0, common: 0, apart: 0, met: 0 };

/** Whose event was routed, or `undefined` for rooms that are nobody's; asserts that the rooms say so themselves. */
function tenantOfRooms(each: Event, decision: Routed, { isolated, rules }: Table): string | undefined {
  const [first, ...others] = contributing(rules, decision);
  if (!first) throw new Error('an event was routed by no rule');
  const spelled = spelledIn(decision.rooms, isolated);
  if (first.withoutTenant) {
    expect(each.attributes.has('T')).toBe(false);
    expect(others.every((rule) => rule.withoutTenant)).toBe(true);
    expect(spelled).toEqual(new Set());
    return undefined;
  }
  const [tenant, ...further] = new Set([first, ...others].map((rule) => tenantOf(rule, each)));
  if (tenant === undefined || tenant === '') throw new Error('a tenant rule has routed an event without a tenant');
  expect(further).toEqual([]);
  for (const room of decision.rooms) expect(spelledIn([room], isolated)).toEqual(new Set([roomSegment(tenant)]));
  return tenant;
}

function expectApart(tenant: string, rooms: readonly RoomName[], request: AccessRequest, access: AccessControl): void {
  const joined = access.mayJoin(request);
  if (joined.kind !== 'allow') {
    // Only several tenants forbid it: nobody is in the rooms of all of them.
    expect(joined).toMatchObject({ kind: 'deny', reason: 'the connection has more than one {tenant}' });
    return;
  }
  const shared = joined.value.rooms.filter((room) => rooms.includes(room));
  if (presentValues(request.principal.variables.get('tenant')).includes(tenant)) {
    if (shared.length > 0) seen.met += 1;
    return;
  }
  expect(shared).toEqual([]);
  if (joined.value.rooms.length > 0) seen.apart += 1;
}

test('no event ever reaches a room of another tenant: random configs, tokens, query fields, attributes, keys', {
  timeout: 60_000,
}, () => {
  const events = fc.array(event(), { minLength: 10, maxLength: 10 });
  const requests = fc.array(accessRequest(), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(config, events, requests, ({ isolated, rules: unnamed, policy }, published, connected) => {
      seen.configs += 1;
      const rules = unnamed.map((rule, index) => ({ ...rule, name: `${index}` }));
      const routing = createRoutingTable(rules, isolated);
      const access = createAccessPolicy(policy, isolated);
      if (!routing.ok || !access.ok) return;
      seen.accepted += 1;
      for (const each of published) {
        const decision = routing.value.decide(each);
        if (decision.kind !== 'routed') continue;
        seen.routed += 1;
        const tenant = tenantOfRooms(each, decision, { isolated, rules });
        if (tenant === undefined) seen.common += 1;
        else for (const request of connected) expectApart(tenant, decision.rooms, request, access.value);
      }
    }),
    { numRuns: 4000 },
  );
  expect(seen.accepted / seen.configs).toBeGreaterThan(0.2);
  // The property would hold just as well if nobody ever got anything, so it is counted who does.
  expect(seen.apart).toBeGreaterThan(3000);
  expect(seen.routed).toBeGreaterThan(1000);
  expect(Math.min(seen.common, seen.met)).toBeGreaterThan(10);
});

describe('values that look like a way out', () => {
  const isolated = isolationOf('T', 'tenant', 'tenants/{}');
  const routing = routingOf([ruleOf({ templates: templatesOf('tenants/{T}/{U*}', 'tenants/{T}') })], isolated);
  const access = allowedValue(
    createAccessPolicy(
      {
        connect: { checks: [] },
        publish: { checks: [] },
        rooms: [
          { templates: templatesOf('tenants/{tenant}/{own*}', '{own}'), rule: { checks: [] }, otherwise: 'ignore' },
        ],
        roomsPerConnectionMax: 10,
        credentialNames: ['token'],
      },
      isolated,
    ),
  );
  const roomsOf = (tenant: string, own: string): readonly RoomName[] => {
    const principal = principalOf(credentialOf('token', { tenant }));
    const joined = access.mayJoin({ principal, variables: new Map([['own', own]]), checks: new Map() });
    return joined.kind === 'allow' ? joined.value.rooms : [];
  };

  test.each([
    ['a room of A', 'tenants/A'],
    ['a way up', '../A'],
    ['a way from the top', '/tenants/A'],
    ['escaped separators', '%2Ftenants%2FA'],
    ['a way up, escaped', '..%2FA'],
    ['a prototype', '__proto__'],
    ['1 MB of ways up', `${'../'.repeat(350_000)}tenants/A`],
    ['a null character', 'A\0'],
  ])('a client of B that asks for %s gets nothing of A', (_what, own) => {
    const published = [{ T: 'A' }, { T: 'A', U: own }, { T: 'A', U: `../B/${own}` }, { T: 'A', U: '/' }];
    const rooms = new Set(roomsOf('B', own));
    expect(rooms.size).toBe(2);
    for (const attributes of published) {
      const decision = routing.decide(eventOf(attributes));
      if (decision.kind !== 'routed') throw new Error(decision.reason);
      expect(decision.rooms.filter((room) => rooms.has(room))).toEqual([]);
    }
  });

  test.each([
    ['with a separator', 'A/B'],
    ['with an escaped one', 'A%2FB'],
    ['with a way up', '../A'],
    ['named as a prototype', '__proto__'],
    ['of 1 MB', 'x/'.repeat(500_000)],
    ['with a comma', 'A,B'],
    ['with a space before it', ' A'],
    ['in lower case', 'a'],
    ['that only looks the same', 'A\u030a'],
  ])('the tenant %s is itself and no other', (_what, tenant) => {
    const decision = routing.decide(eventOf({ T: tenant, U: 'u' }));
    expect(decision).toMatchObject({ rooms: [roomsOf(tenant, 'u')[0]] });
    for (const other of ['A', 'A/B', 'A%2FB', 'A%252FB', 'B', '..', ' A', 'A ', 'a', '\u00c5']) {
      const shared = roomsOf(other, 'u').filter((room) => decision.kind === 'routed' && decision.rooms.includes(room));
      expect(shared.length > 0).toBe(other === tenant);
    }
  });
});

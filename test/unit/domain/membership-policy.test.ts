import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { spacesSettings } from '../../../src/adapters/outbound/socketio/spaces-settings.ts';
import { buildMembership } from '../../../src/bootstrap/config/build-membership.ts';
import { readSpaceId, type SpaceId } from '../../../src/domain/space.ts';
import { allowedValue, credentialOf, principalOf } from '../../support/domain-fixtures.ts';

function decide(
  membership: Record<string, unknown> | undefined,
  member: string | undefined,
  space: string,
  checks = {},
) {
  const settings = spacesSettings.parse({
    ...{ credentials: [{ from: 'token.jwt', accepts: ['user'] }], publish: { to: 'b', stream: 's' } },
    ...(membership ? { membership } : {}),
  });
  const policy = allowedValue(buildMembership(settings, compileCondition));
  const variables = member === undefined ? {} : { member };
  const principal = principalOf(credentialOf('user', variables, { claims: { level: 2 } }));
  const request = { principal, variables: new Map(), checks: new Map<string, boolean>(Object.entries(checks)) };
  const decision = policy.mayJoin(request, space as SpaceId);
  return decision.kind === 'ask' ? `ask ${decision.checks.join()}` : decision.kind;
}

describe('who may be in a space', () => {
  test.each([
    [undefined, 'ann', 's', 'allow'],
    [{ members: { s: ['ann'] } }, 'ann', 's', 'allow'],
    [{ members: { s: ['ann'] } }, 'ben', 's', 'deny'],
    [{ members: { s: ['ann'] } }, 'ann', 'other', 'deny'],
    [{ members: { s: ['ann'] } }, 'ann', 'toString', 'deny'],
    [{ members: { s: ['ann'] } }, undefined, 's', 'deny'],
    [{ require: "space == 's'" }, 'ann', 's', 'allow'],
    [{ require: "space == 's'" }, 'ann', 't', 'deny'],
    [{ require: 'claims.level >= 2 && user.present' }, 'ann', 's', 'allow'],
    [{ require: 'claims.nothing > 2' }, 'ann', 's', 'deny'],
    [{ checks: ['api'] }, 'ann', 's', 'ask api'],
    [{ checks: ['api'], require: "space == 's'" }, 'ann', 't', 'deny'],
    [{ checks: ['api'], members: { s: ['ann'] } }, 'ben', 's', 'deny'],
    [{ checks: ['api'], members: { s: ['ann'] } }, 'ann', 's', 'ask api'],
    [{ checks: ['api'], require: "check.api || space == 't'" }, 'ann', 't', 'ask api'],
  ])('%j: %s in %s is %s', (membership, member, space, expected) => {
    expect(decide(membership, member, space)).toBe(expected);
  });

  test('a check decides, alone where the condition does not read it', () => {
    expect(decide({ checks: ['api'] }, 'ann', 's', { api: true })).toBe('allow');
    expect(decide({ checks: ['api'] }, 'ann', 's', { api: false })).toBe('deny');
    expect(decide({ checks: ['api'], require: "check.api || space == 't'" }, 'ann', 't', { api: false })).toBe('allow');
  });
});

test.each([
  ['s', true],
  ['5f1e', true],
  ['a/b', true],
  ['ä'.repeat(100), true],
  ['ä'.repeat(101), false],
  ['x'.repeat(201), false],
  ['', false],
  ['a\nb', false],
  ['\ud800', false],
  [7, false],
  [null, false],
  [['s'], false],
])('the id of a space: %j is %s', (value, isOne) => {
  expect(readSpaceId(value) !== undefined).toBe(isOne);
});

import { describe, expect, test } from 'vitest';
import { createAccessPolicy, type RoomGroup } from '../../../src/domain/access-policy.ts';
import type { Condition } from '../../../src/domain/condition.ts';
import type { Credential } from '../../../src/domain/principal.ts';
import type { VariableValue } from '../../../src/domain/variables.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import {
  allowedValue,
  credentialOf,
  isolationOf,
  principalOf,
  templateOf,
  templatesOf,
} from '../../support/domain-fixtures.ts';

const unit = 'tenants/{tenant}/business-units/{businessUnit}';
const mayJoinExtra: Condition = ({ permissions }) =>
  (permissions as readonly string[]).includes('sio.bu-rooms.join')
    ? allowed(true)
    : refused({ error: false, text: 'needs sio.bu-rooms.join' });

/** The rooms of docs/specs/hiiretail.md section 4, as a preset says them. */
const rooms: readonly RoomGroup[] = [
  {
    templates: templatesOf(
      'tenants/{tenant}',
      'tenants/{tenant}/connections/{connection}',
      'tenants/{tenant}/users/{user}',
      unit,
      `${unit}/workstations/{workstation}`,
      `${unit}/workstations/{workstation}/sessions/{sessionId}`,
      `${unit}/users/{user}`,
    ),
    under: templateOf('topics/{topics}'),
    rule: { checks: [] },
    otherwise: 'ignore',
  },
  { templates: templatesOf('topics/{topics}'), rule: { checks: [] }, otherwise: 'ignore' },
  { templates: templatesOf(`${unit}/{extra*}`), rule: { when: mayJoinExtra, checks: [] }, otherwise: 'ignore' },
];
const access = allowedValue(
  createAccessPolicy(
    {
      connect: { checks: [] },
      publish: { checks: [] },
      rooms,
      roomsPerConnectionMax: 100,
      credentialNames: ['ocms', 'iam'],
    },
    isolationOf('Tenant-Id', 'tenant', 'tenants/{}', 'topics/{topic}/tenants/{}'),
  ),
);

const ocms = credentialOf('ocms', { tenant: 't', businessUnit: '12345', workstation: '0001' });
const iam = credentialOf('iam', { tenant: 't', user: 'u' });
const withExtraRooms = { ...ocms, permissions: ['sio.bu-rooms.join'] };

function joined(credentials: readonly Credential[], query: Readonly<Record<string, VariableValue>> = {}) {
  const variables = new Map(Object.entries({ ...query, connection: 'c' }));
  const decision = access.mayJoin({ principal: principalOf(...credentials), variables, checks: new Map() });
  if (decision.kind !== 'allow') throw new Error(`${decision.kind}`);
  return decision.value;
}
const sorted = (rooms: readonly string[]) => rooms.toSorted();

describe('hiiretail 8.9: exactly the rooms of section 4', () => {
  test('mode 1, OCMS', () => {
    expect(sorted(joined([ocms]).rooms)).toEqual([
      'tenants/t',
      'tenants/t/business-units/12345',
      'tenants/t/business-units/12345/workstations/0001',
      'tenants/t/connections/c',
    ]);
  });

  test('mode 2, IAM', () => {
    expect(sorted(joined([iam]).rooms)).toEqual(['tenants/t', 'tenants/t/connections/c', 'tenants/t/users/u']);
  });

  test('mode 3, OCMS and IAM, with topics: only below the topics', () => {
    const family = (topic: string) => [
      `topics/${topic}`,
      `topics/${topic}/tenants/t`,
      `topics/${topic}/tenants/t/business-units/12345`,
      `topics/${topic}/tenants/t/business-units/12345/users/u`,
      `topics/${topic}/tenants/t/business-units/12345/workstations/0001`,
      `topics/${topic}/tenants/t/connections/c`,
      `topics/${topic}/tenants/t/users/u`,
    ];
    expect(sorted(joined([ocms, iam], { topics: ['a.v1', 'b.v1'] }).rooms)).toEqual([
      ...family('a.v1'),
      ...family('b.v1'),
    ]);
  });

  test('mode 3 without topics: the plain rooms', () => {
    expect(sorted(joined([ocms, iam]).rooms)).toEqual([
      'tenants/t',
      'tenants/t/business-units/12345',
      'tenants/t/business-units/12345/users/u',
      'tenants/t/business-units/12345/workstations/0001',
      'tenants/t/connections/c',
      'tenants/t/users/u',
    ]);
  });

  test('a session only where there is a workstation', () => {
    const session = 'tenants/t/business-units/12345/workstations/0001/sessions/s';
    expect(joined([ocms, iam], { sessionId: 's' }).rooms).toContain(session);
    const unitOnly = credentialOf('ocms', { tenant: 't', businessUnit: '12345' });
    expect(joined([unitOnly], { sessionId: 's' }).rooms.filter((room) => room.includes('sessions'))).toEqual([]);
  });
});

describe('hiiretail 8.11: additional rooms', () => {
  const extra = ['workstations/001', 'workstation-types/scanngo', '../../../tenants/x', '/', 'a'];

  test('with the permission, below the own unit and without a topic', () => {
    const { rooms: all } = joined([withExtraRooms, iam], { extra, topics: ['a.v1'] });
    expect(all.filter((room) => !room.startsWith('topics/'))).toEqual(
      extra.map((room) => `tenants/t/business-units/12345/${room}`),
    );
  });

  test('without the permission they are ignored, and it is said why', () => {
    const { rooms: all, ignored } = joined([ocms, { ...iam, permissions: ['sio.bu-rooms.join'] }], { extra });
    expect(all).toEqual(joined([ocms, iam]).rooms);
    expect(ignored).toEqual([{ template: `${unit}/{extra*}`, reason: 'needs sio.bu-rooms.join' }]);
  });

  test('without a unit there are none, and nothing to say', () => {
    expect(joined([{ ...iam, permissions: ['sio.bu-rooms.join'] }], { extra })).toEqual(joined([iam]));
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { roomSegment } from '../../../src/domain/room.ts';
import { eventOf, isolationOf, routingOf, ruleOf, templatesOf } from '../../support/domain-fixtures.ts';
import { hostileText } from '../../support/hostile-text.ts';

const unit = 'tenants/{Tenant-Id}/business-units/{Business-Unit-Id}';

/** The order that docs/specs/hiiretail.md leads to: the first complete one wins. */
const rule = ruleOf({
  lists: new Map([['Additional-Business-Unit-Rooms', ',']]),
  templates: templatesOf(
    'tenants/{Tenant-Id}/connections/{Connection-Id}',
    `${unit}/workstations/{Workstation-Id}/sessions/{Session-Id}`,
    `${unit}/users/{User-Id}`,
    'tenants/{Tenant-Id}/users/{User-Id}',
    `${unit}/{Additional-Business-Unit-Rooms*}`,
    `${unit}/workstations/{Workstation-Id}`,
    unit,
    'tenants/{Tenant-Id}',
  ),
  narrowing: ['Connection-Id', 'Session-Id', 'User-Id', 'Workstation-Id'],
  alsoUnder: templatesOf('topics/{stream}'),
});
const isolation = isolationOf('Tenant-Id', 'tenant', 'tenants/{}', 'topics/{topic}/tenants/{}');
const routing = routingOf([rule], isolation);

type Attributes = Readonly<Record<string, string>>;

/** Whoever is named must be reachable as named: an empty name, or one without what it stands in, is nobody. */
function isAddressable(attributes: Attributes): boolean {
  const isGiven = (...names: readonly string[]) => names.every((name) => attributes[name]);
  const needs = (name: string, ...others: readonly string[]) => !(name in attributes) || isGiven(name, ...others);
  return (
    isGiven('Tenant-Id') &&
    needs('Connection-Id') &&
    needs('User-Id') &&
    needs('Workstation-Id', 'Business-Unit-Id') &&
    needs('Session-Id', 'Workstation-Id', 'Business-Unit-Id')
  );
}

/** The rooms that the fact sheet names for a message, said once more in plain words; none: it reaches nobody. */
function expectedRooms(attributes: Attributes): readonly string[] {
  if (!isAddressable(attributes)) return [];
  const segmentOf = (name: string) => roomSegment(attributes[name] ?? '');
  const tenant = `tenants/${segmentOf('Tenant-Id')}`;
  const inUnit = `${tenant}/business-units/${segmentOf('Business-Unit-Id')}`;
  const atWorkstation = `${inUnit}/workstations/${segmentOf('Workstation-Id')}`;
  if (attributes['Connection-Id']) return [`${tenant}/connections/${segmentOf('Connection-Id')}`];
  if (attributes['Session-Id']) return [`${atWorkstation}/sessions/${segmentOf('Session-Id')}`];
  const hasUnit = Boolean(attributes['Business-Unit-Id']);
  if (attributes['User-Id']) return [`${hasUnit ? inUnit : tenant}/users/${segmentOf('User-Id')}`];
  if (!hasUnit) return [tenant];
  const extra = (attributes['Additional-Business-Unit-Rooms'] ?? '').split(',').map((room) => room.trim());
  const rooms = new Set(extra.filter((room) => room !== '').map((room) => `${inUnit}/${room}`));
  if (rooms.size > 0) return [...rooms];
  return [attributes['Workstation-Id'] ? atWorkstation : inUnit];
}

const decidedRooms = (attributes: Attributes, stream = 'che.public.event.x.v1'): readonly string[] => {
  const decision = routing.decide(eventOf(attributes, { stream }));
  return decision.kind === 'routed' ? decision.rooms : [];
};
const withTopic = (rooms: readonly string[], stream = 'che.public.event.x.v1') => [
  ...rooms,
  ...rooms.map((room) => `topics/${stream}/${room}`),
];

describe('hiiretail 8.12: the attributes lead to one kind of room', () => {
  const T = { 'Tenant-Id': 't1' };
  const B = { ...T, 'Business-Unit-Id': 'b1' };
  const W = { ...B, 'Workstation-Id': '0001' };

  test.each([
    [T, ['tenants/t1']],
    [B, ['tenants/t1/business-units/b1']],
    [W, ['tenants/t1/business-units/b1/workstations/0001']],
    [{ ...W, 'Session-Id': 's' }, ['tenants/t1/business-units/b1/workstations/0001/sessions/s']],
    [{ ...T, 'User-Id': 'u' }, ['tenants/t1/users/u']],
    [{ ...B, 'User-Id': 'u' }, ['tenants/t1/business-units/b1/users/u']],
    [{ ...W, 'User-Id': 'u' }, ['tenants/t1/business-units/b1/users/u']],
    [{ ...T, 'Connection-Id': 'c' }, ['tenants/t1/connections/c']],
    [{ ...W, 'Session-Id': 's', 'User-Id': 'u', 'Connection-Id': 'c' }, ['tenants/t1/connections/c']],
  ])('%o: %o', (attributes, rooms) => {
    expect(decidedRooms(attributes)).toEqual(withTopic(rooms));
  });

  test.each([
    [{ ...T, 'Workstation-Id': '1' }, 'Workstation-Id'],
    [{ ...B, 'Session-Id': 's' }, 'Session-Id'],
    [{ ...W, 'Session-Id': '' }, 'Session-Id'],
    [{ ...T, 'User-Id': '' }, 'User-Id'],
    [{ ...T, 'Connection-Id': 'c', 'Session-Id': 's' }, 'Session-Id'],
  ])('%o names somebody who cannot be found, and reaches nobody', (attributes, name) => {
    expect(routing.decide(eventOf(attributes))).toMatchObject({
      cause: 'narrowing',
      reason: `the event carries ${name}, which no complete template uses`,
    });
  });

  test('hiiretail 8.14: without a tenant there is no room at all', () => {
    const { 'Tenant-Id': _, ...others } = { ...B };
    expect(routing.decide(eventOf(others))).toMatchObject({ cause: 'no_template' });
    expect(routing.decide(eventOf({}))).toMatchObject({ cause: 'no_template' });
  });
});

describe('hiiretail 8.13: additional rooms of a business unit', () => {
  const B = { 'Tenant-Id': 't1', 'Business-Unit-Id': 'b1' };

  test.each([
    ['workstations/001,workstation-types/scanngo', ['workstations/001', 'workstation-types/scanngo']],
    [' a , ,b,', ['a', 'b']],
    ['../../other', ['../../other']],
    ['/', ['/']],
    ['%2F', ['%2F']],
  ])('"%s" is %o, all below the unit', (text, rooms) => {
    expect(decidedRooms({ ...B, 'Additional-Business-Unit-Rooms': text })).toEqual(
      withTopic(rooms.map((room) => `tenants/t1/business-units/b1/${room}`)),
    );
  });

  test('they stand in the place of the unit and the workstation', () => {
    const attributes = { ...B, 'Workstation-Id': '1', 'Additional-Business-Unit-Rooms': 'x' };
    expect(decidedRooms(attributes)).toEqual(withTopic(['tenants/t1/business-units/b1/x']));
  });

  test('without a unit, and with nothing in them, they are not there', () => {
    const extra = { 'Additional-Business-Unit-Rooms': 'x' };
    expect(decidedRooms({ 'Tenant-Id': 't1', ...extra })).toEqual(withTopic(['tenants/t1']));
    expect(decidedRooms({ ...B, 'Additional-Business-Unit-Rooms': ' , ' })).toEqual(
      withTopic(['tenants/t1/business-units/b1']),
    );
  });
});

test('hiiretail 8.12 to 8.14: any message goes where the plain words say', { timeout: 60_000 }, () => {
  const text = fc.oneof(fc.constantFrom('1', '0001'), hostileText());
  const list = fc.array(text, { maxLength: 3 }).map((items) => items.join(','));
  const attributes = fc
    .subarray([
      'Business-Unit-Id',
      'Workstation-Id',
      'User-Id',
      'Session-Id',
      'Connection-Id',
      'Additional-Business-Unit-Rooms',
    ])
    .chain((names) =>
      fc.record(
        Object.fromEntries(['Tenant-Id', ...names].map((name) => [name, name.startsWith('Add') ? list : text])),
      ),
    );
  const seen = new Set<string>();
  fc.assert(
    fc.property(attributes, (given) => {
      const rooms = expectedRooms(given);
      const segments = rooms[0]?.split('/') ?? [];
      seen.add(segments.filter((_, index) => index % 2 === 0).join('/'));
      expect(decidedRooms(given)).toEqual(withTopic(rooms));
    }),
    { numRuns: 3000 },
  );
  expect([...seen]).toEqual(
    expect.arrayContaining([
      '',
      'tenants',
      'tenants/users',
      'tenants/connections',
      'tenants/business-units',
      'tenants/business-units/users',
      'tenants/business-units/workstations',
      'tenants/business-units/workstations/sessions',
    ]),
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AccessPolicy, createAccessPolicy, type RoomGroup } from '../../../src/domain/access-policy.ts';
import type { Condition } from '../../../src/domain/condition.ts';
import type { AccessRequest } from '../../../src/domain/ports/access-control.ts';
import type { VariableValue } from '../../../src/domain/variables.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import {
  allowedValue,
  credentialOf,
  isolationOf,
  principalOf,
  refusalReason,
  templateOf,
  templatesOf,
} from '../../support/domain-fixtures.ts';
import { hostileText } from '../../support/hostile-text.ts';

type Given = Readonly<Record<string, VariableValue>>;

const no: Condition = () => refused({ error: false, text: 'not for you' });
const groupOf = (templates: readonly string[], given: Partial<RoomGroup> = {}): RoomGroup => ({
  templates: templatesOf(...templates),
  rule: { checks: [] },
  otherwise: 'ignore',
  ...given,
});
const policyOf = (rooms: readonly RoomGroup[], roomsPerConnectionMax = 100): AccessPolicy => ({
  connect: { checks: [] },
  publish: { checks: [] },
  rooms,
  roomsPerConnectionMax,
  credentialNames: ['token'],
});
const requestOf = (token: Given, client: Given = {}, checks: Record<string, boolean> = {}): AccessRequest => ({
  principal: principalOf(credentialOf('token', token)),
  variables: new Map(Object.entries(client)),
  checks: new Map(Object.entries(checks)),
});
const join = (rooms: readonly RoomGroup[], request: AccessRequest, roomsMax?: number) =>
  allowedValue(createAccessPolicy(policyOf(rooms, roomsMax))).mayJoin(request);

describe('which rooms a connection is in', () => {
  test('those of every complete template, each once, in the order of the config', () => {
    const groups = [groupOf(['b/{x}', 'a/{missing}', 'all']), groupOf(['all', 'a/{y}'])];
    expect(join(groups, requestOf({ x: ['1', '2'] }, { y: '3' }))).toEqual({
      kind: 'allow',
      value: { rooms: ['b/1', 'b/2', 'all', 'a/3'], ignored: [] },
      reason: '4 rooms',
    });
  });

  test('with firstOf, that of the first complete template', () => {
    const group = groupOf(['sites/{site}/users/{user}', 'sites/{site}'], { choice: 'firstOf' });
    const roomsOf = (client: Given) => join([group], requestOf({}, client));
    expect(roomsOf({ site: 's', user: 'u' })).toMatchObject({ value: { rooms: ['sites/s/users/u'] } });
    expect(roomsOf({ site: 's' })).toMatchObject({ value: { rooms: ['sites/s'] } });
    expect(roomsOf({ user: 'u' })).toMatchObject({ value: { rooms: [] } });
  });

  test('with firstOf, a template that is never chosen is refused', () => {
    const group = groupOf(['sites/{site}', 'sites/{site}/users/{user}'], { choice: 'firstOf' });
    expect(refusalReason(createAccessPolicy(policyOf([group])))).toEqual([
      { part: 'rooms[0].firstOf[1]', reason: expect.stringContaining('is never chosen') },
    ]);
  });

  test('a variable of the client never stands above one of a token, not even above an empty one', () => {
    const groups = [groupOf(['tenants/{tenant}'])];
    expect(join(groups, requestOf({ tenant: '42' }, { tenant: '43' }))).toMatchObject({
      value: { rooms: ['tenants/42'] },
    });
    expect(join(groups, requestOf({ tenant: '' }, { tenant: '43' }))).toMatchObject({ value: { rooms: [] } });
    expect(join(groups, requestOf({ tenant: [] }, { tenant: '43' }))).toMatchObject({ value: { rooms: [] } });
  });

  test('whatever the client says, the rooms of token variables are those without it', () => {
    const groups = [groupOf(['{tenant}', '{tenant}/{user}', '{tenant}/{list}'])];
    const token = fc.record({ tenant: hostileText(), user: hostileText(), list: fc.array(hostileText()) });
    const client = fc.dictionary(fc.constantFrom('tenant', 'user', 'list', 'other', '__proto__'), hostileText());
    fc.assert(
      fc.property(token, client, (own, said) => {
        expect(join(groups, requestOf(own, said))).toEqual(join(groups, requestOf(own)));
      }),
    );
  });
});

describe('a group with a rule', () => {
  test('is ignored with its reason for each template that was complete', () => {
    const group = groupOf(['a/{x}', 'b', 'c/{missing}'], { rule: { when: no, checks: [] } });
    expect(join([groupOf(['free']), group, groupOf(['last'])], requestOf({ x: '1' }))).toEqual({
      kind: 'allow',
      value: {
        rooms: ['free', 'last'],
        ignored: [
          { template: 'a/{x}', reason: 'not for you' },
          { template: 'b', reason: 'not for you' },
        ],
      },
      reason: '2 rooms',
    });
  });

  test('refuses the connection where the config says so, and only when it was asked for', () => {
    const group = groupOf(['a/{x}'], { rule: { when: no, checks: [] }, otherwise: 'refuse' });
    expect(join([groupOf(['free']), group], requestOf({ x: '1' }))).toEqual({
      kind: 'deny',
      code: 'room_denied',
      reason: 'not for you',
    });
    expect(join([groupOf(['free']), group], requestOf({ x: '' }))).toMatchObject({ value: { rooms: ['free'] } });
  });

  test('asks for all checks at once, then again for none', () => {
    const groups = [
      groupOf(['a'], { rule: { checks: ['one', 'two'] } }),
      groupOf(['b'], { rule: { checks: ['two', 'three'] } }),
      groupOf(['c/{missing}'], { rule: { checks: ['four'] } }),
    ];
    expect(join(groups, requestOf({}))).toEqual({ kind: 'ask', checks: ['one', 'two', 'three'] });
    expect(join(groups, requestOf({}, {}, { two: true }))).toEqual({ kind: 'ask', checks: ['one', 'three'] });
    expect(join(groups, requestOf({}, {}, { one: true, three: true }))).toEqual({ kind: 'ask', checks: ['two'] });
    expect(join(groups, requestOf({}, {}, { one: true, two: true, three: false }))).toEqual({
      kind: 'allow',
      value: { rooms: ['a'], ignored: [{ template: 'b', reason: 'denied by the check three' }] },
      reason: '1 rooms',
    });
  });

  test('its condition reads the query and the tokens', () => {
    const when: Condition = ({ query, variables }) =>
      (query as ReadonlyMap<string, string>).get('site') === (variables as ReadonlyMap<string, string>).get('own')
        ? allowed(true)
        : refused({ error: false, text: 'another site' });
    const groups = [groupOf(['sites/{site}'], { rule: { when, checks: [] } })];
    expect(join(groups, requestOf({ own: '7' }, { site: '7' }))).toMatchObject({ value: { rooms: ['sites/7'] } });
    expect(join(groups, requestOf({ own: '7' }, { site: '8' }))).toMatchObject({
      value: { rooms: [], ignored: [{ template: 'sites/{site}', reason: 'another site' }] },
    });
  });
});

describe('under', () => {
  const groups = [groupOf(['a/{x}', 'b/{missing}', 'c'], { under: templateOf('topics/{topics}') })];

  test('puts the rooms below each of its values, and not by themselves', () => {
    expect(join(groups, requestOf({ x: '1' }, { topics: ['s/t', 'u'] }))).toMatchObject({
      value: { rooms: ['topics/s%2Ft/a/1', 'topics/u/a/1', 'topics/s%2Ft/c', 'topics/u/c'] },
    });
  });

  test.each([[{}], [{ topics: [] }], [{ topics: '' }], [{ topics: [''] }]])(
    'without a value (%o) the rooms stand by themselves',
    (client) => {
      expect(join(groups, requestOf({ x: '1' }, client))).toMatchObject({ value: { rooms: ['a/1', 'c'] } });
    },
  );

  test('what is ignored is named as it would have stood', () => {
    const refusing = groups.map((group) => ({ ...group, rule: { when: no, checks: [] } }));
    expect(join(refusing, requestOf({ x: '1' }, { topics: 't' }))).toMatchObject({
      value: { ignored: [{ template: 'topics/{topics}/a/{x}' }, { template: 'topics/{topics}/c' }] },
    });
  });
});

describe('roomsPerConnectionMax', () => {
  const denied = { kind: 'deny', code: 'rooms_too_many', reason: 'the connection asks for more than 3 rooms' };

  test.each([
    [['1', '2', '3'], 'allow'],
    [['1', '2', '3', '4'], 'deny'],
    [Array.from({ length: 100_000 }, (_, index) => `${index}`), 'deny'],
  ])('a list of %o', (x, kind) => {
    expect(join([groupOf(['a/{x}'])], requestOf({ x }), 3).kind).toBe(kind);
  });

  test('all groups count together, a room only once', () => {
    const x = ['1', '2'];
    expect(join([groupOf(['a/{x}']), groupOf(['b/{x}'])], requestOf({ x }), 3)).toEqual(denied);
    expect(join([groupOf(['a/{x}', 'b/{x}'])], requestOf({ x }), 3)).toEqual(denied);
    expect(join([groupOf(['a/{x}']), groupOf(['a/{x}', 'b'])], requestOf({ x }), 3)).toMatchObject({
      value: { rooms: ['a/1', 'a/2', 'b'] },
    });
  });

  test('rooms that are not granted do not count', () => {
    const refused = groupOf(['a/{x}'], { rule: { when: no, checks: [] } });
    expect(join([refused, groupOf(['b'])], requestOf({ x: ['1', '2', '3', '4'] }), 3).kind).toBe('allow');
  });
});

describe('createAccessPolicy', () => {
  const isolation = isolationOf('T', 'tenant', 'tenants/{}', 'topics/{topic}/tenants/{}');
  const problemsOf = (...rooms: readonly RoomGroup[]) => refusalReason(createAccessPolicy(policyOf(rooms), isolation));

  test('a connection that has several tenants is in the rooms of none', () => {
    const groups = [groupOf(['tenants/{tenant}', 'public'])];
    const access = allowedValue(createAccessPolicy(policyOf(groups), isolation));
    const joins = (tenant: VariableValue) => access.mayJoin(requestOf({ tenant }));
    const denied = { kind: 'deny', code: 'access_denied', reason: 'the connection has more than one {tenant}' };
    expect(joins(['T1', 'T2'])).toEqual(denied);
    expect(joins(['T1'])).toMatchObject({ value: { rooms: ['tenants/T1', 'public'] } });
    expect(joins(['T1', ''])).toMatchObject({ value: { rooms: ['tenants/T1', 'public'] } });
    expect(joins([])).toMatchObject({ value: { rooms: ['public'] } });
    expect(join(groups, requestOf({ tenant: ['T1', 'T2'] }))).toMatchObject({
      value: { rooms: ['tenants/T1', 'tenants/T2', 'public'] },
    });
  });

  test('refuses a prefix that ends in {name*}, with isolation or without', () => {
    const group = { ...groupOf(['public']), under: templateOf('x/{rooms*}') };
    const problem = { part: 'rooms[0].under', reason: '"x/{rooms*}" must not end in {name*}: rooms stand below it' };
    expect(problemsOf(group)).toContainEqual(problem);
    expect(refusalReason(createAccessPolicy(policyOf([group])))).toEqual([problem]);
  });

  test('refuses templates that could cross tenants, all at once, with their places', () => {
    const rooms = [
      groupOf(['tenants/{tenant}', 'topics/{topic}', 'public/{x}']),
      groupOf(['public', 'tenants/{user}', 'tenants/{rooms*}']),
    ];
    expect(problemsOf(...rooms).map(({ part }) => part)).toEqual(['rooms[1].templates[1]', 'rooms[1].templates[2]']);
    expect(problemsOf(...rooms)[0]?.reason).toBe(
      '"tenants/{user}" could name another tenant\'s room: rooms of the shape "tenants/{}" must have {tenant} where {} ' +
        'stands and the same plain text elsewhere',
    );
    expect(createAccessPolicy(policyOf(rooms)).ok).toBe(true);
  });

  test('looks at what stands below a prefix, and at what stands without it', () => {
    const under = templateOf('topics/{topic}');
    expect(createAccessPolicy(policyOf([groupOf(['tenants/{tenant}'], { under })]), isolation).ok).toBe(true);
    expect(problemsOf(groupOf(['tenants/{user}'], { under }))).toHaveLength(2);
    const hidden = groupOf(['42'], { under: templateOf('tenants') });
    expect(problemsOf(hidden)).toMatchObject([
      { part: 'rooms[0].templates[0]', reason: expect.stringContaining('"tenants/42"') },
    ]);
  });
});

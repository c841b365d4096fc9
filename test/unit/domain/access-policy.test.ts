import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { type AccessPolicy, createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { AccessRule, CheckAnswer } from '../../../src/domain/access-rule.ts';
import type { Condition, Scope } from '../../../src/domain/condition.ts';
import type { AccessRequest } from '../../../src/domain/ports/access-control.ts';
import { anonymous } from '../../../src/domain/principal.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import { allowedValue, credentialOf, eventOf, principalOf } from '../../support/domain-fixtures.ts';

const free: AccessRule = { checks: [] };
const yes: Condition = () => allowed(true);
const no: Condition = () => refused({ error: false, text: 'the condition is false' });
const broken: Condition = () => refused({ error: true, text: 'no such name' });

const accessOf = (policy: Partial<AccessPolicy>) =>
  allowedValue(
    createAccessPolicy({
      connect: free,
      publish: free,
      rooms: [],
      roomsPerConnectionMax: 100,
      credentialNames: [],
      ...policy,
    }),
  );
const requestOf = (given: Partial<AccessRequest> = {}): AccessRequest => ({
  principal: anonymous,
  variables: new Map(),
  checks: new Map(),
  ...given,
});
const connect = (rule: AccessRule, checks: Record<string, boolean> = {}) =>
  accessOf({ connect: rule }).mayConnect(requestOf({ checks: new Map(Object.entries(checks)) }));

describe('a rule', () => {
  test.each([
    ['neither condition nor check', free, {}, 'there is no condition'],
    ['a condition that holds', { when: yes, checks: [] }, {}, 'the condition holds'],
    ['a check that allows', { checks: ['a'] }, { a: true }, 'every check allows'],
    ['checks that allow', { checks: ['a', 'b'] }, { a: true, b: true }, 'every check allows'],
    ['both', { when: yes, checks: ['a'] }, { a: true }, 'the condition holds and every check allows'],
    [
      'a condition that reads what a check denies',
      { when: yes, checks: ['a'], readsChecks: true },
      { a: false },
      'the condition holds',
    ],
  ])('with %s allows', (_what, rule, checks, reason) => {
    expect(connect(rule, checks)).toEqual({ kind: 'allow', value: true, reason });
  });

  test.each([
    ['a condition that does not hold', { when: no, checks: [] }, {}, 'the condition is false'],
    ['a condition that cannot be evaluated', { when: broken, checks: [] }, {}, 'no such name'],
    ['a check that denies', { checks: ['a', 'b'] }, { a: true, b: false }, 'denied by the check b'],
    ['two that deny', { checks: ['a', 'b', 'c'] }, { a: false, b: true, c: false }, 'denied by the check a, c'],
    ['a check that denies beside a condition', { when: yes, checks: ['a'] }, { a: false }, 'denied by the check a'],
    ['a condition, whatever checks say', { when: no, checks: ['a'] }, { a: true }, 'the condition is false'],
  ])('with %s denies', (_what, rule, checks, reason) => {
    expect(connect(rule, checks)).toEqual({ kind: 'deny', code: 'access_denied', reason });
  });

  test.each([
    [{ checks: ['a', 'b'] }, {}, ['a', 'b']],
    [{ checks: ['a', 'b'] }, { b: true }, ['a']],
    [{ checks: ['a', 'b'] }, { a: false }, ['b']],
    [{ when: no, checks: ['a'] }, {}, ['a']],
  ])('%o asks for the checks that %o leaves open', (rule, checks, open) => {
    expect(connect(rule, checks)).toEqual({ kind: 'ask', checks: open });
  });

  test('is not evaluated before its checks have answered', () => {
    let count = 0;
    const counting: Condition = () => {
      count += 1;
      return allowed(true);
    };
    connect({ when: counting, checks: ['a'] });
    expect(count).toBe(0);
    connect({ when: counting, checks: ['a'] }, { a: true });
    expect(count).toBe(1);
  });
});

describe('a condition that reads checks', () => {
  /** As CEL evaluates it: what does not matter is not looked at. */
  const compiled = (text: string) => allowedValue(compileCondition(text, ['permissions', 'check', 'query']));
  const rule = (text: string): AccessRule => ({
    when: compiled(text),
    checks: ['a', 'b'],
    readsChecks: true,
    decidesEarly: true,
  });

  test.each([
    ['false && check.a', 'deny'],
    ["'x' in permissions && check.a", 'deny'],
    ['true || check.a', 'allow'],
    ['check.a || true', 'allow'],
    ['check.a', 'ask'],
    ['true && check.a', 'ask'],
    ["!('a' in check)", 'ask'],
    ['size(check) == 0', 'ask'],
    ["check['a']", 'ask'],
    ['query.none == 1', 'ask'],
  ])('%s without answers: %s', (text, kind) => {
    expect(connect(rule(text))).toMatchObject(kind === 'ask' ? { kind, checks: ['a', 'b'] } : { kind });
  });

  test('reads a list', () => {
    const roles = new Map<string, CheckAnswer>([
      ['a', ['admin']],
      ['b', false],
    ]);
    const ask = (text: string) => accessOf({ connect: rule(text) }).mayConnect(requestOf({ checks: roles }));
    expect(ask("'admin' in check.a")).toMatchObject({ kind: 'allow' });
    expect(ask("'owner' in check.a")).toMatchObject({ kind: 'deny' });
  });

  test('is decided in the end as if everybody had been asked at first', () => {
    const atom = fc.constantFrom(
      'true',
      'false',
      'check.a',
      'check.b',
      "'b' in check",
      "'x' in permissions",
      'query.none',
    );
    const { text } = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('text'), fc.constantFrom('&&', '||'), tie('text')).map((parts) => `(${parts.join(' ')})`),
        fc.tuple(tie('text'), tie('text'), tie('text')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
        tie('text').map((each) => `!${each}`),
      ),
    }));
    fc.assert(
      fc.property(text, fc.boolean(), fc.boolean(), (condition, a, b) => {
        const first = connect(rule(condition));
        const whole = connect(rule(condition), { a, b });
        if (first.kind !== 'ask') expect(first.kind).toBe(whole.kind);
      }),
    );
  });
});

test('a check that answers with a list allows unless it is empty', () => {
  const access = accessOf({ connect: { checks: ['a'] } });
  const ask = (answer: CheckAnswer) => access.mayConnect(requestOf({ checks: new Map([['a', answer]]) })).kind;
  expect([ask(['x']), ask([])]).toEqual(['allow', 'deny']);
});

describe('what a condition reads', () => {
  /** The scope that the condition of `mayConnect` was given. */
  function scopeOf(request: AccessRequest, credentialNames: readonly string[]): Scope {
    let read: Scope | undefined;
    const when: Condition = (scope) => {
      read = scope;
      return allowed(true);
    };
    accessOf({ connect: { when, checks: [] }, credentialNames }).mayConnect(request);
    if (!read) throw new Error('the condition was not evaluated');
    return read;
  }

  const given = { claims: { sub: 'client' }, roles: ['r'], permissions: ['p'] };
  const ocms = credentialOf('ocms', { tenant: '42' }, given);
  const iam = credentialOf('iam', { user: 'u' }, { claims: { sub: 'person' }, roles: ['x'], permissions: ['all'] });
  const absent = { present: false, claims: {}, roles: [], permissions: [], variables: new Map() };

  test('hiiretail 8.6: unqualified names are those of the first credential only', () => {
    const checks = new Map([['crm', true]]);
    const variables = new Map([
      ['connection', 'c1'],
      ['topics', 'a'],
    ]);
    const request = { principal: principalOf(ocms, iam), variables, checks };
    expect(scopeOf(request, ['iam', 'ocms', 'other'])).toEqual({
      ...given,
      ocms: { present: true, ...given, variables: new Map([['tenant', '42']]) },
      iam: {
        present: true,
        claims: { sub: 'person' },
        roles: ['x'],
        permissions: ['all'],
        variables: new Map([['user', 'u']]),
      },
      other: absent,
      variables: new Map([
        ['tenant', '42'],
        ['user', 'u'],
      ]),
      query: variables,
      connection: 'c1',
      check: checks,
      values: new Map(),
    });
    expect(scopeOf({ ...request, principal: principalOf(iam, ocms) }, [])['permissions']).toEqual(['all']);
  });

  test('without any credential there is nothing in it', () => {
    const scope = scopeOf(requestOf(), ['ocms']);
    expect(scope).toEqual({
      claims: {},
      roles: [],
      permissions: [],
      ocms: absent,
      variables: new Map(),
      query: new Map(),
      connection: '',
      values: new Map(),
      check: new Map(),
    });
  });

  test('a name is there only when it was given: the scope has no prototype, and __proto__ is a name', () => {
    const named = scopeOf(requestOf({ principal: principalOf(credentialOf('__proto__')) }), ['__proto__']);
    expect(Object.getPrototypeOf(named)).toBeNull();
    expect(Object.keys(named)).toContain('__proto__');
    expect('toString' in named).toBe(false);
  });
});

describe('mayPublish', () => {
  test('reads who publishes and what', () => {
    const when: Condition = (scope) => {
      const { event, permissions } = scope as { event: { stream: string }; permissions: readonly string[] };
      return permissions.includes(event.stream) ? allowed(true) : refused({ error: false, text: 'not yours' });
    };
    const access = accessOf({ publish: { when, checks: [] }, connect: { when: no, checks: [] } });
    const request = requestOf({ principal: principalOf(credentialOf('app', {}, { permissions: ['orders'] })) });
    expect(access.mayPublish(request, eventOf({}, { stream: 'orders' }))).toMatchObject({ kind: 'allow' });
    expect(access.mayPublish(request, eventOf({}, { stream: 'stock' }))).toEqual({
      kind: 'deny',
      code: 'access_denied',
      reason: 'not yours',
    });
  });

  test('asks its own checks', () => {
    const access = accessOf({ publish: { checks: ['quota'] }, connect: { checks: ['crm'] } });
    expect(access.mayPublish(requestOf(), eventOf({}))).toEqual({ kind: 'ask', checks: ['quota'] });
    expect(access.mayConnect(requestOf())).toEqual({ kind: 'ask', checks: ['crm'] });
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import type { Scope } from '../../../src/domain/condition.ts';

const names = ['claims', 'permissions', 'roles', 'variables', 'query', 'connection', 'check', 'event', 'iam'];

const scope: Scope = {
  claims: {
    tid: 't1',
    level: 4,
    price: 1.5,
    gids: [1, 5, 0],
    admin: true,
    nothing: null,
    scopes: { sca: ['admin'] },
    'https://extendaretail.com/tenant': 't1',
    constructor: 'c',
    $typeName: 'google.protobuf.Any',
  },
  permissions: ['sio.websocket.connect', 'sio.websocket.read'],
  roles: [],
  variables: new Map<string, unknown>([
    ['tenant', 't1'],
    ['topics', ['a', 'b']],
  ]),
  query: new Map([['project', '__proto__']]),
  connection: 'c1',
  check: new Map([
    ['warehouse', true],
    ['amaretti', false],
  ]),
  event: { stream: 'wf.task', key: '5.12.x', attributes: new Map([['Tenant-Id', 't1']]) },
  iam: { present: false, claims: {}, permissions: [], roles: [], variables: new Map() },
};

/** The words say what comes of it; anything else is the beginning of the error's text. */
function outcome(text: string, given: Scope = scope): string {
  const condition = compileCondition(text, names);
  if (!condition.ok) return `does not compile: ${condition.reason}`;
  const held = condition.value(given);
  if (held.ok) return 'holds';
  return held.reason.error ? `error: ${held.reason.text}` : 'does not hold';
}

describe('compileCondition', () => {
  test.each([
    ["'sio.websocket.connect' in permissions && 'sio.websocket.read' in permissions", 'holds'],
    ["'sio.bu-rooms.join' in permissions", 'does not hold'],
    ['size(roles) == 0', 'holds'],
    ["claims.tid == 't1'", 'holds'],
    ["claims.tid == 't2'", 'does not hold'],
    ["claims['https://extendaretail.com/tenant'] == claims.tid", 'holds'],
    ['claims.level > 3', 'holds'],
    ['claims.level == 4', 'holds'],
    ['claims.level == 4.0', 'holds'],
    ['claims.level > 3.9 && claims.price < 2', 'holds'],
    ['claims.level + 1.0 == 5.0', 'holds'],
    ['int(claims.level) + 1 == 5', 'holds'],
    ["string(claims.level) == '4'", 'holds'],
    ['claims.admin', 'holds'],
    ['claims.nothing == null', 'holds'],
    ['claims.gids[1] == 5', 'holds'],
    ['5 in claims.gids', 'holds'],
    ["int(event.key.split('.')[0]) in claims.gids || event.key.split('.')[0] == 'na'", 'holds'],
    ['claims.gids.exists(gid, gid > 4)', 'holds'],
    ['claims.gids.all(gid, gid > 4)', 'does not hold'],
    ['claims.gids.exists_one(gid, gid == 1)', 'holds'],
    ["claims.gids.map(gid, string(gid)) == ['1', '5', '0']", 'holds'],
    ['size(claims.gids.filter(gid, gid > 0)) == 2', 'holds'],
    ["'admin' in claims.scopes.sca", 'holds'],
    ["variables.tenant == event.attributes['Tenant-Id']", 'holds'],
    ["'b' in variables.topics", 'holds'],
    ["has(variables.user) ? variables.user == 'u' : true", 'holds'],
    ['check.warehouse && !check.amaretti', 'holds'],
    ['iam.present', 'does not hold'],
    ["connection.startsWith('c') && connection.matches('^c[0-9]+$')", 'holds'],
    ["event.stream.lowerAscii().endsWith('.task')", 'holds'],
    ['type(claims.level) == double', 'holds'],
    ['has(claims.tid)', 'holds'],
    ['has(claims.absent)', 'does not hold'],
    ["'tid' in claims", 'holds'],
    // A claim that is null counts as absent for has(), unlike in standard CEL.
    ['has(claims.nothing)', 'does not hold'],
    ["claims.absent == 'a' || true", 'holds'],
  ])('%s: %s', (text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  test.each([
    ["claims.absent == 'a'", 'at character 7, ".absent == \'a\'": what it reads is absent'],
    ['iam.claims.sub == variables.user', 'at character 11, ".sub == variables.user": what it reads is absent'],
    ["claims.absent.deeper == 'a'", 'at character 7, ".absent.deeper == \'a\'": what it reads is absent'],
    ['claims.gids[7] == 1', 'at character 1, "claims.gids[7] == 1": the list has no such item'],
    ['claims.level + 1 == 5', "found no matching overload for '_+_' applied to '(double, int)'"],
    ["claims.tid > 3 && claims.tid == 't1'", 'found no matching overload'],
    ['int(claims.tid) == 1', 'at character 1, "int(claims.tid) == 1": it cannot be evaluated with this value'],
    ['claims.tid', 'the condition is neither true nor false: claims.tid'],
    ['permissions', 'the condition is neither true nor false'],
    ['1 + 1', 'the condition is neither true nor false'],
  ])('%s is an error, which denies: %s', (text, expected) => {
    expect(outcome(text)).toMatch(/^error: /);
    expect(outcome(text)).toContain(expected);
  });

  test.each([
    ["claimz.tid == 't1'", 'there is no "claimz" here; it may read check, claims, connection,'],
    ['permissions.exists(p, q == p)', 'there is no "q" here'],
    ['constructor == 1', 'there is no "constructor" here'],
    ['__proto__ == 1', 'there is no "__proto__" here'],
    ["claims.tid.startWith('t')", 'there is no function "startWith"'],
    ['google.protobuf.Int32Value{value: 1} == 1', 'is no type that it can make'],
    ['claims.tid =', 'at line 1, character 12: '],
    ['claims tid', 'at line 1, character 8: t is not expected there'],
    [' ', 'at line 1, character 2: end of input is not expected there'],
    [`${'[1].exists(a, '.repeat(3)}true${')'.repeat(3)}`, 'more than 2 macros stand in each other'],
  ])('%s does not compile: %s', (text, expected) => {
    expect(outcome(text)).toMatch(/^does not compile: /);
    expect(outcome(text)).toContain(expected);
  });

  test.each([
    ['text', 'a'.repeat(4097), 'it has more than 4096 characters'],
    ['parentheses', `${'('.repeat(1500)}true${')'.repeat(1500)}`, 'it is nested too deep'],
    ['lists', `${'['.repeat(70)}1${']'.repeat(70)} == []`, 'it is nested deeper than 64 levels'],
    ['fields', `claims${'.a'.repeat(70)} == 1`, 'it is nested deeper than 64 levels'],
  ])('too much %s does not compile', (_, text, expected) => {
    expect(outcome(text)).toBe(`does not compile: ${expected}`);
  });

  test('every name is allowed where none are given', () => {
    const condition = compileCondition('anything.goes');
    expect(condition.ok && condition.value({ anything: { goes: true } })).toEqual({ ok: true, value: true });
    expect(condition.ok && condition.value({})).toMatchObject({ ok: false, reason: { error: true } });
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length'])(
    'nothing is read from a prototype: %s',
    (name) => {
      const given = { claims: {}, permissions: ['p'], variables: new Map(), connection: 'c' };
      for (const place of ['claims', 'permissions', 'variables', 'connection']) {
        expect(outcome(`has(${place}.${name})`, given)).toBe('does not hold');
        expect(outcome(`${place}.${name} == ${place}.${name}`, given)).toMatch(/^error: .* is absent$/);
      }
      expect(outcome(`'${name}' in claims`, given)).toBe('does not hold');
    },
  );

  test('what a value or the scope inherits is not there', () => {
    expect(outcome('claims.admin', { claims: Object.create({ admin: true }) })).toMatch(/^error: .* is absent$/);
    expect(outcome('check.admin', Object.create({ check: { admin: true } }))).toMatch(/^error: .* is absent$/);
  });

  test('claims named like internals are claims like any other', () => {
    expect(outcome("claims.constructor == 'c' && claims['$typeName'].startsWith('google')")).toBe('holds');
    const claims: unknown = JSON.parse('{"__proto__":{"admin":true},"a":{"constructor":{"name":"Object"}}}');
    expect(outcome('has(claims.admin)', { claims })).toBe('does not hold');
    expect(outcome("claims.a.constructor.name == 'Object'", { claims })).toBe('holds');
    expect(outcome("claims['__proto__'].admin", { claims })).toBe('holds');
  });

  test('an error says nothing of the values', () => {
    const claims = { secret: 'hunter2', list: [1], when: 'hunter2' };
    for (const text of [
      'int(claims.secret) == 1',
      'bool(claims.secret)',
      'timestamp(claims.when) == timestamp(claims.when)',
      'duration(claims.secret) == duration(claims.secret)',
      'claims[claims.secret] == 1',
      'claims.secret + 1 == 2',
      'claims.secret',
      '{claims.secret: 1, claims.secret: 2} == {}',
      "'a'.charAt(int(size(claims.secret))) == 'a'",
      "'a'.matches(claims.secret + '(') == true",
    ]) {
      expect(outcome(text, { claims })).toMatch(/^error: /);
      expect(outcome(text, { claims })).not.toContain('hunter2');
    }
  });

  test('a pattern against text that makes other engines take hours takes no time', { timeout: 2000 }, () => {
    expect(outcome("query.text.matches('^(a+)+$')", { query: new Map([['text', `${'a'.repeat(5000)}!`]]) })).toBe(
      'does not hold',
    );
  });

  test('claims of any JSON never make it throw, and an absent one denies', { timeout: 30_000 }, () => {
    const readers = ["claims.a == 'x'", 'claims.a > 3', "'x' in claims.a", 'claims.a.exists(i, i == 1)', 'claims.a'];
    fc.assert(
      fc.property(fc.constantFrom(...readers), fc.jsonValue(), (text, a) => {
        expect(outcome(text, { claims: {} })).toMatch(/^error: .* is absent$/);
        expect(outcome(text, { claims: a })).not.toBe('');
        const claims: unknown = JSON.parse(JSON.stringify({ a }));
        const held = outcome(text, { claims });
        if (text === "claims.a == 'x'") expect(held).toBe(a === 'x' ? 'holds' : 'does not hold');
      }),
    );
  });
});

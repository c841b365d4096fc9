import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type QueryRule, readQueryVariables } from '../../../src/application/query-variables.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import { allowedValue, refusalReason } from '../../support/domain-fixtures.ts';
import { presentedOf } from '../../support/fake-ports.ts';
import { hostileText } from '../../support/hostile-text.ts';

const session: QueryRule = { variable: 'session', field: 'sessionId', required: false };
const topics: QueryRule = { variable: 'topics', field: 'topics', list: ',', required: false };
type Given = Readonly<Record<string, string | readonly string[]>>;

function read(given: Given, ...rules: readonly QueryRule[]) {
  const { variables, problem } = readQueryVariables(presentedOf(given), rules);
  return problem ? refused(problem) : allowed(variables);
}

describe('hiiretail 8.10: a list comes in every way that clients write it', () => {
  test.each([
    ['a.v1,b.v1', ['a.v1', 'b.v1']],
    [
      ['a.v1', 'b.v1'],
      ['a.v1', 'b.v1'],
    ],
    [
      ['a.v1,b.v1', 'c.v1'],
      ['a.v1', 'b.v1', 'c.v1'],
    ],
    [
      ['a', 'b,a', 'a'],
      ['a', 'b'],
    ],
    [' a , ,b,', ['a', 'b']],
    [['', 'a', 'undefined', 'null'], ['a']],
    ['undefined,a', ['undefined', 'a']],
    ['a/b', ['a/b']],
  ])('%o is %o', (given, expected) => {
    expect(allowedValue(read({ 'query.topics': given }, topics))).toEqual(new Map([['topics', expected]]));
  });

  test.each([[[]], [''], [','], [' , '], ['undefined'], ['null'], [['', 'null']]])('%o is absent', (given) => {
    expect(allowedValue(read({ 'query.topics': given }, topics))).toEqual(new Map());
  });

  test('with the separator of its rule', () => {
    expect(allowedValue(read({ 'query.topics': 'a;b,c' }, { ...topics, list: ';' }))).toEqual(
      new Map([['topics', ['a', 'b,c']]]),
    );
  });
});

describe('hiiretail 8.7: a text', () => {
  test.each([['s-1'], [' '], ['a,b'], ['Undefined'], ['__proto__']])('"%s" is kept', (given) => {
    expect(allowedValue(read({ 'query.sessionId': given }, session))).toEqual(new Map([['session', given]]));
  });

  test.each([[[]], [''], ['undefined'], ['null']])('%o is absent', (given) => {
    expect(allowedValue(read({ 'query.sessionId': given }, session))).toEqual(new Map());
  });

  test.each([[['a', 'a']], [['a', '']], [['null', 'a']], [['', '']]])(
    '%o is refused, without repeating it',
    (given) => {
      expect(refusalReason(read({ 'query.sessionId': given }, session))).toEqual({
        code: 'query_invalid',
        reason: 'the query field "sessionId" was given more than once',
      });
    },
  );
});

describe('a required field', () => {
  test.each([
    [{ ...session, required: true }, ['undefined']],
    [{ ...session, required: true }, []],
    [{ ...topics, field: 'sessionId', required: true }, ' , '],
  ])('%o with %o is missing', (rule, given) => {
    expect(refusalReason(read({ 'query.sessionId': given }, topics, rule))).toEqual({
      code: 'query_invalid',
      reason: 'the query field "sessionId" is missing',
    });
  });

  test.each([
    { ...session, required: true },
    { ...topics, field: 'sessionId', required: true },
  ])('%o is there', (rule) => {
    expect(read({ 'query.sessionId': 'x' }, rule).ok).toBe(true);
  });
});

describe('a field that must not be empty', () => {
  const user: QueryRule = { variable: 'user', field: 'user_id', required: false, empty: 'refuse' };

  test.each([[''], ['undefined'], ['null']])('with %o is refused, and is no variable', (given) => {
    expect(readQueryVariables(presentedOf({ 'query.user_id': given }), [user])).toEqual({
      variables: new Map(),
      problem: { code: 'query_invalid', reason: 'the query field "user_id" has no value' },
    });
  });

  test('may be absent', () => {
    expect(allowedValue(read({}, user))).toEqual(new Map());
    expect(allowedValue(read({ 'query.user_id': 'u' }, user))).toEqual(new Map([['user', 'u']]));
  });
});

test('of several that are wrong the first is told, and the others are read', () => {
  const given = { 'query.sessionId': ['a', 'b'], 'query.topics': 'x' };
  expect(readQueryVariables(presentedOf(given), [{ ...session, required: true }, topics])).toEqual({
    variables: new Map([['topics', ['x']]]),
    problem: { code: 'query_invalid', reason: 'the query field "sessionId" was given more than once' },
  });
});

describe('a field with a pattern', () => {
  const pattern = /^[^.]+$/su;

  test.each([
    [session, 'a.b'],
    [session, '.'],
    [topics, 'a,b.c'],
  ])('%o with "%s" is refused, and is no variable', (rule, given) => {
    const presented = presentedOf({ [`query.${rule.field}`]: given });
    expect(readQueryVariables(presented, [{ ...rule, pattern }])).toEqual({
      variables: new Map(),
      problem: { code: 'query_invalid', reason: `the query field "${rule.field}" does not match its pattern` },
    });
  });

  test('may be absent, and is kept where it matches', () => {
    expect(allowedValue(read({}, { ...session, pattern }))).toEqual(new Map());
    expect(allowedValue(read({ 'query.sessionId': 'a\nb' }, { ...session, pattern }))).toEqual(
      new Map([['session', 'a\nb']]),
    );
  });
});

test('brackets are of lists only', () => {
  const given = { 'query.sessionId[]': 's', 'query.topics[]': ['a', 'b'] };
  expect(allowedValue(read(given, session, topics))).toEqual(new Map([['topics', ['a', 'b']]]));
});

test('what no rule names is not read, and places are those of the query only', () => {
  const given = { 'query.other': 'x', sessionId: 'x', 'auth.sessionId': 'x', 'query.session': 'x' };
  expect(allowedValue(read(given, session, topics))).toEqual(new Map());
});

test('no variable is ever empty, and no item comes twice', () => {
  fc.assert(
    fc.property(fc.array(hostileText()), hostileText(), (list, text) => {
      const variables = allowedValue(read({ 'query.topics': list, 'query.sessionId': text }, topics, session));
      for (const value of variables.values()) {
        expect(value.length).toBeGreaterThan(0);
        if (typeof value === 'string') continue;
        expect(new Set(value).size).toBe(value.length);
        expect(value).not.toContain('');
      }
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anonymous, createPrincipal } from '../../../src/domain/principal.ts';
import { credentialOf, principalOf, refusalReason } from '../../support/domain-fixtures.ts';
import { hostileText } from '../../support/hostile-text.ts';

describe('createPrincipal', () => {
  test('unites the variables of all credentials and keeps these in their order', () => {
    const ocms = credentialOf('ocms', { tenant: '42', businessUnit: '7' });
    const iam = credentialOf('iam', { tenant: '42', user: 'u' });
    const principal = principalOf(ocms, iam);
    expect(principal.credentials).toEqual([ocms, iam]);
    expect(principal.variables).toEqual(
      new Map([
        ['tenant', '42'],
        ['businessUnit', '7'],
        ['user', 'u'],
      ]),
    );
  });

  test.each([
    ['another text', '42', '43'],
    ['a text and nothing', '42', ''],
    ['a text and a list of it', '42', ['42']],
    ['another list', ['a', 'b'], ['a']],
    ['another order', ['a', 'b'], ['b', 'a']],
    ['other padding', '0001', '1'],
  ])('hiiretail 8.7: refuses %s for one variable, without telling the values', (_what, first, second) => {
    const verdict = createPrincipal([credentialOf('ocms', { tenant: first }), credentialOf('iam', { tenant: second })]);
    expect(refusalReason(verdict)).toBe('the tokens "ocms" and "iam" disagree about "tenant"');
  });

  test('the reason names the last that gave the variable, among three', () => {
    const verdict = createPrincipal([
      credentialOf('a', { x: '1' }),
      credentialOf('b', { y: '1' }),
      credentialOf('c', { y: '2' }),
    ]);
    expect(refusalReason(verdict)).toBe('the tokens "b" and "c" disagree about "y"');
  });

  test('takes equal lists', () => {
    const lists = [credentialOf('a', { x: ['1', '2'] }), credentialOf('b', { x: ['1', '2'] })];
    expect(principalOf(...lists).variables).toEqual(new Map([['x', ['1', '2']]]));
  });

  test('refuses two of one kind, even when they say the same', () => {
    const verdict = createPrincipal([credentialOf('ocms'), credentialOf('iam'), credentialOf('ocms')]);
    expect(refusalReason(verdict)).toBe('two tokens of the kind "ocms" were presented');
  });

  test.each([
    [[undefined], undefined],
    [[undefined, undefined], undefined],
    [[20], 20],
    [[20, undefined, 10, 30], 10],
    [[undefined, 0], 0],
  ])('with %o it ends at %o', (ends, expected) => {
    const credentials = ends.map((expiresAt, index) => credentialOf(`${index}`, {}, { expiresAt }));
    expect(principalOf(...credentials).expiresAt).toBe(expected);
  });

  test('__proto__ is a variable like any other', () => {
    const variables = new Map([['__proto__', 'x']]);
    expect(principalOf({ ...credentialOf('a'), variables }).variables.get('__proto__')).toBe('x');
  });

  test('is refused exactly when two credentials give one variable different values', () => {
    const variables = fc.dictionary(fc.constantFrom('tenant', 'user', 'site'), hostileText());
    fc.assert(
      fc.property(fc.array(variables, { maxLength: 4 }), (given) => {
        const all = given.flatMap((each) => Object.entries(each));
        const conflict = all.some(([name, value]) => all.some((other) => other[0] === name && other[1] !== value));
        const verdict = createPrincipal(given.map((each, index) => credentialOf(`${index}`, each)));
        expect(verdict.ok).toBe(!conflict);
        if (verdict.ok) expect(verdict.value.variables).toEqual(new Map(all));
      }),
    );
  });
});

test('nobody in particular has nothing', () => {
  expect(anonymous).toEqual({ credentials: [], variables: new Map() });
  expect(principalOf()).toEqual({ ...anonymous, expiresAt: undefined });
});

import { describe, expect, test } from 'vitest';
import { authenticate, type CredentialRule } from '../../../src/application/authenticate.ts';
import type { PermissionSource } from '../../../src/application/ports/access-check.ts';
import { anonymous } from '../../../src/domain/principal.ts';
import { allowedValue, credentialOf, refusalReason } from '../../support/domain-fixtures.ts';
import { fakePermissions, fakeVerifier, presentedOf } from '../../support/fake-ports.ts';

const ocms = credentialOf('ocms', { tenant: '42' }, { permissions: ['a'], expiresAt: 2000 });
const iam = credentialOf('iam', { tenant: '42', user: 'u' }, { expiresAt: 1000 });
const stranger = credentialOf('iam', { tenant: '43' });
const tokens = { o: ocms, i: iam, stranger, expired: 'token_expired' } as const;

const ruleOf = (from: string | readonly string[], given: Partial<CredentialRule> = {}): CredentialRule => ({
  from,
  accepts: ['ocms', 'iam'],
  optional: false,
  ...given,
});
const hiiretail = [ruleOf('auth.token'), ruleOf('query.userToken', { accepts: ['iam'], optional: true, with: 'ocms' })];

function attempt(
  given: Readonly<Record<string, string | readonly string[]>>,
  rules: readonly CredentialRule[] = hiiretail,
  permissionSources: readonly PermissionSource[] = [],
) {
  const verifier = fakeVerifier(tokens);
  const { signal } = new AbortController();
  return {
    verifier,
    signal,
    verdict: authenticate(presentedOf(given), { rules, verifier, permissionSources }, signal),
  };
}
const principalFor = async (...given: Parameters<typeof attempt>) =>
  allowedValue(await attempt(...given).verdict).principal;
const denialFor = async (...given: Parameters<typeof attempt>) => refusalReason(await attempt(...given).verdict);

describe('hiiretail section 2: the three modes', () => {
  test('1, OCMS only', async () => {
    const { verifier, signal, verdict } = attempt({ 'auth.token': 'o' });
    expect(allowedValue(await verdict)).toEqual({
      principal: { credentials: [ocms], variables: ocms.variables, expiresAt: 2000 },
      tokens: new Map([['ocms', 'o']]),
    });
    expect(verifier.calls).toEqual([{ token: 'o', kinds: ['ocms', 'iam'], signal }]);
  });

  test('2, IAM only', async () => {
    expect((await principalFor({ 'auth.token': 'i' })).credentials).toEqual([iam]);
  });

  test('3, OCMS and IAM', async () => {
    const { verifier, verdict } = attempt({ 'auth.token': 'o', 'query.userToken': 'i' });
    const { principal, tokens: relayed } = allowedValue(await verdict);
    expect(principal.credentials).toEqual([ocms, iam]);
    expect(principal.expiresAt).toBe(1000);
    expect(relayed).toEqual(
      new Map([
        ['ocms', 'o'],
        ['iam', 'i'],
      ]),
    );
    expect(verifier.calls.map(({ kinds }) => kinds)).toEqual([['ocms', 'iam'], ['iam']]);
  });

  test('what stands where only a companion may stand is not even read', async () => {
    const { verifier, verdict } = attempt({ 'auth.token': 'i', 'query.userToken': 'expired' });
    expect(allowedValue(await verdict).principal.credentials).toEqual([iam]);
    expect(verifier.calls.map(({ token }) => token)).toEqual(['i']);
  });

  test('8.7: an invalid companion, and one of another tenant, refuse the connection', async () => {
    expect(await denialFor({ 'auth.token': 'o', 'query.userToken': 'expired' })).toMatchObject({
      code: 'token_expired',
    });
    expect(await denialFor({ 'auth.token': 'o', 'query.userToken': 'stranger' })).toEqual({
      code: 'credentials_conflict',
      reason: 'the tokens "ocms" and "iam" disagree about "tenant"',
    });
    expect(await denialFor({ 'auth.token': 'o', 'query.userToken': 'o' })).toMatchObject({
      code: 'token_issuer_unknown',
    });
  });

  test.each(['', 'undefined', 'null'])('8.7: the companion "%s" is absent', async (text) => {
    expect((await principalFor({ 'auth.token': 'o', 'query.userToken': text })).credentials).toEqual([ocms]);
  });
});

describe('a token', () => {
  test.each([[{}], [{ 'auth.token': '' }], [{ 'auth.token': 'null' }], [{ 'auth.token': ['undefined', ''] }]])(
    'hiiretail 8.3: is missing with %o',
    async (given) => {
      expect(await denialFor(given)).toEqual({ code: 'token_missing', reason: 'there is no token at auth.token' });
    },
  );

  test('given more than once is refused, even when optional, and nothing is verified', async () => {
    const { verifier, verdict } = attempt({ 'auth.token': ['o', 'o'] }, [ruleOf('auth.token', { optional: true })]);
    expect(refusalReason(await verdict)).toEqual({
      code: 'token_malformed',
      reason: 'auth.token was given more than once',
    });
    expect(verifier.calls).toEqual([]);
  });

  test('that is refused ends it there: the next is not looked at', async () => {
    const { verifier, verdict } = attempt({ 'auth.token': 'expired', 'query.more': 'o' }, [
      ruleOf('auth.token'),
      ruleOf('query.more'),
    ]);
    expect(refusalReason(await verdict)).toEqual({ code: 'token_expired', reason: 'refused with token_expired' });
    expect(verifier.calls).toHaveLength(1);
  });

  test('of the same kind twice is a conflict', async () => {
    const rules = [ruleOf('auth.token'), ruleOf('auth.second')];
    expect(await denialFor({ 'auth.token': 'o', 'auth.second': 'o' }, rules)).toEqual({
      code: 'credentials_conflict',
      reason: 'two tokens of the kind "ocms" were presented',
    });
  });

  test('that is optional and not there leaves the next in its place', async () => {
    const rules = [ruleOf('auth.token', { optional: true }), ruleOf('query.token')];
    expect((await principalFor({ 'query.token': 'o' }, rules)).credentials).toEqual([ocms]);
    expect(await denialFor({}, rules)).toEqual({ code: 'token_missing', reason: 'there is no token at query.token' });
  });

  test('hiiretail 8.3: elsewhere than in the header is bare; a scheme is part of the text', async () => {
    expect(await denialFor({ 'auth.token': 'Bearer o' })).toMatchObject({ code: 'token_malformed' });
  });
});

test('without any credential it is nobody in particular', async () => {
  expect(await principalFor({}, [])).toBe(anonymous);
  const optional = [ruleOf('auth.token', { optional: true }), ruleOf('query.x', { with: 'ocms' })];
  expect(await principalFor({ 'query.x': 'o' }, optional)).toBe(anonymous);
});

describe('RFC 6750 2.1: the Authorization header', () => {
  const rules = [ruleOf('header.authorization')];

  test.each(['Bearer o', 'bearer o', 'BEARER o', 'Bearer   o'])('"%s" holds the token', async (header) => {
    expect((await principalFor({ 'header.authorization': header }, rules)).credentials).toEqual([ocms]);
  });

  test.each(['o', 'Bearer', 'Bearer ', 'Bearero', 'Bearer o o', 'Bearer o ', ' Bearer o', 'Basic o', 'Bearer\to'])(
    '"%s" does not',
    async (header) => {
      const { verifier, verdict } = attempt({ 'header.authorization': header }, rules);
      expect(refusalReason(await verdict)).toEqual({
        code: 'token_malformed',
        reason: 'the Authorization header is not "Bearer TOKEN"',
      });
      expect(verifier.calls).toEqual([]);
    },
  );

  test('none is a missing token', async () => {
    expect(await denialFor({}, rules)).toEqual({
      code: 'token_missing',
      reason: 'there is no token at header.authorization',
    });
  });
});

describe('permissions from elsewhere', () => {
  test('are united with those of the token, each once, for their own kind of token only', async () => {
    const first = fakePermissions('ocms', ['b', 'a']);
    const second = fakePermissions('ocms', ['c', 'b']);
    const forUsers = fakePermissions('iam', ['all']);
    const { verdict } = attempt({ 'auth.token': 'o', 'query.userToken': 'i' }, hiiretail, [first, second, forUsers]);
    const { principal } = allowedValue(await verdict);
    expect(principal.credentials).toEqual([
      { ...ocms, permissions: ['a', 'b', 'c'] },
      { ...iam, permissions: ['all'] },
    ]);
    expect(first.questions).toEqual([{ variables: ocms.variables, tokens: new Map([['ocms', 'o']]), expiresAt: 2000 }]);
    expect(forUsers.questions).toEqual([
      { variables: iam.variables, tokens: new Map([['iam', 'i']]), expiresAt: 1000 },
    ]);
  });

  test('are not asked for a kind of token that is not there', async () => {
    const forUsers = fakePermissions('iam', ['all']);
    expect((await principalFor({ 'auth.token': 'o' }, hiiretail, [forUsers])).credentials).toEqual([ocms]);
    expect(forUsers.questions).toEqual([]);
  });

  test('do not count, and are not asked for, of a token that only says who somebody is', async () => {
    const forUsers = fakePermissions('iam', 'away');
    const known = { ...iam, roles: ['r'], permissions: ['p'] };
    const { signal } = new AbortController();
    const given = { 'auth.token': 'o', 'query.userToken': 'i' };
    const principalOf = async (identityOnly: boolean, source: PermissionSource) => {
      const rules = [ruleOf('auth.token'), ruleOf('query.userToken', { identityOnly })];
      const verifier = fakeVerifier({ o: ocms, i: known });
      const dependencies = { rules, verifier, permissionSources: [source] };
      return allowedValue(await authenticate(presentedOf(given), dependencies, signal)).principal;
    };
    expect((await principalOf(true, forUsers)).credentials).toEqual([ocms, { ...known, roles: [], permissions: [] }]);
    expect(forUsers.questions).toEqual([]);
    const answering = fakePermissions('iam', ['q']);
    expect((await principalOf(false, answering)).credentials).toEqual([ocms, { ...known, permissions: ['p', 'q'] }]);
  });

  test('that cannot be had leave no telling', async () => {
    await expect(attempt({ 'auth.token': 'o' }, hiiretail, [fakePermissions('ocms', 'away')]).verdict).rejects.toThrow(
      'does not answer',
    );
  });
});

test('keys that cannot be had leave no telling', async () => {
  const verifier = fakeVerifier(tokens);
  verifier.away = true;
  const dependencies = { rules: hiiretail, verifier, permissionSources: [] };
  const { signal } = new AbortController();
  await expect(authenticate(presentedOf({ 'auth.token': 'o' }), dependencies, signal)).rejects.toMatchObject({
    code: 'test_away',
    disposition: 'retry',
  });
});

describe('of several places', () => {
  const rules = [ruleOf(['header.authorization', 'query.access_token'])];

  test.each([
    [{ 'header.authorization': 'Bearer o' }, ocms],
    [{ 'query.access_token': 'o' }, ocms],
    [{ 'header.authorization': 'bearer o', 'query.access_token': 'i' }, ocms],
    [{ 'header.authorization': 'Basic eDp5', 'query.access_token': 'i' }, iam],
    [{ 'header.authorization': '', 'query.access_token': 'i' }, iam],
  ])('%j: the first with a token counts', async (given, credential) => {
    expect((await principalFor(given, rules)).credentials).toEqual([credential]);
  });

  test.each([
    [{}, 'token_missing', 'there is no token at header.authorization or query.access_token'],
    [{ 'header.authorization': 'Basic eDp5' }, 'token_malformed', 'the Authorization header is not "Bearer TOKEN"'],
    [
      { 'header.authorization': ['Bearer o', 'Bearer i'], 'query.access_token': 'o' },
      'token_malformed',
      'header.authorization was given more than once',
    ],
    [{ 'header.authorization': 'Bearer expired', 'query.access_token': 'o' }, 'token_expired', expect.any(String)],
  ])('%j is refused', async (given, code, reason) => {
    expect(await denialFor(given, rules)).toEqual({ code, reason });
  });
});

import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DenialCode } from '../../../src/domain/denial.ts';
import {
  base64url,
  iamClaims,
  iamKey,
  nowSeconds,
  ocmsClaims,
  ocmsIssuer,
  ocmsKey,
  open,
  otherKey,
  outcome,
  secret,
  verifierOf,
} from './identity-fixture.ts';

describe('refuses', () => {
  test.each<[string, Record<string, unknown>, DenialCode]>([
    ['expired', { exp: nowSeconds - 3600 }, 'token_expired'],
    ['without an end', { exp: undefined }, 'token_claims_invalid'],
    ['with an end that is text', { exp: '2030' }, 'token_claims_invalid'],
    ['not valid yet', { nbf: nowSeconds + 3600 }, 'token_not_yet_valid'],
    ['with a beginning that is text', { nbf: 'now' }, 'token_claims_invalid'],
    ['of another audience', { aud: 'https://example.com' }, 'token_audience_wrong'],
    ['of other audiences', { aud: ['https://example.com', 'b'] }, 'token_audience_wrong'],
    ['without an audience', { aud: undefined }, 'token_audience_wrong'],
    ['with an audience that is an object', { aud: { a: 1 } }, 'token_audience_wrong'],
    ['of another issuer', { iss: 'https://evil.example.com/' }, 'token_issuer_unknown'],
    ['whose issuer lacks its slash', { iss: 'https://auth.retailsvc.com' }, 'token_issuer_unknown'],
    ['without an issuer', { iss: undefined }, 'token_issuer_unknown'],
    ['of a list of issuers', { iss: [ocmsIssuer] }, 'token_issuer_unknown'],
    ['without a tenant', { tid: undefined }, 'token_claims_invalid'],
    ['with an empty tenant', { tid: '' }, 'token_claims_invalid'],
    ['with a tenant that is an object', { tid: {} }, 'token_claims_invalid'],
  ])('hiiretail 8.5: an OCMS token %s', async (_, claims, code) => {
    expect(await outcome(await ocmsKey.sign(ocmsClaims(claims)), ['ocms', 'iam'])).toBe(code);
  });

  test.each<[string, Record<string, unknown>, DenialCode]>([
    ['with the other issuer’s audience', { aud: 'hiidentity-shoppers' }, 'token_audience_wrong'],
    ['of another issuer', { iss: 'https://securetoken.google.com/other' }, 'token_issuer_unknown'],
    ['that has expired', { exp: nowSeconds - 60 }, 'token_expired'],
    ['without a tenant', { 'https://extendaretail.com/tenant': undefined }, 'token_claims_invalid'],
    ['with an empty tenant', { 'https://extendaretail.com/tenant': '' }, 'token_claims_invalid'],
  ])('hiiretail 8.4: an IAM token %s', async (_, claims, code) => {
    expect(await outcome(await iamKey.sign(iamClaims(claims)), ['ocms', 'iam'])).toBe(code);
  });

  test('a token that is signed by the key of another kind', async () => {
    expect(await outcome(await iamKey.sign(ocmsClaims()), ['ocms', 'iam'])).toBe('token_signature_invalid');
  });

  test('a kind of token that is not accepted there, or that there is not', async () => {
    const token = await ocmsKey.sign(ocmsClaims());
    expect(await outcome(token, ['iam'])).toBe('token_issuer_unknown');
    expect(await outcome(token, [])).toBe('token_issuer_unknown');
    expect(await outcome(token, ['unheard-of'])).toBe('token_issuer_unknown');
  });

  test('the public key as an HS256 secret', async () => {
    for (const kind of ['ocms', 'brainlife']) {
      const key = kind === 'ocms' ? ocmsKey : otherKey;
      const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(ocmsClaims())}`;
      for (const pem of [key.publicPem, key.publicPem.trim()]) {
        const signature = createHmac('sha256', pem).update(signed).digest('base64url');
        expect(await outcome(`${signed}.${signature}`, [kind])).toBe('token_algorithm_refused');
      }
    }
  });

  test.each(['none', 'None', 'nOnE', 'HS256', 'RS512', 'ES256', 'unheard-of'])(
    'the algorithm %s where RS256 is accepted',
    async (alg) => {
      const signed = `${base64url({ alg })}.${base64url(ocmsClaims())}`;
      expect(await outcome(`${signed}.`, ['ocms'])).toBe('token_algorithm_refused');
      expect(await outcome(`${signed}.${'A'.repeat(342)}`, ['ocms'])).toBe('token_algorithm_refused');
    },
  );

  test('RS256 where a shared secret is accepted', async () => {
    const token = await ocmsKey.sign({ iss: 'shared', exp: nowSeconds + 60 });
    expect(await outcome(token, ['shared'])).toBe('token_algorithm_refused');
  });

  test('a token without its signature, with a cut or a changed one', async () => {
    const [header = '', payload = '', signature = ''] = (await ocmsKey.sign(ocmsClaims())).split('.');
    expect(await outcome(`${header}.${payload}.`, ['ocms'])).toBe('token_signature_invalid');
    expect(await outcome(`${header}.${payload}.${signature.slice(4)}`, ['ocms'])).toBe('token_signature_invalid');
    const changed = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect(await outcome(`${header}.${payload}.${changed}`, ['ocms'])).toBe('token_signature_invalid');
    const claims = base64url(ocmsClaims({ tid: 't2' }));
    expect(await outcome(`${header}.${claims}.${signature}`, ['ocms'])).toBe('token_signature_invalid');
  });

  test.each<[string, Record<string, unknown>]>([
    ['an unknown critical extension', { crit: ['exp'], exp: 1 }],
    ['an unencoded payload', { b64: false, crit: ['b64'] }],
    ['critical names that are no list', { crit: 'b64' }],
    ['an empty list of critical names', { crit: [] }],
  ])('a header with %s', async (_, header) => {
    const token = `${base64url({ alg: 'RS256', ...header })}.${base64url(ocmsClaims())}.${'A'.repeat(342)}`;
    expect(await outcome(token, ['ocms'])).toMatch(/^token_(malformed|signature_invalid)$/);
  });

  test('an algorithm that is no text, and a header that is none', async () => {
    for (const header of [{ alg: 5 }, {}, [], 'RS256', null]) {
      const token = `${base64url(header)}.${base64url(ocmsClaims())}.${'A'.repeat(342)}`;
      expect(await outcome(token, ['ocms'])).toBe('token_malformed');
    }
  });

  test.each([
    ['no UTF-8', Buffer.from('{"iss":"other","a":"\xff"}', 'latin1').toString('base64url')],
    ['a character too many', `${base64url({ iss: 'other' })}A`],
  ])('claims that are %s, whatever else is wrong', async (_, claims) => {
    expect(await outcome(`${base64url({ alg: 'none' })}.${claims}.AAAA`, ['ocms'])).toBe('token_malformed');
  });

  test('a token with an end that never comes', async () => {
    const verifier = verifierOf({ kind: { secret, algorithms: ['HS256'], issuers: ['k'] } });
    const signed = `${base64url({ alg: 'HS256' })}.${Buffer.from('{"iss":"k","exp":1e400}').toString('base64url')}`;
    const signature = createHmac('sha256', secret).update(signed).digest('base64url');
    expect(await verifier.verify(`${signed}.${signature}`, ['kind'], open)).toMatchObject({
      reason: { code: 'token_claims_invalid', reason: 'the claim "exp" is no point in time' },
    });
  });

  test('a token with a million claims unread', async () => {
    const claims = Buffer.from(`{${Array.from({ length: 1_000_000 }, (_, index) => `"c${index}":0`).join()}}`);
    const token = `${base64url({ alg: 'RS256' })}.${claims.toString('base64url')}.AAAA`;
    const before = process.cpuUsage();
    const verdict = await verifierOf().verify(token, ['ocms'], open);
    expect(verdict).toEqual({
      ok: false,
      reason: { code: 'token_malformed', reason: 'the token has more than 16384 bytes' },
    });
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });

  test.each([
    ['empty', ''],
    ['a word', 'undefined'],
    ['dots', '..'],
    ['two parts', 'a.b'],
    ['four parts', 'a.b.c.d'],
    ['five parts, an encrypted one', 'a.b.c.d.e'],
    ['an opaque one', 'ya29.a0AfH6SMC'],
    ['not ASCII', 'é.ü.ñ'],
    ['a null byte', 'a.b.c\0'],
    ['a line break', 'e30.e30.e30\n'],
    ['JSON', '{"token":"a"}'],
    ['padding', 'e30=.e30=.e30='],
    ['claims that are a list', `e30.${base64url([])}.AAAA`],
    ['claims that are not JSON', `e30.${Buffer.from('{').toString('base64url')}.AAAA`],
    ['claims in invalid UTF-8', `e30.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AAAA`],
  ])('garbage: %s', async (_, token) => {
    expect(await outcome(token, ['ocms', 'brainlife'])).toBe('token_malformed');
  });

  test('hiiretail 8.3: a token with its scheme before it', async () => {
    expect(await outcome(`Bearer ${await ocmsKey.sign(ocmsClaims())}`, ['ocms'])).toBe('token_malformed');
  });

  test('anything at all without throwing', { timeout: 30_000 }, async () => {
    const verifier = verifierOf();
    const part = fc.oneof(
      fc.jsonValue().map(base64url),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.base64String(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const verdict = await verifier.verify(parts.join('.'), ['ocms', 'iam', 'brainlife'], open);
        expect(verdict.ok).toBe(false);
      }),
    );
  });
});

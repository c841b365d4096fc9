import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDevelopmentIssuer } from '../../../src/adapters/identity/development-issuer.ts';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier } from '../../../src/adapters/identity/identity-verifier.ts';
import { testKey } from '../../support/key-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';
import {
  base64url,
  iamClaims,
  iamKey,
  now,
  nowSeconds,
  ocmsClaims,
  ocmsKey,
  open,
  otherKey,
  outcome,
  secret,
  shoppers,
  verifierOf,
} from './identity-fixture.ts';

describe('accepts', () => {
  test('hiiretail 8.5: an OCMS token with its audience in a list or as text', async () => {
    expect(await outcome(await ocmsKey.sign(ocmsClaims()), ['ocms', 'iam'])).toBe('ocms');
    expect(await outcome(await ocmsKey.sign(ocmsClaims({ aud: 'https://hiiretail.com' })), ['ocms'])).toBe('ocms');
    expect(await outcome(await ocmsKey.sign(ocmsClaims({ aud: ['a', 'https://hiiretail.com'] })), ['ocms'])).toBe(
      'ocms',
    );
  });

  test('claims that begin with a byte order mark', async () => {
    const claims = Buffer.from(`\u{feff}{"iss":"shared","exp":${nowSeconds + 60}}`).toString('base64url');
    const signed = `${base64url({ alg: 'HS256' })}.${claims}`;
    const signature = createHmac('sha256', secret).update(signed).digest('base64url');
    expect(await outcome(`${signed}.${signature}`, ['shared'])).toBe('shared');
  });

  test('hiiretail 8.4: IAM tokens of both issuers, each with its own audience', async () => {
    expect(await outcome(await iamKey.sign(iamClaims()), ['ocms', 'iam'])).toBe('iam');
    const shopper = iamClaims({ iss: shoppers, aud: 'hiidentity-shoppers' });
    expect(await outcome(await iamKey.sign(shopper), ['iam', 'ocms'])).toBe('iam');
  });

  test('brainlife: RS256 and RS512 without any claim, or with an issuer that nobody names', async () => {
    expect(await outcome(await otherKey.sign({}), ['brainlife'])).toBe('brainlife');
    expect(await outcome(await otherKey.sign({ iss: 'brainlife', exp: nowSeconds + 0.5 }), ['brainlife'])).toBe(
      'brainlife',
    );
  });

  test('avaya-spaces: an issuer that is a list is nobody’s, so the kind without issuers takes it', async () => {
    const token = await otherKey.sign({ iss: ['a', 'b'] } as never);
    expect(await outcome(token, ['ocms', 'brainlife'])).toBe('brainlife');
    expect(await outcome(token, ['ocms'])).toBe('token_issuer_unknown');
  });

  test('a shared secret where the config names HS256', async () => {
    const token = await new SignJWT({ iss: 'shared', exp: nowSeconds + 60 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    expect(await outcome(token, ['shared'])).toBe('shared');
  });

  test.each(['RS384', 'PS256', 'ES256', 'ES384', 'EdDSA'])('%s where the config names it', async (algorithm) => {
    const key = await testKey('k', algorithm);
    const verifier = verifierOf({ kind: { pem: key.publicPem, algorithms: [algorithm], issuers: ['k'] } });
    const token = await key.sign({ iss: 'k', exp: nowSeconds + 60 });
    expect(await verifier.verify(token, ['kind'], open)).toMatchObject({ ok: true });
  });

  test('any of several keys in one PEM, whatever key id the token names', async () => {
    const pem = `${otherKey.publicPem}\n${ocmsKey.publicPem}`;
    const verifier = verifierOf({ kind: { pem, issuers: ['k'] } });
    for (const key of [ocmsKey, otherKey]) {
      const token = await key.sign({ iss: 'k', exp: nowSeconds + 60 }, { kid: 'unheard-of' });
      expect(await verifier.verify(token, ['kind'], open)).toMatchObject({ ok: true });
    }
    const foreign = await iamKey.sign({ iss: 'k', exp: nowSeconds + 60 });
    expect(await verifier.verify(foreign, ['kind'], open)).toMatchObject({
      reason: { code: 'token_signature_invalid' },
    });
  });

  test('a PEM file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgeward-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const pemFile = join(folder, 'key.pem');
    writeFileSync(pemFile, ocmsKey.publicPem);
    const token = await ocmsKey.sign({ iss: 'k', exp: nowSeconds + 60 });
    expect(await verifierOf({ kind: { pemFile, issuers: ['k'] } }).verify(token, ['kind'], open)).toMatchObject({
      ok: true,
    });
    const missing = join(folder, 'none.pem');
    expect(() => verifierOf({ kind: { pemFile: missing } })).toThrow(
      `identity.tokens.kind: the file ${missing} cannot be read (ENOENT); correct \`pemFile\`, or who may read it`,
    );
    writeFileSync(pemFile, 'nonsense');
    expect(() => verifierOf({ kind: { pemFile } })).toThrow('identity.tokens.kind: it must be a public key');
  });
});

describe('a credential', () => {
  test('says what the token says', async () => {
    const claims = ocmsClaims({ business_unit_id: 12345, 'https://a/b': { c: [1] } });
    const verdict = await verifierOf().verify(await ocmsKey.sign(claims), ['ocms'], open);
    expect(verdict).toEqual({
      ok: true,
      value: {
        name: 'ocms',
        claims,
        roles: [],
        permissions: ['sio.websocket.connect'],
        variables: new Map([
          ['tenant', 't1'],
          ['businessUnit', '12345'],
        ]),
        // Until when it is taken, the clock tolerance of 5 s included.
        expiresAt: now + 3_605_000,
      },
    });
  });

  test('has no end when the token has none', async () => {
    const verdict = await verifierOf().verify(await otherKey.sign({}), ['brainlife'], open);
    expect(verdict.ok && verdict.value.expiresAt).toBe(undefined);
  });
});

describe('clock tolerance', () => {
  const tolerant = { tolerant: { secret, algorithms: ['HS256'], issuers: ['k'], clockToleranceMs: 5000 } };
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ iss: 'k', exp: nowSeconds + 60, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));

  test.each<[Record<string, unknown>, string]>([
    [{ exp: nowSeconds - 4 }, 'ok'],
    [{ exp: nowSeconds - 5 }, 'token_expired'],
    [{ exp: nowSeconds - 4.5 }, 'ok'],
    [{ nbf: nowSeconds + 5 }, 'ok'],
    [{ nbf: nowSeconds + 6 }, 'token_not_yet_valid'],
    [{ iat: nowSeconds + 3600 }, 'ok'],
  ])('of five seconds with %j: %s', async (claims, expected) => {
    const verdict = await verifierOf(tolerant).verify(await sign(claims), ['tolerant'], open);
    expect(verdict.ok ? 'ok' : verdict.reason.code).toBe(expected);
  });
});

describe('the development issuer', () => {
  test('its tokens are verified by the kind `development`, and by no other run of it', async () => {
    const clock = new ManualClock(now);
    const [issuer, other] = await Promise.all([createDevelopmentIssuer(clock), createDevelopmentIssuer(clock)]);
    const settings = identitySettings.parse({
      tokens: {
        development: {
          development: true,
          variables: { tenant: ['tenant'], user: ['sub'] },
          permissions: [{ rolesClaim: 'roles' }],
        },
      },
      roles: { client: ['connect'] },
    });
    const deps = { clock, observer: recordingObserver() };
    const verifier = createIdentityVerifier(settings, { ...deps, developmentKeys: issuer.publicKeys });
    const request = { tenant: 't1', businessUnit: 'b', workstation: '001', user: 'u', roles: ['client'] };
    const { token, expiresAt } = await issuer.issue({ ...request, claims: { level: 3 } });
    expect(expiresAt).toBe(now + 3_600_000);
    expect(await verifier.verify(token, ['development'], open)).toMatchObject({
      ok: true,
      value: {
        claims: { business_unit: 'b', workstation: '001', level: 3 },
        permissions: ['connect'],
        variables: new Map([
          ['tenant', 't1'],
          ['user', 'u'],
        ]),
        expiresAt: expiresAt + 5000,
      },
    });
    const foreign = await other.issue(request);
    expect(await verifier.verify(foreign.token, ['development'], open)).toMatchObject({
      reason: { code: 'token_signature_invalid' },
    });
    clock.advance(3_600_000 + 5000);
    expect(await verifier.verify(token, ['development'], open)).toMatchObject({ reason: { code: 'token_expired' } });
  });

  test('a config that wants its keys where there is none is stopped', () => {
    expect(() => verifierOf({ development: { development: true } })).toThrow(
      'identity.tokens.development: `development: true` needs `development` at the top of the config',
    );
  });
});

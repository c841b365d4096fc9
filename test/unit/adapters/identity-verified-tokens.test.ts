import { SignJWT } from 'jose';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDevelopmentIssuer } from '../../../src/adapters/identity/development-issuer.ts';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier } from '../../../src/adapters/identity/identity-verifier.ts';
import { tokenLengthMean } from '../../../src/adapters/identity/verified-tokens.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';
import { iamKey, now, nowSeconds, ocmsClaims, ocmsKey, open, otherKey, settingsOf } from './identity-fixture.ts';

const second = 1000;

/** A verifier of its own, and how many signatures have been looked at. */
function bench(more: { readonly verifiedTokensMax?: number; readonly tokens?: Record<string, unknown> } = {}) {
  const { verifiedTokensMax = 100, tokens = {} } = more;
  const clock = new ManualClock(now);
  const observer = recordingObserver();
  const verifier = createIdentityVerifier({ ...settingsOf(tokens), verifiedTokensMax }, { clock, observer });
  const signatures = vi.spyOn(crypto.subtle, 'verify');
  onTestFinished(() => signatures.mockRestore());
  const verdict = (token: string, kinds = ['ocms']) => verifier.verify(token, kinds, open);
  const outcome = async (token: string, kinds?: string[]) => {
    const { ok, ...told } = await verdict(token, kinds);
    return 'value' in told ? told.value.name : 'reason' in told ? told.reason.code : ok;
  };
  return {
    clock,
    verifier,
    verdict,
    outcome,
    observer,
    get checked() {
      return signatures.mock.calls.length;
    },
  };
}

describe('a token that comes again', () => {
  test('is not verified again, and says what it said', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims({ business_unit_id: 17 }));
    const first = await it.verdict(token);
    expect(await it.verdict(token)).toEqual(first);
    expect(first).toMatchObject({ ok: true, value: { name: 'ocms', permissions: ['sio.websocket.connect'] } });
    expect(it.checked).toBe(1);
    expect(it.observer.of('token-verified').map(({ issuer, outcome }) => [issuer, outcome])).toEqual([
      ['ocms', 'checked'],
      ['ocms', 'remembered'],
    ]);
  });

  test('is verified each time where none is to be remembered', async () => {
    const it = bench({ verifiedTokensMax: 0 });
    const token = await ocmsKey.sign(ocmsClaims());
    for (let round = 0; round < 3; round += 1) expect(await it.outcome(token)).toBe('ocms');
    expect(it.checked).toBe(3);
  });

  test('is another one when a single character of it is', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims());
    expect(await it.outcome(token)).toBe('ocms');
    const [header, , signature] = token.split('.');
    const [, other] = (await otherKey.sign(ocmsClaims({ tid: 't2' }))).split('.');
    expect(await it.outcome(`${header}.${other}.${signature}`)).toBe('token_signature_invalid');
    expect(await it.outcome(`${token}x`)).toBe('token_signature_invalid');
    expect(await it.outcome(` ${token}`)).toBe('token_malformed');
  });

  test('of the development issuer, too', async () => {
    const clock = new ManualClock(now);
    const issuer = await createDevelopmentIssuer(clock);
    const settings = identitySettings.parse({ tokens: { dev: { development: true } } });
    const observer = recordingObserver();
    const verifier = createIdentityVerifier(settings, { clock, observer, developmentKeys: issuer.publicKeys });
    const { token } = await issuer.issue({ expiresInMs: 60_000 });
    for (let round = 0; round < 2; round += 1) expect((await verifier.verify(token, ['dev'], open)).ok).toBe(true);
    expect(observer.of('token-verified').map(({ outcome }) => outcome)).toEqual(['checked', 'remembered']);
    clock.advance(65_000);
    expect(await verifier.verify(token, ['dev'], open)).toMatchObject({ reason: { code: 'token_expired' } });
  });
});

describe('our clock is asked each time', () => {
  test('whether it has expired, to the second, with the tolerance', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims({ exp: nowSeconds + 10 }));
    expect(await it.outcome(token)).toBe('ocms');
    it.clock.advance(15 * second - 1);
    expect(await it.outcome(token)).toBe('ocms');
    expect(it.checked).toBe(1);
    it.clock.advance(1);
    expect(await it.outcome(token)).toBe('token_expired');
    expect(await it.outcome(token)).toBe('token_expired');
  });

  test('by the tolerance of its kind', async () => {
    const strict = { pem: iamKey.publicPem, issuers: ['s'], clockToleranceMs: 0 };
    const it = bench({ tokens: { strict } });
    const token = await iamKey.sign({ iss: 's', exp: nowSeconds + 10 });
    expect(await it.outcome(token, ['strict'])).toBe('strict');
    it.clock.advance(10 * second - 1);
    expect(await it.outcome(token, ['strict'])).toBe('strict');
    it.clock.advance(1);
    expect(await it.outcome(token, ['strict'])).toBe('token_expired');
  });

  test('whether it is valid yet: the clock may have been set back', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims({ nbf: nowSeconds + 5 }));
    expect(await it.outcome(token)).toBe('ocms');
    it.clock.advance(-1);
    expect(await it.outcome(token)).toBe('token_not_yet_valid');
    it.clock.advance(1);
    expect(await it.outcome(token)).toBe('ocms');
    expect(it.observer.of('token-verified').map(({ outcome }) => outcome)).toEqual([
      'checked',
      'checked',
      'remembered',
    ]);
  });

  test('one without an end is remembered without an end', async () => {
    const it = bench();
    const token = await otherKey.sign({});
    expect(await it.outcome(token, ['brainlife'])).toBe('brainlife');
    it.clock.advance(1000 * 86_400 * second);
    expect(await it.outcome(token, ['brainlife'])).toBe('brainlife');
    expect(it.checked).toBe(1);
  });
});

describe('what is known of a token in one place', () => {
  test('lets it in nowhere else', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims());
    expect(await it.outcome(token, ['ocms', 'iam'])).toBe('ocms');
    expect(await it.outcome(token, ['iam'])).toBe('token_issuer_unknown');
    expect(await it.outcome(token, [])).toBe('token_issuer_unknown');
    expect(await it.outcome(token, ['iam', 'ocms'])).toBe('ocms');
  });

  test('makes it of no other kind, where its kind depends on what is accepted', async () => {
    const lax = { pem: ocmsKey.publicPem, permissions: [{ static: ['everything'] }] };
    const it = bench({ tokens: { lax } });
    const token = await ocmsKey.sign(ocmsClaims());
    for (let round = 0; round < 2; round += 1) {
      expect(await it.outcome(token, ['lax'])).toBe('lax');
      expect(await it.outcome(token, ['ocms'])).toBe('ocms');
      expect(await it.outcome(token, ['lax', 'ocms'])).toBe('ocms');
    }
    expect(it.checked).toBe(3);
  });

  test('gives it no audience or algorithm of another kind', async () => {
    const same = { pem: ocmsKey.publicPem, issuers: ['both'] };
    const tokens = { first: same, other: { ...same, audiences: ['a'] }, strong: { ...same, algorithms: ['RS512'] } };
    const it = bench({ tokens });
    const token = await ocmsKey.sign({ iss: 'both', exp: nowSeconds + 60 });
    expect(await it.outcome(token, ['first'])).toBe('first');
    expect(await it.outcome(token, ['other'])).toBe('token_audience_wrong');
    expect(await it.outcome(token, ['strong'])).toBe('token_algorithm_refused');
  });
});

describe('what is not remembered', () => {
  test('refused tokens, which push nobody out', async () => {
    const it = bench({ verifiedTokensMax: 1 });
    const good = await ocmsKey.sign(ocmsClaims());
    const refused = {
      token_signature_invalid: await iamKey.sign(ocmsClaims()),
      token_expired: await ocmsKey.sign(ocmsClaims({ exp: nowSeconds - 60 })),
      token_not_yet_valid: await ocmsKey.sign(ocmsClaims({ nbf: nowSeconds + 60 })),
      token_audience_wrong: await ocmsKey.sign(ocmsClaims({ aud: 'x' })),
      token_claims_invalid: await ocmsKey.sign(ocmsClaims({ tid: undefined })),
      token_issuer_unknown: await ocmsKey.sign(ocmsClaims({ iss: 'x' })),
      token_malformed: 'garbage',
    };
    expect(await it.outcome(good)).toBe('ocms');
    for (const [code, token] of Object.entries(refused)) {
      expect(await it.outcome(token)).toBe(code);
      expect(await it.outcome(token)).toBe(code);
    }
    const { checked } = it;
    expect(await it.outcome(good)).toBe('ocms');
    expect(it.checked).toBe(checked);
  });

  test('a token that was too early is taken once its time has come', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims({ nbf: nowSeconds + 60 }));
    expect(await it.outcome(token)).toBe('token_not_yet_valid');
    it.clock.advance(55 * second);
    expect(await it.outcome(token)).toBe('ocms');
  });

  test('more tokens than may be: the one that was longest not used goes', async () => {
    const it = bench({ verifiedTokensMax: 2 });
    const [a = '', b = '', c = ''] = await Promise.all(['a', 'b', 'c'].map((sub) => ocmsKey.sign(ocmsClaims({ sub }))));
    for (const token of [a, b, a, c]) await it.outcome(token);
    expect(it.checked).toBe(3);
    for (const token of [a, c]) await it.outcome(token);
    expect(it.checked).toBe(3);
    await it.outcome(b);
    expect(it.checked).toBe(4);
  });

  test('more text than so many tokens have on average', async () => {
    const it = bench({ verifiedTokensMax: 3 });
    const long = (sub: string) => ocmsKey.sign(ocmsClaims({ sub, more: 'x'.repeat(tokenLengthMean * 1.5) }));
    const [a, b] = [await long('a'), await long('b')];
    expect(a.length * 2).toBeGreaterThan(tokenLengthMean * 3);
    for (const token of [a, b, b, a]) expect(await it.outcome(token)).toBe('ocms');
    expect(it.checked).toBe(3);
  });
});

describe('a token that many present at once', () => {
  test('is verified once', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims());
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => it.outcome(token))))).toEqual(new Set(['ocms']));
    expect(it.checked).toBe(1);
    expect(it.observer.of('token-verified')).toHaveLength(1);
  });

  test('is refused once, and verified anew by those who come later', async () => {
    const it = bench();
    const token = await iamKey.sign(ocmsClaims());
    await Promise.all(Array.from({ length: 20 }, () => it.outcome(token)));
    expect(it.checked).toBe(1);
    await it.outcome(token);
    expect(it.checked).toBe(2);
  });

  test('is told each by the clock: the one who comes when it has expired is refused', async () => {
    const it = bench();
    const token = await ocmsKey.sign(ocmsClaims({ exp: nowSeconds + 1 }));
    const before = it.outcome(token);
    it.clock.advance(6 * second);
    const after = it.outcome(token);
    expect([await before, await after]).toEqual(['ocms', 'token_expired']);
  });

  test('is of each kind that it is presented as', async () => {
    const it = bench({ tokens: { lax: { pem: ocmsKey.publicPem } } });
    const token = await ocmsKey.sign(ocmsClaims());
    expect(await Promise.all([it.outcome(token, ['ocms']), it.outcome(token, ['lax'])])).toEqual(['ocms', 'lax']);
  });
});

test('a token of a shared secret is remembered, and refused where it is signed with another', async () => {
  const it = bench();
  const sign = (key: Uint8Array) =>
    new SignJWT({ iss: 'shared', exp: nowSeconds + 60 }).setProtectedHeader({ alg: 'HS256' }).sign(key);
  const good = await sign(new TextEncoder().encode('0123456789abcdef0123456789abcdef'));
  const bad = await sign(new TextEncoder().encode('fedcba9876543210fedcba9876543210'));
  expect(await it.outcome(good, ['shared'])).toBe('shared');
  expect(await it.outcome(bad, ['shared'])).toBe('token_signature_invalid');
  expect(await it.outcome(good, ['shared'])).toBe('shared');
});

import { describe, expect, test } from 'vitest';
import { identitySettings } from '../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier } from '../../src/adapters/identity/identity-verifier.ts';
import { Fault } from '../../src/application/fault.ts';
import { testKey } from '../support/key-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { type Answer, startBackend, status } from './access-fixture.ts';

const open = new AbortController().signal;
const key = await testKey('k');

async function bench(answer: Answer, more: Record<string, unknown> = {}, kind: Record<string, unknown> = {}) {
  const backend = await startBackend(answer);
  const clock = new ManualClock();
  const introspection = { url: `${backend.origin}/introspect`, clientId: 'ü:d', clientSecret: 's c', ...more };
  const settings = identitySettings.parse({
    tokens: {
      opaque: { introspection, variables: { user: ['sub'], number: ['n'] }, requiredVariables: ['user'], ...kind },
      jwt: { pem: key.publicPem, issuers: ['known'], variables: { user: ['sub'] } },
    },
  });
  const verifier = createIdentityVerifier(settings, { clock, observer: recordingObserver() });
  const outcome = async (token: string, kinds = ['opaque']): Promise<unknown> => {
    try {
      const verdict = await verifier.verify(token, kinds, open);
      return verdict.ok ? Object.fromEntries(verdict.value.variables) : verdict.reason.code;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      expect(error.message).not.toContain(token);
      return `${error.code}, ${error.disposition}`;
    }
  };
  return { backend, clock, outcome, verifier, nowS: clock.now() / 1000 };
}

const active = (claims: Record<string, unknown> = {}): Answer =>
  status(200, JSON.stringify({ active: true, sub: 'u', ...claims }));

describe('an opaque token (RFC 7662)', () => {
  test('is posted as a form, by a client with HTTP Basic; the answer is its claims', async () => {
    let body = '';
    const { backend, outcome } = await bench((response, request) => {
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => active({ n: 1 })(response, request));
    });
    expect(await outcome('opaque~token+/=')).toEqual({ user: 'u', number: '1' });
    expect(body).toBe('token=opaque%7Etoken%2B%2F%3D&token_type_hint=access_token');
    const { authorization = '', ...headers } = backend.asked[0]?.headers ?? {};
    expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()).toBe('%C3%BC%3Ad:s+c');
    expect(headers).toMatchObject({
      accept: 'application/json',
      'content-type': expect.stringMatching(/form-urlencoded/),
    });
  });

  test.each<[string, Answer, unknown]>([
    ['one that is not active', status(200, '{"active":false,"sub":"u"}'), 'token_inactive'],
    ['an answer without `active`', status(200, '{"sub":"u"}'), 'introspection_unavailable, retry'],
    ['`active` that is a text', status(200, '{"active":"true","sub":"u"}'), 'introspection_unavailable, retry'],
    ['no JSON', status(200, '<html>'), 'introspection_unavailable, retry'],
    ['credentials that are refused', status(401, '{}'), 'introspection_unavailable, retry'],
    ['a redirect', status(302), 'introspection_unavailable, retry'],
    ['a cut', (response) => response.destroy(), 'introspection_unavailable, retry'],
    ['a long answer', status(200, `{"active":true,"x":"${'x'.repeat(70_000)}"}`), 'introspection_unavailable, retry'],
    ['no user', status(200, '{"active":true}'), 'token_claims_invalid'],
  ])('%s', async (_, answer, expected) => {
    expect(await (await bench(answer)).outcome('T0ken')).toBe(expected);
  });

  test.each([
    [{ exp: -10 }, 'token_expired'],
    [{ exp: 10 }, 'ok'],
    [{ nbf: 10 }, 'token_not_yet_valid'],
    [{ iss: 'other', aud: 'a' }, 'token_issuer_unknown'],
    [{ iss: 'i', aud: ['b', 'a'] }, 'ok'],
    [{ aud: 'a' }, 'ok'],
    [{ iss: 'i', aud: 'c' }, 'token_audience_wrong'],
    [{ iss: 'i' }, 'token_audience_wrong'],
  ])('with %j is %s', async (claims: Record<string, unknown>, expected) => {
    const now = new ManualClock().now() / 1000;
    const times = Object.entries(claims).map(([name, value]) => [
      name,
      typeof value === 'number' ? now + value : value,
    ]);
    const { outcome } = await bench(
      active({
        aud: 'a',
        ...Object.fromEntries(times),
        ...('aud' in claims || !('iss' in claims) ? {} : { aud: undefined }),
      }),
      {},
      {
        issuers: ['i'],
        audiences: ['a'],
      },
    );
    const got = await outcome('T0ken');
    expect(typeof got === 'object' ? 'ok' : got).toBe(expected);
  });

  test('is asked about once for all who ask at the same time, and for as long as the answer is remembered', async () => {
    const { backend, outcome, clock, nowS } = await bench(active({ exp: new ManualClock().now() / 1000 + 60 }), {
      cacheMs: 100_000,
    });
    await Promise.all(['t', 't', 't'].map((token) => outcome(token)));
    await outcome('t');
    expect(backend.asked).toHaveLength(1);
    // The answer still stands, and says that it has ended.
    clock.advance((60 + 6) * 1000);
    expect(await outcome('t')).toBe('token_expired');
    expect(backend.asked).toHaveLength(1);
    clock.advance(100_000);
    await outcome('t');
    expect(backend.asked).toHaveLength(2);
    expect(nowS).toBeGreaterThan(0);
  });

  test('no answer is not remembered, and after some of them nobody is asked for a while', async () => {
    const { backend, outcome } = await bench(status(500), { failuresMax: 2 });
    for (const token of ['T0ken', 'T0ken', 'T0ken', '0ther'])
      expect(await outcome(token)).toBe('introspection_unavailable, retry');
    expect(backend.asked).toHaveLength(2);
  });

  test('what the issuer has no answer for is no reason to ask it nothing else', async () => {
    let code = 400;
    const { backend, outcome, verifier } = await bench(
      (response, request) => (code === 200 ? active() : status(code, '{}'))(response, request),
      { failuresMax: 2 },
    );
    for (const token of ['T0ken', '0ther', 'th1rd'])
      expect(await outcome(token)).toBe('introspection_unavailable, retry');
    await expect(verifier.verify('f0urth', ['opaque'], open)).rejects.toMatchObject({ retryAfterMs: 1000 });
    code = 200;
    expect(await outcome('G00d')).toEqual({ user: 'u' });
    expect(backend.asked).toHaveLength(5);
  });

  test.each(['', 'with space', 'ü', 'line\nbreak', 'x'.repeat(20_000)])(
    '%j is none, and nobody is asked',
    async (token) => {
      const { backend, outcome } = await bench(active());
      expect(await outcome(token)).toBe('token_malformed');
      expect(backend.asked).toEqual([]);
    },
  );

  test('a JWT of a known issuer is never asked about; of another one it is, where such tokens are accepted', async () => {
    const { backend, outcome, nowS } = await bench(active({ sub: 'asked' }));
    const known = await key.sign({ iss: 'known', sub: 'known', exp: nowS + 60 });
    const foreign = await key.sign({ iss: 'foreign', sub: 'forged', exp: nowS + 60 });
    expect(await outcome(known, ['jwt', 'opaque'])).toEqual({ user: 'known' });
    expect(await outcome(`${known.slice(0, -4)}AAAA`, ['jwt', 'opaque'])).toBe('token_signature_invalid');
    expect(await outcome(foreign, ['jwt'])).toBe('token_issuer_unknown');
    expect(backend.asked).toEqual([]);
    expect(await outcome(foreign, ['jwt', 'opaque'])).toEqual({ user: 'asked' });
    expect(await outcome(known, ['opaque'])).toEqual({ user: 'asked' });
  });
});

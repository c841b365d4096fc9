import { describe, expect, onTestFinished, test } from 'vitest';
import { identitySettings } from '../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier, type KeyedIdentityVerifier } from '../../src/adapters/identity/identity-verifier.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Fault } from '../../src/application/fault.ts';
import type { Clock } from '../../src/application/ports/clock.ts';
import { eventually } from '../support/eventually.ts';
import { type KeyServer, startKeyServer, type TestKey, testKey } from '../support/key-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingObserver } from '../support/recording-observer.ts';

const minute = 60_000;
const open = new AbortController().signal;

type Bench = {
  readonly server: KeyServer;
  readonly verifier: KeyedIdentityVerifier;
  readonly clock: ManualClock;
  readonly observer: ReturnType<typeof recordingObserver>;
  readonly token: (key: TestKey, header?: Record<string, unknown>) => Promise<string>;
  /** `ok`, the code of the denial, or the code of the fault. */
  readonly outcome: (key: TestKey, header?: Record<string, unknown>) => Promise<string>;
};

async function bench(
  keys: readonly TestKey[],
  more: Record<string, unknown> = {},
  format: 'jwks' | 'x509' = 'jwks',
): Promise<Bench> {
  const server = await startKeyServer(...keys);
  const clock = new ManualClock(Date.now());
  const observer = recordingObserver();
  const url = format === 'jwks' ? server.jwksUrl : server.x509Url;
  const settings = identitySettings.parse({ tokens: { kind: { [format]: url, issuers: ['issuer'], ...more } } });
  const verifier = createIdentityVerifier(settings, { clock, observer });
  onTestFinished(async () => {
    verifier.close();
    await server.close();
  });
  const token: Bench['token'] = (key, header) =>
    key.sign({ iss: 'issuer', exp: Math.floor(clock.now() / 1000) + 86_400 }, header);
  const outcome: Bench['outcome'] = async (key, header) => outcomeOf(verifier, await token(key, header));
  return { server, verifier, clock, observer, token, outcome };
}

async function outcomeOf(verifier: KeyedIdentityVerifier, token: string, signal = open): Promise<string> {
  try {
    const verdict = await verifier.verify(token, ['kind'], signal);
    return verdict.ok ? 'ok' : verdict.reason.code;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.disposition).toBe('retry');
    expect(error.message).not.toContain(token.split('.')[2]);
    return error.code;
  }
}

const fetchesOf = (observer: Bench['observer']) => observer.of('issuer-keys').map(({ outcome }) => outcome);

describe('keys of an issuer', () => {
  test('many first tokens make one fetch', async () => {
    const key = await testKey('a');
    const { server, verifier, token, observer } = await bench([key]);
    const one = await token(key);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(verifier, one)));
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    expect(server.requests).toBe(1);
    expect(fetchesOf(observer)).toEqual(['fetched']);
  });

  test('are fetched at the start when that is wanted, and only then asked for', async () => {
    const key = await testKey('a');
    const { server, verifier, outcome } = await bench([key]);
    expect(verifier.keysStates()).toEqual([
      { issuer: 'kind', ok: false, reason: 'its keys have not been fetched yet' },
    ]);
    await Promise.all([verifier.warm(), verifier.warm()]);
    expect(verifier.keysStates()).toEqual([{ issuer: 'kind', ok: true, reason: undefined }]);
    expect(await outcome(key)).toBe('ok');
    expect(server.requests).toBe(1);
  });

  test('are fetched anew every ten minutes, with or without tokens', async () => {
    const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, verifier, clock, outcome, observer } = await bench([key]);
    await verifier.warm();
    await server.publish(next);
    clock.advance(10 * minute);
    await eventually(() => expect(fetchesOf(observer)).toEqual(['fetched', 'fetched']));
    expect(await outcome(next)).toBe('ok');
    expect(await outcome(key)).toBe('token_signature_invalid');
    expect(server.requests).toBe(2);
  });

  test('rotate without a restart: a new key id is asked for at once', async () => {
    const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, clock, outcome } = await bench([key]);
    expect(await outcome(key)).toBe('ok');
    await server.publish(key, next);
    clock.advance(30_000);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome(next)));
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    expect(await outcome(key)).toBe('ok');
    expect(server.requests).toBe(2);
  });

  test('unknown key ids make no storm', async () => {
    const [key, foreign] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, clock, outcome } = await bench([key]);
    for (let round = 0; round < 5; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, index) => outcome(foreign, { kid: `k${index}` })),
      );
      expect(new Set(outcomes)).toEqual(new Set(['token_signature_invalid']));
      clock.advance(1000);
    }
    expect(server.requests).toBe(1);
    clock.advance(30_000);
    await Promise.all([outcome(foreign), outcome(foreign), outcome(foreign)]);
    expect(server.requests).toBe(2);
    expect(await outcome(key)).toBe('ok');
  });

  test('a token without a key id is tried with every key that fits', async () => {
    const [key, next, foreign] = await Promise.all([testKey('a'), testKey('b'), testKey('c')]);
    const { outcome } = await bench([key, next]);
    expect(await outcome(key, { kid: undefined })).toBe('ok');
    expect(await outcome(next, { kid: undefined })).toBe('ok');
    expect(await outcome(foreign, { kid: undefined })).toBe('token_signature_invalid');
  });

  test('hiiretail 3.1: certificates by key id, which rotate too', async () => {
    const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, clock, outcome } = await bench([key], {}, 'x509');
    expect(await outcome(key)).toBe('ok');
    expect(await outcome(next)).toBe('token_signature_invalid');
    await server.publish(next);
    clock.advance(30_000);
    expect(await outcome(next)).toBe('ok');
    expect(await outcome(key)).toBe('token_signature_invalid');
  });

  test('bad ones are left out one by one', async () => {
    const key = await testKey('a');
    const { server, outcome, observer } = await bench([key]);
    const bad = [
      null,
      'text',
      {},
      { kty: 'RSA', kid: 'x' },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'a' },
      { ...key.jwk, kid: 'encrypts', use: 'enc' },
      { ...key.jwk, n: key.jwk.n?.slice(0, 170), kid: 'weak' },
    ];
    server.answerWith((_request, response) => response.end(JSON.stringify({ keys: [...bad, key.jwk, ...bad] })));
    expect(await outcome(key)).toBe('ok');
    expect(await outcome(key, { kid: 'encrypts' })).toBe('token_signature_invalid');
    expect(String(observer.of('issuer-keys')[0]?.error)).toContain('14 of its keys cannot be used');
  });
});

describe('an issuer that is down', () => {
  test('before its keys were ever had, is no fault of the token’s; it is asked by a timer only', async () => {
    const key = await testKey('a');
    const { server, verifier, clock, outcome, observer } = await bench([key]);
    await server.down();
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(fetchesOf(observer)).toEqual(['failed']);
    expect(verifier.keysStates()).toEqual([
      { issuer: 'kind', ok: false, reason: 'the keys of "kind" cannot be had: ECONNREFUSED' },
    ]);
    await server.up();
    clock.advance(999);
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    clock.advance(1);
    await eventually(async () => expect(await outcome(key)).toBe('ok'));
    expect(server.requests).toBe(1);
  });

  test('later, is asked with ever longer pauses, while its keys still count for the grace time', async () => {
    const [key, foreign] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, verifier, clock, outcome, observer } = await bench([key], { keysGraceMs: 10 * minute });
    expect(await outcome(key)).toBe('ok');
    await server.down();
    clock.advance(10 * minute);
    await eventually(() => expect(fetchesOf(observer)).toEqual(['fetched', 'stale']));
    for (let count = 0; count < 20; count += 1) expect(await outcome(key)).toBe('ok');
    expect(fetchesOf(observer)).toEqual(['fetched', 'stale']);
    // It may be the issuer's newest key, so there is no telling.
    expect(await outcome(foreign)).toBe('issuer_keys_unavailable');
    expect(verifier.keysStates()).toMatchObject([{ ok: true, reason: expect.stringContaining('ECONNREFUSED') }]);
    for (const [index, pause] of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
      clock.advance(pause - 1);
      expect(fetchesOf(observer)).toHaveLength(index + 2);
      clock.advance(1);
      await eventually(() => expect(fetchesOf(observer)).toHaveLength(index + 3));
    }
    clock.advance(10 * minute);
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(verifier.keysStates()).toMatchObject([{ ok: false }]);
    await server.up();
    await eventually(async () => {
      clock.advance(30_000);
      expect(await outcome(key)).toBe('ok');
    });
    expect(await outcome(foreign)).toBe('token_signature_invalid');
    expect(verifier.keysStates()).toEqual([{ issuer: 'kind', ok: true, reason: undefined }]);
  });

  test('in time for a new key id is asked once more, and there is no telling', async () => {
    const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, clock, outcome } = await bench([key]);
    expect(await outcome(key)).toBe('ok');
    await server.down();
    clock.advance(30_000);
    expect(await outcome(next)).toBe('issuer_keys_unavailable');
    expect(await outcome(key)).toBe('ok');
  });

  test.each<[string, (response: import('node:http').ServerResponse) => unknown, string]>([
    ['HTML', (response) => response.end('<html>'), 'the answer is not JSON'],
    ['another document', (response) => response.end('{"keys":{}}'), 'the answer is not a JWKS'],
    ['no keys', (response) => response.end('{"keys":[]}'), 'the answer holds no key that can be used'],
    ['an error', (response) => response.writeHead(500).end('{"keys":[]}'), 'the key server answered 500'],
    [
      'a redirect',
      (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/jwks' }).end(),
      'the key server answered 302',
    ],
    ['too much', (response) => response.end(' '.repeat(2_000_000)), 'the answer has more than 1048576 bytes'],
    ['a cut', (response) => response.writeHead(200, { 'content-length': 100 }).destroy(), 'cannot be had'],
  ])('in that it answers with %s', async (_, answer, reason) => {
    const key = await testKey('a');
    const { server, verifier, clock, outcome } = await bench([key]);
    server.answerWith((_request, response) => void answer(response));
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(verifier.keysStates()[0]?.reason).toContain(reason);
    server.answerWith(undefined);
    clock.advance(1000);
    await eventually(async () => expect(await outcome(key)).toBe('ok'));
  });

  test('a redirect is never followed', async () => {
    const key = await testKey('a');
    const [{ server, outcome }, target] = await Promise.all([bench([key]), startKeyServer(key)]);
    onTestFinished(() => target.close());
    server.answerWith((_request, response) => response.writeHead(302, { location: target.jwksUrl }).end());
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(target.requests).toBe(0);
  });

  test('in that it is slow, fails at its time limit', async () => {
    const key = await testKey('a');
    const { server, verifier, outcome } = await bench([key], { timeoutMs: 50 });
    const release = server.hold();
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(verifier.keysStates()[0]?.reason).toContain('no answer within 50 ms');
    release();
  });

  test('one client that waits no longer does not end the fetch for others', async () => {
    const key = await testKey('a');
    const { server, verifier, token } = await bench([key]);
    const release = server.hold();
    const one = await token(key);
    const controller = new AbortController();
    const impatient = outcomeOf(verifier, one, controller.signal);
    const patient = outcomeOf(verifier, one);
    await eventually(() => expect(server.requests).toBe(1));
    controller.abort();
    expect(await impatient).toBe('issuer_keys_unavailable');
    release();
    expect(await patient).toBe('ok');
    expect(await outcomeOf(verifier, one, AbortSignal.abort())).toBe('issuer_keys_unavailable');
    expect(server.requests).toBe(1);
  });

  test('leaves no timer behind when the verifier is closed', async () => {
    const key = await testKey('a');
    const { server, verifier, clock, outcome } = await bench([key]);
    await server.down();
    expect(await outcome(key)).toBe('issuer_keys_unavailable');
    expect(clock.pending).toBe(1);
    verifier.close();
    expect(clock.pending).toBe(0);
  });
});

test('works with the machine’s own clock', async () => {
  const key = await testKey('a', 'ES256');
  const server = await startKeyServer(key);
  onTestFinished(() => server.close());
  const clock: Clock = systemClock;
  const settings = identitySettings.parse({ tokens: { kind: { jwks: server.jwksUrl, algorithms: ['ES256'] } } });
  const verifier = createIdentityVerifier(settings, { clock, observer: recordingObserver() });
  onTestFinished(() => verifier.close());
  const token = await key.sign({ exp: Math.floor(Date.now() / 1000) + 60 });
  expect(await outcomeOf(verifier, token)).toBe('ok');
});

import { describe, expect, onTestFinished, test } from 'vitest';
import { identitySettings } from '../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier } from '../../src/adapters/identity/identity-verifier.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { eventually } from '../support/eventually.ts';
import { startKeyServer, testKey } from '../support/key-server.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { bench, fetchesOf, minute, outcomeOf } from './identity-fixture.ts';

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

  test('a key that is new within the cooldown is told to come back, and then taken', async () => {
    const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, clock, outcome } = await bench([key]);
    expect(await outcome(key)).toBe('ok');
    await server.publish(key, next);
    clock.advance(9999);
    expect(await outcome(next)).toBe('issuer_keys_unavailable');
    expect(server.requests).toBe(1);
    clock.advance(1);
    expect(await outcome(next)).toBe('ok');
  });

  test('unknown key ids make no storm', async () => {
    const [key, foreign] = await Promise.all([testKey('a'), testKey('b')]);
    const { server, clock, outcome } = await bench([key]);
    for (let round = 0; round < 5; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, index) => outcome(foreign, { kid: `k${index}` })),
      );
      // The first are answered by the fetch that they caused; those after them might have a key that is newer still.
      const expected = round === 0 ? 'token_signature_invalid' : 'issuer_keys_unavailable';
      expect(new Set(outcomes)).toEqual(new Set([expected]));
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

test('works with the machine’s own clock', async () => {
  const key = await testKey('a', 'ES256');
  const server = await startKeyServer(key);
  onTestFinished(() => server.close());
  const settings = identitySettings.parse({ tokens: { kind: { jwks: server.jwksUrl, algorithms: ['ES256'] } } });
  const verifier = createIdentityVerifier(settings, {
    clock: systemClock,
    observer: recordingObserver(),
  });
  onTestFinished(() => verifier.close());
  const token = await key.sign({ exp: Math.floor(Date.now() / 1000) + 60 });
  expect(await outcomeOf(verifier, token)).toBe('ok');
});

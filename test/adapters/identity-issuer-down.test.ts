import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startKeyServer, testKey } from '../support/key-server.ts';
import { bench, fetchesOf, minute, outcomeOf } from './identity-fixture.ts';

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

  test('and asked again keeps nobody waiting who has a good key', async () => {
    const key = await testKey('a');
    const { server, clock, outcome, observer } = await bench([key], { timeoutMs: minute });
    expect(await outcome(key)).toBe('ok');
    server.answerWith((_request, response) => void response.writeHead(500).end());
    clock.advance(10 * minute);
    await eventually(() => expect(fetchesOf(observer)).toEqual(['fetched', 'stale']));
    const release = server.hold();
    clock.advance(1000);
    await eventually(() => expect(server.requests).toBe(3));
    expect(await outcome(key)).toBe('ok');
    release();
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

  test.each<[string, (response: ServerResponse) => unknown, string]>([
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

import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { testKey } from '../support/key-server.ts';
import { bench, fetchesOf, minute, outcomeOf } from './identity-fixture.ts';

/** How many signatures have been looked at. */
function countSignatures(): () => number {
  const signatures = vi.spyOn(crypto.subtle, 'verify');
  onTestFinished(() => signatures.mockRestore());
  return () => signatures.mock.calls.length;
}

test('a client that comes back with its token is let in without a verification and without a fetch', async () => {
  const key = await testKey('a');
  const { server, verifier, token } = await bench([key]);
  await verifier.warm();
  const signatures = countSignatures();
  const one = await token(key);
  for (let round = 0; round < 5; round += 1) expect(await outcomeOf(verifier, one)).toBe('ok');
  expect(signatures()).toBe(1);
  expect(server.requests).toBe(1);
});

test('a fetch that brings the same keys, in whatever order, forgets nothing', async () => {
  const [key, other] = await Promise.all([testKey('a'), testKey('b')]);
  const { server, verifier, clock, token, observer } = await bench([key, other]);
  await verifier.warm();
  const one = await token(key);
  expect(await outcomeOf(verifier, one)).toBe('ok');
  await server.publish(other, key);
  const signatures = countSignatures();
  clock.advance(10 * minute);
  await eventually(() => expect(fetchesOf(observer)).toEqual(['fetched', 'fetched']));
  expect(await outcomeOf(verifier, one)).toBe('ok');
  expect(signatures()).toBe(0);
});

test.each([
  ['a token of a key that the issuer has withdrawn', 'b'],
  ['a token of a key id that has been given to another key', 'a'],
])('%s is refused, however well it is known', async (_, nextId) => {
  const [key, next] = await Promise.all([testKey('a'), testKey(nextId)]);
  const { server, verifier, clock, token, observer } = await bench([key]);
  await verifier.warm();
  const one = await token(key);
  expect(await outcomeOf(verifier, one)).toBe('ok');
  await server.publish(next);
  clock.advance(10 * minute);
  await eventually(() => expect(fetchesOf(observer)).toEqual(['fetched', 'fetched']));
  expect(await outcomeOf(verifier, one)).toBe('token_signature_invalid');
});

test('of many who wait for one verification, one that goes takes nobody along', async () => {
  const key = await testKey('a');
  const { server, verifier, token } = await bench([key]);
  const one = await token(key);
  const signatures = countSignatures();
  const release = server.hold();
  const gone = new AbortController();
  const first = outcomeOf(verifier, one, gone.signal);
  const others = Promise.all(Array.from({ length: 3 }, () => outcomeOf(verifier, one)));
  gone.abort();
  expect(await first).toBe('issuer_keys_unavailable');
  release();
  expect(await others).toEqual(['ok', 'ok', 'ok']);
  expect(signatures()).toBe(1);
});

test('where a key was added, a known token is verified once more', async () => {
  const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
  const { server, verifier, clock, token, outcome } = await bench([key]);
  await verifier.warm();
  const one = await token(key);
  expect(await outcomeOf(verifier, one)).toBe('ok');
  await server.publish(key, next);
  clock.advance(minute);
  expect(await outcome(next)).toBe('ok');
  const signatures = countSignatures();
  for (let round = 0; round < 3; round += 1) expect(await outcomeOf(verifier, one)).toBe('ok');
  expect(signatures()).toBe(1);
});

test('while the issuer is down a known token counts as long as its keys do, and no longer', async () => {
  const key = await testKey('a');
  const { server, verifier, clock, token, observer } = await bench([key], { keysGraceMs: 5 * minute });
  await verifier.warm();
  const one = await token(key);
  expect(await outcomeOf(verifier, one)).toBe('ok');
  await server.down();
  clock.advance(10 * minute);
  await eventually(() => expect(fetchesOf(observer)).toEqual(['fetched', 'stale']));
  expect(await outcomeOf(verifier, one)).toBe('ok');
  clock.advance(5 * minute + 1);
  expect(await outcomeOf(verifier, one)).toBe('issuer_keys_unavailable');
});

test('while keys that are due are fetched, a known token waits for them', async () => {
  const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
  const { server, verifier, clock, token } = await bench([key]);
  await verifier.warm();
  const one = await token(key);
  expect(await outcomeOf(verifier, one)).toBe('ok');
  await server.publish(next);
  const release = server.hold();
  clock.advance(10 * minute + 1);
  const waiting = outcomeOf(verifier, one);
  release();
  expect(await waiting).toBe('token_signature_invalid');
});

test('a token that was verified while the keys changed is not remembered', async () => {
  const [key, next] = await Promise.all([testKey('a'), testKey('b')]);
  const { server, verifier, clock, token, outcome } = await bench([key]);
  await verifier.warm();
  // From here on an unknown key id is asked for, and everything happens within one second.
  clock.advance(minute);
  const one = await token(key);
  const { promise: held, resolve: go } = Promise.withResolvers<void>();
  const verify = crypto.subtle.verify.bind(crypto.subtle);
  const signatures = vi.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...given) => {
    await held;
    return verify(...given);
  });
  onTestFinished(() => signatures.mockRestore());
  const slow = outcomeOf(verifier, one);
  await eventually(() => expect(signatures).toHaveBeenCalledTimes(1));
  await server.publish(next);
  expect(await outcome(next)).toBe('ok');
  // Whoever asks now does not get the answer that the old keys give to the first.
  const late = outcomeOf(verifier, one);
  go();
  expect(await slow).toBe('ok');
  expect(await late).not.toBe('ok');
  expect(await outcomeOf(verifier, one)).not.toBe('ok');
});

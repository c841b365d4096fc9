import { expect, onTestFinished } from 'vitest';
import { identitySettings } from '../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier, type KeyedIdentityVerifier } from '../../src/adapters/identity/identity-verifier.ts';
import { Fault } from '../../src/application/fault.ts';
import { type KeyServer, startKeyServer, type TestKey } from '../support/key-server.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingObserver } from '../support/recording-observer.ts';

export const minute = 60_000;
const open = new AbortController().signal;

export type Bench = {
  readonly server: KeyServer;
  readonly verifier: KeyedIdentityVerifier;
  readonly clock: ManualClock;
  readonly observer: ReturnType<typeof recordingObserver>;
  readonly token: (key: TestKey, header?: Record<string, unknown>) => Promise<string>;
  /** `ok`, the code of the denial, or the code of the fault. */
  readonly outcome: (key: TestKey, header?: Record<string, unknown>) => Promise<string>;
};

export async function bench(
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

export async function outcomeOf(verifier: KeyedIdentityVerifier, token: string, signal = open): Promise<string> {
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

export const fetchesOf = (observer: Bench['observer']) => observer.of('issuer-keys').map(({ outcome }) => outcome);

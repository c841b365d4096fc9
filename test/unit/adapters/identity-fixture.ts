import { expect } from 'vitest';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { createIdentityVerifier } from '../../../src/adapters/identity/identity-verifier.ts';
import { testKey } from '../../support/key-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

export const now = Date.UTC(2026, 0, 1);
export const nowSeconds = now / 1000;
export const staff = 'https://securetoken.google.com/hiidentity-staff';
export const shoppers = 'https://securetoken.google.com/hiidentity-shoppers';
export const ocmsIssuer = 'https://auth.retailsvc.com/';
export const secret = '0123456789abcdef0123456789abcdef';
export const open = new AbortController().signal;

export const [ocmsKey, iamKey, otherKey] = await Promise.all([testKey('o'), testKey('i'), testKey('x')]);

/** The two kinds of token of hiiretail.md 3, and one without issuer or audience as brainlife.md has it. */
export const settingsOf = (more: Record<string, unknown> = {}) =>
  identitySettings.parse({
    tokens: {
      ocms: {
        issuers: [ocmsIssuer],
        audiences: ['https://hiiretail.com'],
        pem: ocmsKey.publicPem,
        variables: { tenant: ['tid'], businessUnit: ['business_unit_id', 'buid'] },
        requiredVariables: ['tenant'],
        permissions: [{ static: ['sio.websocket.connect'] }],
      },
      iam: {
        issuers: [staff, shoppers],
        audiences: ['hiidentity-staff', 'hiidentity-shoppers'],
        pem: iamKey.publicPem,
        variables: { tenant: ['https://extendaretail.com/tenant'], user: { sha256: ['sub', 'iss', 'tenant'] } },
        requiredVariables: ['tenant'],
      },
      brainlife: { pem: otherKey.publicPem, algorithms: ['RS256', 'RS512'], requireExpiry: false },
      shared: { secret, algorithms: ['HS256'], issuers: ['shared'] },
      ...more,
    },
    roles: {},
  });

export const verifierOf = (more: Record<string, unknown> = {}) =>
  createIdentityVerifier(settingsOf(more), { clock: new ManualClock(now), observer: recordingObserver() });

export const ocmsClaims = (more: Record<string, unknown> = {}) => ({
  iss: ocmsIssuer,
  aud: ['https://hiiretail.com'],
  exp: nowSeconds + 3600,
  tid: 't1',
  ...more,
});

export const iamClaims = (more: Record<string, unknown> = {}) => ({
  iss: staff,
  aud: 'hiidentity-staff',
  exp: nowSeconds + 3600,
  sub: 'u1',
  'https://extendaretail.com/tenant': 't1',
  ...more,
});

export async function outcome(token: string, kinds: string[]): Promise<string> {
  const verdict = await verifierOf().verify(token, kinds, open);
  if (verdict.ok) return verdict.value.name;
  const { code, reason } = verdict.reason;
  expect(reason.length).toBeLessThan(500);
  // A reason holds no part of a token that could be used.
  for (const part of token.split('.')) if (part.length > 8) expect(reason).not.toContain(part);
  return code;
}

export const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

import { exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose';
import type { Clock } from '../../application/ports/clock.ts';
import { developmentClaims, developmentIssuerName, signToken, type TokenSubject } from './sign-token.ts';

export type DevelopmentTokenRequest = TokenSubject & {
  /** By default an hour. */
  readonly expiresInMs?: number | undefined;
};

export type DevelopmentIssuer = {
  /** What the tokens are verified with: `developmentKeys` of the identity verifier. */
  readonly publicKeys: JSONWebKeySet;
  /** `expiresAt` in milliseconds since the epoch. */
  issue(request: DevelopmentTokenRequest): Promise<{ readonly token: string; readonly expiresAt: number }>;
};

export const developmentTokenMs = 3_600_000;

/** An issuer whose key lives in memory only, made anew at every start: its tokens are worth nothing elsewhere. */
export async function createDevelopmentIssuer(clock: Clock): Promise<DevelopmentIssuer> {
  const algorithm = 'ES256';
  const keyId = 'development';
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: false });
  const publicKeys = { keys: [{ ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm }] };
  return {
    publicKeys,
    issue({ expiresInMs = developmentTokenMs, ...subject }) {
      const claims = { ...developmentClaims(subject), iss: developmentIssuerName };
      return signToken(claims, { key: privateKey, algorithm, keyId }, { now: clock.now(), expiresInMs });
    },
  };
}

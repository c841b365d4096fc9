import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type CryptoKey, type JWTPayload, SignJWT } from 'jose';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';
import type { TokenAlgorithm } from './token-settings.ts';

export const developmentIssuerName = 'edgeward-development';

/** What a token is to say, in the words of the command line and of `POST /v1/development/tokens`. */
export type TokenSubject = {
  readonly tenant?: string | undefined;
  readonly businessUnit?: string | undefined;
  readonly workstation?: string | undefined;
  readonly user?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  /** Further claims; they stand above the others. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
};

/** The claims of a token: `tenant`, `business_unit`, `workstation`, `sub`, `roles`, and whatever is given beyond. */
export function developmentClaims(subject: TokenSubject): Readonly<Record<string, unknown>> {
  const { tenant, businessUnit, workstation, user, roles, claims } = subject;
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(businessUnit === undefined ? {} : { business_unit: businessUnit }),
    ...(workstation === undefined ? {} : { workstation }),
    ...(user === undefined ? {} : { sub: user }),
    ...(roles === undefined ? {} : { roles: [...roles] }),
    ...claims,
  };
}

export type SigningKey = {
  readonly key: CryptoKey | KeyObject;
  readonly algorithm: TokenAlgorithm;
  readonly keyId?: string | undefined;
};

/** A signed token with `iat` and `exp`. Claims of these names are overwritten. Times in milliseconds. */
export async function signToken(
  claims: Readonly<Record<string, unknown>>,
  { key, algorithm, keyId }: SigningKey,
  { now, expiresInMs }: { readonly now: number; readonly expiresInMs: number },
): Promise<{ readonly token: string; readonly expiresAt: number }> {
  const expiresAt = Math.floor((now + expiresInMs) / 1000);
  const payload: JWTPayload = { ...claims };
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuedAt(Math.floor(now / 1000))
    .setExpirationTime(expiresAt)
    .sign(key);
  return { token, expiresAt: expiresAt * 1000 };
}

/**
 * A private key from a file's text: PEM (PKCS #8, PKCS #1 or SEC 1) or a JWK, whose `kid` and `alg` are taken over.
 * The algorithm follows from the key unless it is named: RS256, ES256/384/512, EdDSA. Refused with a reason that
 * holds nothing of the key.
 */
export function readSigningKey(text: string, algorithm?: TokenAlgorithm): Verdict<SigningKey> {
  const jwk = jwkOf(text);
  const key = privateKeyOf(text, jwk);
  if (key === undefined) return refused(isEncryptedPem(text) ? encrypted : noKey);
  const { modulusLength = rsaBitsMin } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < rsaBitsMin) {
    return refused(`the RSA key has ${modulusLength} bits, and a signature takes ${rsaBitsMin} or more`);
  }
  const named = algorithm ?? (typeof jwk?.['alg'] === 'string' ? (jwk['alg'] as TokenAlgorithm) : undefined);
  const chosen = named ?? algorithmOf(key);
  if (chosen === undefined) return refused(`there is no algorithm for a key of the type ${key.asymmetricKeyType}`);
  const keyId = typeof jwk?.['kid'] === 'string' ? jwk['kid'] : undefined;
  return allowed({ key, algorithm: chosen, keyId });
}

const noKey = 'the file holds no private key in PEM or as a JWK';
const encrypted = 'the private key is encrypted; decrypt it first, such as with "openssl pkey -in FILE -out FILE"';

/** RFC 7518, 3.3. */
const rsaBitsMin = 2048;

/** PKCS #8 says so in its first line, the older formats in a header (RFC 1421). */
const isEncryptedPem = (text: string): boolean => /^(-----BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED)/m.test(text);

function jwkOf(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

function privateKeyOf(text: string, jwk: Record<string, unknown> | undefined): KeyObject | undefined {
  try {
    return jwk ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function algorithmOf({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): TokenAlgorithm | undefined {
  return type === 'ec' ? curveAlgorithms[details?.namedCurve ?? ''] : typeAlgorithms[type ?? ''];
}

const typeAlgorithms: Readonly<Record<string, TokenAlgorithm>> = { rsa: 'RS256', ed25519: 'EdDSA' };

const curveAlgorithms: Readonly<Record<string, TokenAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

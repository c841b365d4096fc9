import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import { allowed, refused, type Verdict } from '../../domain/verdict.ts';

/** A JWKS document (RFC 7517), or an object of PEM certificates by key id as Google's `securetoken` publishes. */
export type KeyDocumentFormat = 'jwks' | 'x509';

export type ReadKeys = {
  readonly keys: JSONWebKeySet;
  /** How many of the document's keys cannot be used: no public key, not for signatures, too weak. */
  readonly ignored: number;
};

/** More keys than this in one document are ignored: a token without a key id is tried with every one. */
export const keysPerIssuerMax = 32;

/** RFC 7518 section 3.3. */
const rsaBitsMin = 2048;

/** Reads a key server's answer. Keys that cannot be used are left out one by one; refused when none is left. */
export function readKeyDocument(text: string, format: KeyDocumentFormat): Verdict<ReadKeys> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return refused('the answer is not JSON');
  }
  const entries = format === 'jwks' ? jwksEntries(document) : certificateEntries(document);
  if (entries === undefined) {
    return refused(format === 'jwks' ? 'the answer is not a JWKS' : 'the answer is not an object of certificates');
  }
  return usableKeys(entries.slice(0, keysPerIssuerMax), entries.length);
}

/** Reads public keys and certificates in PEM, one or several after each other. */
export function readPem(text: string): Verdict<ReadKeys> {
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g) ?? [];
  if (blocks.some((block) => /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(block))) {
    return refused('it holds a private key; give the public one');
  }
  const read = usableKeys(blocks.slice(0, keysPerIssuerMax).map(pemKey), blocks.length);
  return read.ok
    ? read
    : refused('it must be a public key or certificate in PEM (RSA of at least 2048 bits, EC, Ed25519)');
}

function usableKeys(entries: readonly (JWK | undefined)[], total: number): Verdict<ReadKeys> {
  const keys = entries.filter((entry) => entry !== undefined);
  return keys.length === 0
    ? refused('the answer holds no key that can be used')
    : allowed({ keys: { keys }, ignored: total - keys.length });
}

function jwksEntries(document: unknown): readonly (JWK | undefined)[] | undefined {
  if (!isRecord(document) || !Array.isArray(document['keys'])) return undefined;
  return document['keys'].map((entry: unknown) => (isRecord(entry) ? jwk(entry) : undefined));
}

function certificateEntries(document: unknown): readonly (JWK | undefined)[] | undefined {
  if (!isRecord(document)) return undefined;
  return Object.entries(document).map(([kid, pem]) => {
    const key = typeof pem === 'string' ? pemKey(pem) : undefined;
    return key && { ...key, kid };
  });
}

function jwk(entry: Readonly<Record<string, unknown>>): JWK | undefined {
  try {
    const { kid, alg, use, key_ops: operations } = entry;
    const key = publicJwk(createPublicKey({ key: entry, format: 'jwk' }));
    if (key === undefined || (use !== undefined && use !== 'sig')) return undefined;
    if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined;
    return {
      ...key,
      ...(typeof kid === 'string' ? { kid } : {}),
      ...(typeof alg === 'string' ? { alg } : {}),
    };
  } catch {
    return undefined;
  }
}

function pemKey(pem: string): JWK | undefined {
  try {
    const isCertificate = pem.includes('-----BEGIN CERTIFICATE-----');
    return publicJwk(isCertificate ? new X509Certificate(pem).publicKey : createPublicKey(pem));
  } catch {
    return undefined;
  }
}

/** Written anew from the key itself, so that nothing else of a document gets through. */
function publicJwk(key: KeyObject): JWK | undefined {
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < rsaBitsMin) return undefined;
  return key.export({ format: 'jwk' });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

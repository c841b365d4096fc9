import { readFileSync } from 'node:fs';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../application/ports/clock.ts';
import type { Observer } from '../../application/ports/observer.ts';
import { keysMissing } from './identity-fault.ts';
import { readPem } from './key-document.ts';
import { RemoteKeys } from './remote-keys.ts';
import type { TokenSettings } from './token-settings.ts';

/** Stands for the keys of a kind as long as they are the same ones. */
export type KeysGeneration = symbol;

/** Where the keys of one kind of token come from: `remote` where they are somebody else's to change. */
export type TokenKeys = {
  readonly key: JWTVerifyGetKey | Uint8Array;
  /** `undefined` when none of them counts until it is known how things are with their issuer. */
  readonly generation: () => KeysGeneration | undefined;
  readonly remote?: RemoteKeys;
};

export type TokenKeysDependencies = {
  readonly clock: Clock;
  readonly observer: Observer;
  /** Public keys of the development issuer; absent when there is none. */
  readonly developmentKeys?: JSONWebKeySet | undefined;
};

/** Throws a `Fault` (`issuer_keys_missing`, `stop`) when a key file cannot be read or there is no development issuer. */
export function openTokenKeys(kind: string, settings: TokenSettings, deps: TokenKeysDependencies): TokenKeys {
  const { jwks, x509, pem, pemFile, secret } = settings;
  const url = jwks ?? x509;
  if (url !== undefined) {
    const format = jwks === undefined ? 'x509' : 'jwks';
    const remote = new RemoteKeys(kind, { ...settings, url, format }, deps);
    return { key: remote.select, generation: () => remote.generation, remote };
  }
  const only = Symbol(kind);
  const generation = () => only;
  if (secret !== undefined) return { key: new TextEncoder().encode(secret), generation };
  if (settings.development) return { key: developmentKey(kind, deps), generation };
  return { key: pemKeys(kind, pem ?? readPemFile(kind, pemFile)), generation };
}

function developmentKey(kind: string, { developmentKeys }: TokenKeysDependencies): JWTVerifyGetKey {
  if (developmentKeys) return createLocalJWKSet(developmentKeys);
  throw keysMissing(kind, '`development: true` needs `development` at the top of the config');
}

function readPemFile(kind: string, path = ''): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw keysMissing(kind, `the file ${path} cannot be read (${code}); correct \`pemFile\`, or who may read it`);
  }
}

/** Keys in PEM have no id, so the id that a token names says nothing. */
function pemKeys(kind: string, pem: string): JWTVerifyGetKey {
  const read = readPem(pem);
  if (!read.ok) throw keysMissing(kind, read.reason);
  const select = createLocalJWKSet(read.value.keys);
  return (header, token) => select({ alg: header.alg }, { ...token, header: {} });
}

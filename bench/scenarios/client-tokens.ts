import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An issuer of RS256 tokens, with its public key in a file. */
export type TokenIssuer = AsyncDisposable & {
  readonly pemFile: string;
  /** As many tokens, each different from all before. */
  next(count: number): readonly string[];
};

const lifeSeconds = 7200;

export async function createTokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-bench-'));
  const pemFile = join(folder, 'issuer.pem');
  await writeFile(pemFile, publicKey.export({ type: 'spki', format: 'pem' }));
  let last = 0;
  const issue = (): string => {
    last += 1;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'https://bench.example',
      sub: `client-${last}`,
      iat: now,
      exp: now + lifeSeconds,
      tenant: 'bench',
      workstation: String(last),
      roles: ['edgeward.client'],
    };
    const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  return {
    pemFile,
    next: (count) => Array.from({ length: count }, issue),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

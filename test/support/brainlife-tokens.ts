import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type BrainlifeIssuer = AsyncDisposable & {
  /** Of the public key, in PEM. */
  readonly publicKeyFile: string;
  /** As brainlife/auth issues them (brainlife section 4), changed by what is given. */
  token(claims?: Record<string, unknown>, algorithm?: string): string;
  /** Exactly these claims. */
  sign(claims: Record<string, unknown>, algorithm?: string): string;
};

const hashes: Readonly<Record<string, string>> = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' };
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Stands in for brainlife/auth: one RSA key. */
export async function brainlifeIssuer(): Promise<BrainlifeIssuer> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-brainlife-'));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const publicKeyFile = join(folder, 'auth.pub');
  await writeFile(publicKeyFile, pem);

  /** HS256 is signed with the text of the public key, and `none` not at all: attacks, both. */
  function signature(text: string, algorithm: string): string {
    if (algorithm === 'none') return '';
    if (algorithm === 'HS256') return createHmac('sha256', pem).update(text).digest('base64url');
    return sign(hashes[algorithm], Buffer.from(text), privateKey).toString('base64url');
  }

  const signed = (claims: Record<string, unknown>, algorithm = 'RS256'): string => {
    const text = `${encode({ typ: 'JWT', alg: algorithm })}.${encode(claims)}`;
    return `${text}.${signature(text, algorithm)}`;
  };
  return {
    publicKeyFile,
    sign: signed,
    token: (claims = {}, algorithm) =>
      signed(
        {
          iss: 'https://brainlife.io/auth',
          // The real ones are fractional, too.
          exp: Date.now() / 1000 + 3600.5,
          iat: Date.now() / 1000,
          scopes: { brainlife: ['user'] },
          sub: '1',
          gids: [5, 0, 71],
          profile: { username: 'ann', email: 'ann@example.com', fullname: 'Ann', aup: true },
          ...claims,
        },
        algorithm,
      ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

import { readFile } from 'node:fs/promises';
import { importSPKI, jwtVerify } from 'jose';

/** Verifies RS256 tokens with the key in this file, and rejects for others. Nothing without a file. */
export async function createTokenCheck(
  file: string | undefined,
): Promise<((token: string) => Promise<void>) | undefined> {
  if (file === undefined) return undefined;
  const key = await importSPKI(await readFile(file, 'utf8'), 'RS256');
  return async (token) => {
    await jwtVerify(token, key, { algorithms: ['RS256'], issuer: 'https://bench.example', requiredClaims: ['exp'] });
  };
}

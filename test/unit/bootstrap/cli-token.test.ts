import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { fakeCommandIo, fakeFetch } from '../../support/fake-command-io.ts';

const path = '/v1/development/tokens';

describe('token from the gateway', () => {
  test('is printed alone, so that $(…) takes it', async () => {
    const { fetch, sent } = fakeFetch({ [path]: () => Response.json({ token: 'a.b.c' }, { status: 201 }) });
    const cli = fakeCommandIo({ fetch, env: { EDGEWARD_TOKEN: 'another' } });
    expect(await cli.run('token', '--tenant', 'demo', '--expires-in', '60')).toBe(0);
    expect([cli.stdout(), cli.stderr()]).toEqual(['a.b.c\n', '']);
    expect(sent).toEqual([
      expect.objectContaining({ body: '{"tenant":"demo","expiresInMs":60000}', authorization: null }),
    ]);
  });

  test.each([
    [new Response('', { status: 404 }), 5, /issues no development tokens\. Put a token into the environment variable/],
    [
      Response.json({ title: 'Forbidden', detail: 'For this machine only.' }, { status: 403 }),
      5,
      /: For this machine only\. Put a token into/,
    ],
    [Response.json({ title: 'Bad Request', detail: 'roles: too many' }, { status: 400 }), 5, /: roles: too many\.\n$/],
    [Response.json({ title: 'Service Unavailable' }, { status: 503 }), 6, /HTTP 503 Service Unavailable\.\n$/],
    [Response.json({ tokens: [] }, { status: 201 }), 5, /HTTP 201\.\n$/],
  ])('%o', async (response, exit, message) => {
    const { fetch } = fakeFetch({ [path]: () => response.clone() });
    const cli = fakeCommandIo({ fetch });
    expect(await cli.run('token', '--tenant', 'demo')).toBe(exit);
    expect(cli.stderr()).toMatch(message);
    expect(cli.stdout()).toBe('');
  });
});

describe('token signed here', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  test('verifies with the public key and says what was asked for', async () => {
    const cli = fakeCommandIo({ readFile: async () => Buffer.from(pem), now: Date.now });
    const claims = ['--claim', 'iss="https://issuer.test/"', '--claim', 'aud=["edge"]', '--claim', 'sub="other"'];
    expect(await cli.run('token', '--key', 'key.pem', '--tenant', 't', '--user', 'u', '--role', 'r', ...claims)).toBe(
      0,
    );
    const { payload, protectedHeader } = await jwtVerify(cli.stdout().trim(), publicKey, { audience: 'edge' });
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toEqual({
      tenant: 't',
      sub: 'other',
      roles: ['r'],
      iss: 'https://issuer.test/',
      aud: ['edge'],
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 3600,
    });
  });

  test('lasts as long as was asked for', async () => {
    const cli = fakeCommandIo({ readFile: async () => Buffer.from(pem) });
    await cli.run('token', '--key', 'key.pem', '--expires-in', '5');
    expect(decodeJwt(cli.stdout())).toEqual({ iat: Date.UTC(2026, 0, 1) / 1000, exp: Date.UTC(2026, 0, 1) / 1000 + 5 });
  });

  test('a file that is no key is named, and nothing of it is told', async () => {
    const cli = fakeCommandIo({ readFile: async () => Buffer.from(pem.slice(0, 80)) });
    expect(await cli.run('token', '--key', 'key.pem')).toBe(2);
    expect(cli.stderr()).toBe('edgeward: "key.pem": the file holds no private key in PEM or as a JWK.\n');
  });

  test.each(['pkcs8', 'sec1'] as const)('an encrypted key (%s) is called so', async (type) => {
    const encrypted = privateKey.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' });
    const cli = fakeCommandIo({ readFile: async () => Buffer.from(encrypted) });
    expect(await cli.run('token', '--key', 'key.pem')).toBe(2);
    expect(cli.stderr()).toBe(
      'edgeward: "key.pem": the private key is encrypted; ' +
        'decrypt it first, such as with "openssl pkey -in FILE -out FILE".\n',
    );
  });

  test('RFC 7518, 3.3: an RSA key of less than 2048 bits is refused', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const cli = fakeCommandIo({ readFile: async () => Buffer.from(weak.export({ type: 'pkcs8', format: 'pem' })) });
    expect(await cli.run('token', '--key', 'key.pem')).toBe(2);
    expect(cli.stderr()).toBe('edgeward: "key.pem": the RSA key has 1024 bits, and a signature takes 2048 or more.\n');
  });

  test('a file that is not there is named', async () => {
    const cli = fakeCommandIo();
    expect(await cli.run('token', '--key', 'nowhere.pem')).toBe(2);
    expect(cli.stderr()).toBe('edgeward: Cannot read the key file "nowhere.pem".\n');
  });
});

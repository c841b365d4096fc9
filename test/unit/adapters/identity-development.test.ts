import { generateKeyPairSync } from 'node:crypto';
import { fastify, type InjectOptions } from 'fastify';
import { decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDevelopmentIssuer } from '../../../src/adapters/identity/development-issuer.ts';
import { developmentTokenRoutes } from '../../../src/adapters/identity/development-token-routes.ts';
import { developmentClaims, readSigningKey, signToken } from '../../../src/adapters/identity/sign-token.ts';
import { testKey } from '../../support/key-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const now = Date.UTC(2026, 0, 1);

test('developmentClaims names the claims, and further claims stand above them', () => {
  expect(developmentClaims({})).toEqual({});
  expect(
    developmentClaims({
      tenant: 't',
      businessUnit: 'b',
      workstation: '001',
      user: 'u',
      roles: ['r'],
      claims: { level: 1, sub: 'other' },
    }),
  ).toEqual({ tenant: 't', business_unit: 'b', workstation: '001', sub: 'other', roles: ['r'], level: 1 });
});

describe('a signing key', () => {
  test.each(['RS256', 'ES256', 'ES384', 'EdDSA'])(
    'of %s in PEM signs what its public key verifies',
    async (algorithm) => {
      const { privatePem, publicPem } = await testKey('k', algorithm);
      const key = readSigningKey(privatePem);
      if (!key.ok) throw new Error(key.reason);
      expect(key.value.algorithm).toBe(algorithm);
      const { token, expiresAt } = await signToken({ tid: 't' }, key.value, { now, expiresInMs: 60_000 });
      expect(expiresAt).toBe(now + 60_000);
      const { payload } = await jwtVerify(token, await importSPKI(publicPem, algorithm), {
        currentDate: new Date(now),
      });
      expect(payload).toEqual({ tid: 't', iat: now / 1000, exp: now / 1000 + 60 });
    },
  );

  test('as a JWK brings its key id and algorithm', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'PS256' });
    const key = readSigningKey(jwk);
    if (!key.ok) throw new Error(key.reason);
    const { token } = await signToken({}, key.value, { now, expiresInMs: 1000 });
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'PS256', kid: 'k1', typ: 'JWT' });
    expect(readSigningKey(jwk, 'RS512')).toMatchObject({ value: { algorithm: 'RS512' } });
  });

  test('is refused when it is none, without quoting it', async () => {
    const { publicPem } = await testKey('k');
    for (const text of ['', 'hunter2', publicPem, '{"kty":"RSA"}', '{"hunter2":1}', 'null', '[]']) {
      expect(readSigningKey(text)).toEqual({ ok: false, reason: 'the file holds no private key in PEM or as a JWK' });
    }
    const { privateKey } = generateKeyPairSync('x25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(readSigningKey(pem)).toEqual({ ok: false, reason: 'there is no algorithm for a key of the type x25519' });
  });
});

describe('POST /v1/development/tokens', () => {
  async function post(request: InjectOptions = {}, exposed = false) {
    const issuer = await createDevelopmentIssuer(new ManualClock(now));
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(developmentTokenRoutes(issuer, { exposed }));
    return app.inject({
      method: 'POST',
      url: '/v1/development/tokens',
      payload: {},
      ...request,
      headers: { host: 'localhost:8080', ...request.headers },
    });
  }

  test('answers 201 with a token and its end', async () => {
    const payload = {
      tenant: 't1',
      businessUnit: 'b',
      workstation: '001',
      user: 'u',
      roles: ['edgeward.client'],
      claims: { a: [1] },
      expiresInMs: 5000,
    };
    const response = await post({ payload });
    expect(response.statusCode).toBe(201);
    expect(response.headers['cache-control']).toBe('no-store');
    const { token, expiresAt } = response.json<{ token: string; expiresAt: number }>();
    expect(expiresAt).toBe(now + 5000);
    expect(decodeJwt(token)).toEqual({
      iss: 'edgeward-development',
      iat: now / 1000,
      exp: now / 1000 + 5,
      tenant: 't1',
      business_unit: 'b',
      workstation: '001',
      sub: 'u',
      roles: ['edgeward.client'],
      a: [1],
    });
  });

  test('by default a token lasts an hour', async () => {
    expect((await post()).json()).toMatchObject({ expiresAt: now + 3_600_000 });
  });

  test.each<[string, InjectOptions]>([
    ['an IPv4 peer', { remoteAddress: '127.0.0.1' }],
    ['an IPv6 peer', { remoteAddress: '::1' }],
    ['a mapped peer', { remoteAddress: '::ffff:127.0.0.1' }],
    ['another loopback host', { headers: { host: '127.0.0.1:8080' } }],
    ['an IPv6 host', { headers: { host: '[::1]:8080' } }],
    ['its own page', { headers: { origin: 'http://localhost:8080' } }],
    ['a page of another port of this machine', { headers: { origin: 'http://127.0.0.1:5173' } }],
  ])('answers %s', async (_, request) => {
    expect((await post(request)).statusCode).toBe(201);
  });

  test.each<[string, InjectOptions, string]>([
    ['a peer elsewhere', { remoteAddress: '10.0.0.7' }, 'Development tokens are for this machine only.'],
    ['a name that was pointed here', { headers: { host: 'evil.example.com:8080' } }, 'The Host must be localhost'],
    ['a name that looks like it', { headers: { host: '127.0.0.1.evil.example.com' } }, 'The Host must be localhost'],
    ['no host', { headers: { host: ':8080' } }, 'The Host must be localhost'],
    ['a page elsewhere', { headers: { origin: 'https://evil.example.com' } }, 'Pages of other sites'],
    ...['forwarded', 'via', 'x-real-ip', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto'].map(
      (name): [string, InjectOptions, string] => [
        `what came through a proxy (${name})`,
        { headers: { [name]: '1.1 example' } },
        `Development tokens go through no proxy, and the header "${name.toLowerCase()}" is of one.`,
      ],
    ),
    ['a page without an origin', { headers: { origin: 'null' } }, 'Pages of other sites'],
  ])('refuses %s', async (_, request, detail) => {
    const response = await post(request);
    expect(response.statusCode).toBe(403);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.json()).toMatchObject({ title: 'Forbidden', status: 403, detail: expect.stringContaining(detail) });
    expect(response.body).not.toContain('eyJ');
  });

  test('in a container, peers from elsewhere are answered by a loopback name only', async () => {
    expect((await post({ remoteAddress: '172.17.0.1' }, true)).statusCode).toBe(201);
    const other = { remoteAddress: '172.17.0.1', headers: { host: 'evil.example.com' } };
    expect((await post(other, true)).statusCode).toBe(403);
  });

  test.each<[string, InjectOptions, string]>([
    ['an unknown field', { payload: { tennant: 't' } }, 'Unrecognized key: "tennant"'],
    ['a number', { payload: { tenant: 5 } }, 'tenant: '],
    ['roles that are text', { payload: { roles: 'a' } }, 'roles: '],
    ['a life of nothing', { payload: { expiresInMs: 0 } }, 'expiresInMs: '],
    ['the issuer', { payload: { claims: { iss: 'https://auth.retailsvc.com/' } } }, 'claims: "iss" and "iat" are'],
    ['the end', { payload: { claims: { exp: 9_999_999_999 } } }, 'follows from `expiresInMs`'],
    ['a list', { payload: [] }, 'body: '],
    ['no JSON', { payload: '{', headers: { 'content-type': 'application/json' } }, 'The body must be a JSON object'],
    ['nothing', { payload: '', headers: { 'content-type': 'application/json' } }, 'The body must be a JSON object'],
    [
      'a prototype',
      { payload: '{"__proto__":{"tenant":"t"}}', headers: { 'content-type': 'application/json' } },
      'The body must be a JSON object',
    ],
  ])('answers 400 to %s', async (_, request, detail) => {
    const response = await post(request);
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.json()).toMatchObject({ status: 400, detail: expect.stringContaining(detail) });
  });

  test('takes neither a form nor a large body', async () => {
    const form = { payload: 'tenant=t', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await post(form)).statusCode).toBe(415);
    expect((await post({ payload: { claims: { a: 'a'.repeat(9000) } } })).statusCode).toBe(413);
  });
});

import { expect, test } from 'vitest';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { testKey } from '../../support/key-server.ts';

const problemsOf = (kind: Record<string, unknown>): string[] => {
  const parsed = identitySettings.safeParse({ tokens: { kind } });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

const url = 'https://auth.example.com/jwks.json';
const secret = '0123456789abcdef0123456789abcdef';

test.each<[string, Record<string, unknown>]>([
  ['JWKS', { jwks: url, issuers: ['https://auth.example.com/'], audiences: ['https://hiiretail.com'] }],
  ['x509 on loopback', { x509: 'http://127.0.0.1:9000/x509' }],
  ['a loopback name', { jwks: 'http://localhost:9000/jwks' }],
  ['IPv6 loopback', { jwks: 'http://[::1]:9000/jwks' }],
  ['issuers paired with audiences', { jwks: url, issuers: ['a', 'b'], audiences: ['x', 'y'] }],
  ['one audience for all issuers', { jwks: url, issuers: ['a', 'b'], audiences: ['x'] }],
  ['audiences without issuers', { jwks: url, audiences: ['x', 'y'] }],
  ['a shared secret', { secret, algorithms: ['HS256'] }],
  ['the development issuer', { development: true }],
  ['a derived variable', { jwks: url, variables: { user: { sha256: ['sub', 'iss', 'tenant'] } } }],
])('accepts %s', (_, kind) => {
  expect(problemsOf(kind)).toEqual([]);
});

test.each<[Record<string, unknown>, string]>([
  [{}, 'tokens.kind: needs exactly one of jwks, x509, pem, pemFile, secret, introspection, development; none is given'],
  [
    { jwks: url, x509: url },
    'tokens.kind: needs exactly one of jwks, x509, pem, pemFile, secret, introspection, development; given',
  ],
  [{ jwks: url, algorithms: ['HS256'] }, 'tokens.kind.algorithms: HS256 needs `secret`, never public keys'],
  [{ secret, jwks: url, algorithms: ['HS256'] }, 'given are jwks and secret'],
  [{ secret }, 'tokens.kind.algorithms: RS256 cannot be checked with `secret`'],
  [{ secret, algorithms: ['HS256', 'RS256'] }, 'tokens.kind.algorithms: RS256 cannot be checked'],
  [{ secret: 'short', algorithms: ['HS256'] }, 'tokens.kind.secret: must have at least 32 bytes for HS256'],
  [{ secret, algorithms: ['HS512'] }, 'tokens.kind.secret: must have at least 64 bytes for HS512'],
  [{ jwks: url, algorithms: ['none'] }, 'tokens.kind.algorithms.0: '],
  [{ jwks: 'http://auth.example.com/jwks' }, 'tokens.kind.jwks: must begin with https://'],
  [{ jwks: 'http://127.0.0.1.example.com/jwks' }, 'tokens.kind.jwks: must begin with https://'],
  [{ jwks: 'https://user:secret@auth.example.com/' }, 'tokens.kind.jwks: must hold no user name or password'],
  [{ jwks: 'auth.example.com' }, 'tokens.kind.jwks: must be a whole URL'],
  [{ jwks: 'file:///etc/passwd' }, 'tokens.kind.jwks: must begin with https://'],
  [{ pem: 'nonsense' }, 'tokens.kind.pem: it must be a public key or certificate in PEM'],
  [
    { jwks: url, issuers: ['a', 'b', 'c'], audiences: ['x', 'y'] },
    'tokens.kind.audiences: must be one for all issuers',
  ],
  [{ jwks: url, requiredVariables: ['tenant'] }, 'tokens.kind.requiredVariables.0: "tenant" is not among `variables`'],
  [{ development: true, issuers: ['a'] }, 'tokens.kind.issuers: is fixed by `development: true`'],
  [{ jwks: url, issuer: 'a' }, 'Unrecognized key: "issuer"'],
  [{ jwks: url, permissions: [{ http: 'x' }] }, 'tokens.kind.permissions.0: '],
])('refuses %j', (kind, problem) => {
  expect(problemsOf(kind).join('\n')).toContain(problem);
});

test('a problem never holds the secret', () => {
  expect(problemsOf({ secret: 'hunter2', algorithms: ['HS256'] }).join()).not.toContain('hunter2');
});

test('refuses a private key where the public one belongs', async () => {
  const { privatePem, publicPem } = await testKey('k');
  expect(problemsOf({ pem: privatePem })).toEqual(['tokens.kind.pem: it holds a private key; give the public one']);
  expect(problemsOf({ pem: publicPem })).toEqual([]);
});

test('refuses a kind whose name no condition could read', () => {
  const parsed = identitySettings.safeParse({ tokens: { 'my-token': { jwks: url } } });
  expect(parsed.error?.issues).toMatchObject([
    { path: ['tokens', 'my-token'], message: expect.stringContaining('must be a name of letters, digits and "_"') },
  ]);
});

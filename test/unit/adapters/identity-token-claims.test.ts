import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Claims,
  claimsAsWritten,
  claimsWithNumbersAsText,
  tokenPermissions,
  tokenVariables,
} from '../../../src/adapters/identity/token-claims.ts';
import { tokenSettings } from '../../../src/adapters/identity/token-settings.ts';

const claimsOf = (json: string): Claims => {
  const claims = claimsWithNumbersAsText(new TextEncoder().encode(json));
  if (!claims.ok) throw new Error(claims.reason);
  return claims.value;
};

describe('tokenVariables', () => {
  const alternatives = { v: ['business_unit_id', 'buid'] };

  test.each<[string, unknown]>([
    ['{"business_unit_id": "12345"}', '12345'],
    ['{"business_unit_id": 12345}', '12345'],
    ['{"business_unit_id": "0001"}', '0001'],
    ['{"business_unit_id": 12345678901234567890}', '12345678901234567890'],
    ['{"business_unit_id": 1.0}', '1.0'],
    ['{"business_unit_id": -0}', '-0'],
    ['{"business_unit_id": true}', 'true'],
    ['{"business_unit_id": false}', 'false'],
    ['{"business_unit_id": ["a", 1, true]}', ['a', '1', 'true']],
    ['{"business_unit_id": ["a", ""]}', ['a']],
    ['{"business_unit_id": "__proto__"}', '__proto__'],
    ['{"buid": "b"}', 'b'],
    ['{"business_unit_id": "a", "buid": "b"}', 'a'],
    ['{"business_unit_id": "", "buid": "b"}', 'b'],
    ['{"business_unit_id": null, "buid": "b"}', 'b'],
    ['{"business_unit_id": {"a": 1}, "buid": "b"}', 'b'],
    ['{"ext": {"buid": 7}}', '7'],
    ['{"ext": {"business_unit_id": "below"}, "buid": "top"}', 'below'],
    ['{"ext": {"business_unit_id": "below"}, "business_unit_id": "top"}', 'top'],
    ['{"ext": [{"buid": "b"}]}', undefined],
    ['{"ext": "text"}', undefined],
    ['{"business_unit_id": []}', undefined],
    ['{"business_unit_id": ["a", {"b": 1}]}', undefined],
    ['{"business_unit_id": [null]}', undefined],
    ['{}', undefined],
  ])('hiiretail 8.8: of %s it is %j', (json, expected) => {
    expect(tokenVariables(alternatives, claimsOf(json)).get('v')).toEqual(expected);
  });

  test('a claim is one name, with its dots and slashes', () => {
    const tenant = { tenant: ['https://extendaretail.com/tenant', 'a.b'] };
    expect(tokenVariables(tenant, claimsOf('{"https://extendaretail.com/tenant": "t1"}')).get('tenant')).toBe('t1');
    expect(tokenVariables(tenant, claimsOf('{"a.b": "t2"}')).get('tenant')).toBe('t2');
    expect(tokenVariables(tenant, claimsOf('{"a": {"b": "t3"}}')).size).toBe(0);
  });

  test('brainlife: group ids are a list of text', () => {
    const variables = tokenVariables({ groups: ['gids'] }, claimsOf('{"gids": [5, 0, 12], "exp": 1700000000.5}'));
    expect(variables.get('groups')).toEqual(['5', '0', '12']);
  });

  const hashed = {
    tenant: ['https://extendaretail.com/tenant'],
    user: { sha256: ['sub', 'iss', 'tenant'] },
    subject: ['sub'],
  };

  test('hiiretail 8.19: the user is SHA-256 of sub, iss and tenant in lower-case hexadecimal; `sub` is there too', () => {
    const issuer = 'https://securetoken.google.com/hiidentity-staff';
    const claims = claimsOf(`{"sub": "u1", "iss": "${issuer}", "https://extendaretail.com/tenant": "t1"}`);
    const variables = tokenVariables(hashed, claims);
    expect(variables.get('user')).toBe(createHash('sha256').update(`u1${issuer}t1`).digest('hex'));
    expect(variables.get('user')).toMatch(/^[0-9a-f]{64}$/);
    expect(variables.get('subject')).toBe('u1');
  });

  test.each(['{"iss": "i", "https://extendaretail.com/tenant": "t"}', '{"sub": "u", "iss": "i"}', '{"sub": ["u"]}'])(
    'a derived variable is absent when a part is: %s',
    (json) => {
      expect(tokenVariables(hashed, claimsOf(json)).has('user')).toBe(false);
    },
  );

  test('claims of any JSON make text and lists of text that the claims hold, never anything of a prototype', {
    timeout: 30_000,
  }, () => {
    const names = ['toString', '__proto__', 'constructor', 'a', 'ext', 'length'];
    const settings = Object.fromEntries(names.map((name) => [`v_${name}`, [name]]));
    const name = fc.constantFrom(...names, 'other');
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(fc.jsonValue(), fc.dictionary(name, fc.jsonValue()))), (given) => {
        const json = JSON.stringify(given);
        const claims = claimsOf(json);
        const all: Claims = JSON.parse(json);
        for (const [variable, value] of tokenVariables(settings, claims)) {
          const claim = variable.slice(2);
          const extension = all['ext'];
          const held =
            Object.hasOwn(all, claim) ||
            (typeof extension === 'object' && extension !== null && Object.hasOwn(extension, claim));
          expect(held).toBe(true);
          expect([value].flat().every((text) => typeof text === 'string' && text !== '')).toBe(true);
        }
      }),
    );
  });

  test('what a claim inherits is no claim', () => {
    const claims: Claims = Object.create({ buid: 'inherited', ext: { buid: 'inherited' } });
    expect(tokenVariables({ v: ['buid'] }, claims).size).toBe(0);
  });

  test('claims that are nested thousands of levels deep are refused', () => {
    const deep = `{"a":${'['.repeat(8000)}${']'.repeat(8000)}}`;
    expect(claimsWithNumbersAsText(new TextEncoder().encode(deep))).toEqual({
      ok: false,
      reason: 'the claims are nested too deep',
    });
  });
});

describe('tokenPermissions', () => {
  const byRole = new Map([
    ['sio.websocket-client', ['sio.websocket.connect', 'sio.websocket.read']],
    ['sio.bu-rooms-client', ['sio.bu-rooms.join', 'sio.websocket.read']],
  ]);

  test('unites roles, claims and what the config gives, each once', () => {
    const claims = claimsOf('{"roles": ["sio.websocket-client", "unknown"], "scope": "user_api.full_access other"}');
    const settings = [
      { static: ['always'] },
      { rolesClaim: 'roles' },
      { claim: 'scope' },
      { claim: 'absent' },
      { static: ['always'] },
    ];
    expect(tokenPermissions(settings, byRole, claims)).toEqual({
      roles: ['sio.websocket-client', 'unknown'],
      permissions: ['always', 'user_api.full_access', 'other', 'sio.websocket.connect', 'sio.websocket.read'],
    });
  });

  test.each<[string, string[]]>([
    ['"sio.websocket-client,sio.bu-rooms-client"', ['sio.websocket-client', 'sio.bu-rooms-client']],
    ['" sio.websocket-client  sio.bu-rooms-client "', ['sio.websocket-client', 'sio.bu-rooms-client']],
    ['["a b"]', ['a b']],
    ['{"a": true}', []],
    ['""', []],
    ['5', ['5']],
  ])('the role ids of %s are %j', (roles, expected) => {
    expect(tokenPermissions([{ rolesClaim: 'r' }], byRole, claimsOf(`{"r": ${roles}}`)).roles).toEqual(expected);
  });

  test.each<[string, string[]]>([
    ['"till-1"', ['sio.websocket-client', 'sio.bu-rooms-client']],
    ['["till-1", "store managers", "nobody", "till-1"]', ['sio.websocket-client', 'sio.bu-rooms-client', 'boss']],
    ['"store managers"', ['boss']],
    ['"store, till-1"', ['comma']],
    ['12345678901234567890', ['big']],
    ['"nobody"', []],
    ['""', []],
    ['["till-1", {}]', []],
    ['{"till-1": true}', []],
    ['"__proto__"', []],
    ['"constructor"', []],
  ])('a map gives roles by what a claim says, exactly: %s', (value, expected) => {
    const map = {
      claim: 'who',
      roles: {
        'till-1': ['sio.websocket-client', 'sio.bu-rooms-client'],
        'store managers': ['boss'],
        'store, till-1': ['comma'],
        '12345678901234567890': ['big'],
      },
    };
    expect(tokenPermissions([{ map }], byRole, claimsOf(`{"who": ${value}}`)).roles).toEqual(expected);
    expect(tokenPermissions([{ map }], byRole, claimsOf(`{"ext": {"who": ${value}}}`)).roles).toEqual(expected);
  });

  test('roles of a map have their permissions, and stand beside those of claims', () => {
    const map = { claim: 'client_id', roles: { a: ['sio.bu-rooms-client', 'sio.websocket-client'] } };
    const claims = claimsOf('{"client_id": "a", "roles": ["sio.websocket-client"]}');
    expect(tokenPermissions([{ rolesClaim: 'roles' }, { map }, { static: [] }], byRole, claims)).toEqual({
      roles: ['sio.websocket-client', 'sio.bu-rooms-client'],
      permissions: ['sio.websocket.connect', 'sio.websocket.read', 'sio.bu-rooms.join'],
    });
  });

  test.each(['__proto__', 'constructor', 'toString'])('a role named %s has no permissions', (role) => {
    const claims = claimsOf(`{"r": ["${role}"]}`);
    expect(tokenPermissions([{ rolesClaim: 'r' }], byRole, claims).permissions).toEqual([]);
  });

  test.each(['scope', 'scopes', 'scp'])('salto-ks 8.4: a scope claim as text or array, under %s', (name) => {
    const sources = [{ claim: 'scope' }, { claim: 'scopes' }, { claim: 'scp' }];
    for (const value of ['"openid user_api.full_access"', '["openid", "user_api.full_access"]']) {
      const { permissions } = tokenPermissions(sources, byRole, claimsOf(`{"${name}": ${value}}`));
      expect(permissions).toEqual(['openid', 'user_api.full_access']);
    }
  });
});

test('claims that are read once say what they say when all their numbers are text', () => {
  const variables = { x: ['a', 'b'], hash: { sha256: ['x', 'c'] } };
  const permissions = [{ rolesClaim: 'a' }, { claim: 'b' }, { map: { claim: 'c', roles: { 1: ['one'] } } }];
  const settings = tokenSettings.parse({ development: true, variables, permissions });
  const value = fc.oneof(fc.constantFrom(1, 1e30, 'one', '', null), fc.jsonValue({ maxDepth: 2 }));
  const claims = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'exp', '__proto__'), value, { maxKeys: 5 });
  fc.assert(
    fc.property(claims, fc.option(fc.oneof(claims, value)), (top, ext) => {
      const text = new TextEncoder().encode(JSON.stringify({ ...top, ext }));
      const said = (read: ReturnType<typeof claimsWithNumbersAsText>) =>
        read.ok && [
          tokenVariables(settings.variables, read.value),
          tokenPermissions(settings.permissions, new Map(), read.value),
        ];
      const given = JSON.parse(new TextDecoder().decode(text));
      expect(said(claimsAsWritten(settings, given, text))).toEqual(said(claimsWithNumbersAsText(text)));
    }),
  );
});

import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRaw, connectStock, outcomeOf, refusalOf } from '../support/hiiretail-clients.ts';
import { deliveriesOf } from '../support/hiiretail-deliveries.ts';
import { type HiiretailGateway, startHiiretail } from '../support/hiiretail-gateway.ts';
import {
  type Claims,
  type HiiretailIssuers,
  ocmsIssuer,
  shoppersIssuer,
  staffIssuer,
} from '../support/hiiretail-issuers.ts';
import { testKey } from '../support/key-server.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const topic = 'che.public.event.session-changed.v1';

describeWithPubSub('hiiretail: tokens', () => {
  let gateway: HiiretailGateway;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics: [topic] });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const nowS = (): number => Math.floor(Date.now() / 1000);
  const tenantClaim = 'https://extendaretail.com/tenant';
  const client = ['sio.websocket-client'];

  const claimsOf = (token: string): Claims =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

  const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** A key that is not known may be a new one: as long as the issuer is not asked again so soon, nobody can tell. */
  const keyUnknown: string = expect.stringMatching(/^(try_later|token_signature_invalid)$/);

  type Forge = (issuers: HiiretailIssuers, claims: Claims, kid: string) => Promise<string>;

  /** Tokens with good claims that their issuer has not signed. */
  const forgeries: readonly (readonly [what: string, forge: Forge, outcome: string])[] = [
    [
      'signed with a key of somebody else',
      async (_, claims, kid) => (await testKey(kid)).sign(claims),
      'token_signature_invalid',
    ],
    [
      'signed with a key that nobody knows',
      async (_, claims) => (await testKey('public:unknown')).sign(claims),
      keyUnknown,
    ],
    [
      'signed with ES256',
      async (_, claims, kid) => (await testKey(kid, 'ES256')).sign(claims),
      'token_algorithm_refused',
    ],
    [
      'signed with PS256',
      async (_, claims, kid) => (await testKey(kid, 'PS256')).sign(claims),
      'token_algorithm_refused',
    ],
    [
      'signed with RS512',
      async (_, claims, kid) => (await testKey(kid, 'RS512')).sign(claims),
      'token_algorithm_refused',
    ],
    [
      'not signed',
      async (_, claims, kid) => `${base64url({ alg: 'none', kid })}.${base64url(claims)}.`,
      'token_algorithm_refused',
    ],
    [
      'of another token’s signature',
      async ({ ocms, iam }, claims, kid) => {
        const [, , signature] = (await (kid === iam.key.kid ? iam : ocms).mint()).split('.');
        return `${base64url({ alg: 'RS256', kid })}.${base64url(claims)}.${signature}`;
      },
      'token_signature_invalid',
    ],
  ];

  /** With the public key as a secret, which is no secret (RFC 8725 section 2.1). */
  const signedWithPublicKey = (claims: Claims, kid: string, publicPem: string): Promise<string> =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', kid }).sign(new TextEncoder().encode(publicPem));

  type ClaimsCase = readonly [what: string, claims: Claims, outcome: string];

  /** For tokens of both kinds. */
  const times: readonly ClaimsCase[] = [
    ['good', {}, 'let in'],
    ['with a moment to live', { exp: nowS() + 600 }, 'let in'],
    ['expired', { exp: nowS() - 10 }, 'token_expired'],
    ['expired since an hour', { iat: nowS() - 7200, exp: nowS() - 3600 }, 'token_expired'],
    ['without exp', { exp: undefined }, 'token_claims_invalid'],
    ['with exp as text', { exp: `${nowS() + 600}` }, 'token_claims_invalid'],
    ['of tomorrow', { nbf: nowS() + 86_400, exp: nowS() + 90_000 }, 'token_not_yet_valid'],
    ['without iss', { iss: undefined }, 'token_issuer_unknown'],
    ['with a list of issuers', { iss: [ocmsIssuer, staffIssuer] }, 'token_issuer_unknown'],
    ['of an issuer that is not known', { iss: 'https://example.com/' }, 'token_issuer_unknown'],
    ['without aud', { aud: undefined }, 'token_audience_wrong'],
    ['for somebody else', { aud: 'https://example.com' }, 'token_audience_wrong'],
    ['for nobody', { aud: [] }, 'token_audience_wrong'],
  ];

  describe('8.4 a token of a person', () => {
    const cases: readonly ClaimsCase[] = [
      ...times,
      ['of staff', { iss: staffIssuer, aud: 'hiidentity-staff' }, 'let in'],
      ['of shoppers', { iss: shoppersIssuer, aud: 'hiidentity-shoppers' }, 'let in'],
      ['of staff, its audience in a list', { aud: ['hiidentity-staff'] }, 'let in'],
      ['of staff for shoppers', { iss: staffIssuer, aud: 'hiidentity-shoppers' }, 'token_audience_wrong'],
      ['of shoppers for staff', { iss: shoppersIssuer, aud: 'hiidentity-staff' }, 'token_audience_wrong'],
      ['for machines', { aud: ['https://hiiretail.com'] }, 'token_audience_wrong'],
      ['of an issuer with a slash', { iss: `${staffIssuer}/` }, 'token_issuer_unknown'],
      ['of another project', { iss: 'https://securetoken.google.com/other', aud: 'other' }, 'token_issuer_unknown'],
      // Its keys are others.
      ['that says it is of the machines’ issuer', { iss: ocmsIssuer, aud: ['https://hiiretail.com'] }, keyUnknown],
      ['without a tenant', { [tenantClaim]: undefined }, 'token_claims_invalid'],
      ['with an empty tenant', { [tenantClaim]: '' }, 'token_claims_invalid'],
      ['with null as tenant', { [tenantClaim]: null }, 'token_claims_invalid'],
      ['with an object as tenant', { [tenantClaim]: { id: 't1' } }, 'token_claims_invalid'],
      ['with the tenant of machines only', { [tenantClaim]: undefined, tid: 't1' }, 'token_claims_invalid'],
    ];

    test.each(cases)('8.4 %s', async (_what, claims, outcome) => {
      const token = await gateway.issuers.iam.mint({ roles: client, ...claims });
      expect(await outcomeOf(gateway.url, { token })).toEqual(outcome);
    });

    test.each(forgeries)('8.4 %s', async (_what, forge, outcome) => {
      const { issuers } = gateway;
      const claims = claimsOf(await issuers.iam.mint({ roles: client }));
      expect(await outcomeOf(gateway.url, { token: await forge(issuers, claims, issuers.iam.key.kid) })).toEqual(
        outcome,
      );
    });

    test('8.4 signed with the public key as a secret', async () => {
      const { mint, key } = gateway.issuers.iam;
      const claims = claimsOf(await mint({ roles: client }));
      const token = await signedWithPublicKey(claims, key.kid, key.publicPem);
      expect(await outcomeOf(gateway.url, { token })).toBe('token_algorithm_refused');
    });
  });

  describe('8.5 a token of a machine', () => {
    const cases: readonly ClaimsCase[] = [
      ...times,
      ['with the audience as text', { aud: 'https://hiiretail.com' }, 'let in'],
      ['with further audiences', { aud: ['https://example.com', 'https://hiiretail.com'] }, 'let in'],
      ['with a slash behind the audience', { aud: ['https://hiiretail.com/'] }, 'token_audience_wrong'],
      ['for persons', { aud: 'hiidentity-staff' }, 'token_audience_wrong'],
      ['without the slash of the issuer', { iss: ocmsIssuer.slice(0, -1) }, 'token_issuer_unknown'],
      ['of http', { iss: ocmsIssuer.replace('https', 'http') }, 'token_issuer_unknown'],
      ['that says it is of the persons’ issuer', { iss: staffIssuer, aud: 'hiidentity-staff' }, keyUnknown],
      ['with a number as tenant', { tid: 42 }, 'let in'],
      ['without a tenant', { tid: undefined }, 'token_claims_invalid'],
      ['with an empty tenant', { tid: '' }, 'token_claims_invalid'],
      ['with null as tenant', { tid: null }, 'token_claims_invalid'],
      ['with an object as tenant', { tid: { id: 't1' } }, 'token_claims_invalid'],
    ];

    test.each(cases)('8.5 %s', async (_what, claims, outcome) => {
      const token = await gateway.issuers.ocms.mint(claims);
      expect(await outcomeOf(gateway.url, { token })).toEqual(outcome);
    });

    test.each(forgeries)('8.5 %s', async (_what, forge, outcome) => {
      const { issuers } = gateway;
      const claims = claimsOf(await issuers.ocms.mint());
      expect(await outcomeOf(gateway.url, { token: await forge(issuers, claims, issuers.ocms.key.kid) })).toEqual(
        outcome,
      );
    });

    test('8.5 signed with the public key as a secret', async () => {
      const { mint, key } = gateway.issuers.ocms;
      const token = await signedWithPublicKey(claimsOf(await mint()), key.kid, key.publicPem);
      expect(await outcomeOf(gateway.url, { token })).toBe('token_algorithm_refused');
    });
  });

  describe('8.6 permissions', () => {
    const withRoles = (roles: unknown) => ({ roles });
    const cases: readonly (readonly [what: string, roles: unknown, outcome: string])[] = [
      ['the role of clients', client, 'let in'],
      ['it among others', ['abc.other', 'sio.websocket-client'], 'let in'],
      ['no role', [], 'access_denied'],
      ['no claim with roles', undefined, 'access_denied'],
      ['the role for additional rooms only', ['sio.bu-rooms-client'], 'access_denied'],
      ['a role of another name', ['sio.websocket', 'SIO.websocket-client', 'sio.websocket-clients'], 'access_denied'],
      ['the permissions as roles', ['sio.websocket.connect', 'sio.websocket.read'], 'access_denied'],
      ['a role that every object has', ['constructor', '__proto__', 'toString'], 'access_denied'],
    ];

    test.each(cases)('8.6 mode 1, %s', async (_what, roles, outcome) => {
      expect(await outcomeOf(gateway.url, { token: await gateway.issuers.ocms.mint(withRoles(roles)) })).toBe(outcome);
    });

    test.each(cases)('8.6 mode 2, %s', async (_what, roles, outcome) => {
      expect(await outcomeOf(gateway.url, { token: await gateway.issuers.iam.mint(withRoles(roles)) })).toBe(outcome);
    });

    test.each(cases)(
      '8.6 mode 3, %s for the machine: that of the person does not count',
      async (_what, roles, outcome) => {
        const token = await gateway.issuers.ocms.mint(withRoles(roles));
        const [without, having] = await Promise.all([
          gateway.issuers.iam.mint(),
          gateway.issuers.iam.mint({ roles: client }),
        ]);
        for (const userToken of [without, having])
          expect(await outcomeOf(gateway.url, { token, query: { userToken } })).toBe(outcome);
      },
    );
  });

  describe('8.7 the token of a person beside that of a machine', () => {
    type Present = (issuers: HiiretailIssuers) => Promise<unknown>;
    test.each<readonly [what: string, present: Present, outcome: string]>([
      ['good', ({ iam }) => iam.mint(), 'let in'],
      ['of shoppers', ({ iam }) => iam.mint({ iss: shoppersIssuer, aud: 'hiidentity-shoppers' }), 'let in'],
      ['of another tenant', ({ iam }) => iam.mint({ [tenantClaim]: 't2' }), 'credentials_conflict'],
      ['of a tenant that is nearly the same', ({ iam }) => iam.mint({ [tenantClaim]: 'T1' }), 'credentials_conflict'],
      ['without a tenant', ({ iam }) => iam.mint({ [tenantClaim]: undefined }), 'token_claims_invalid'],
      ['expired', ({ iam }) => iam.mint({ exp: nowS() - 10 }), 'token_expired'],
      ['for somebody else', ({ iam }) => iam.mint({ aud: 'hiidentity-shoppers' }), 'token_audience_wrong'],
      ['of somebody else', ({ iam }) => iam.mint({ iss: 'https://example.com' }), 'token_issuer_unknown'],
      ['of a machine', ({ ocms }) => ocms.mint(), 'token_issuer_unknown'],
      [
        'of somebody else’s key',
        async ({ iam }) => (await testKey(iam.key.kid)).sign(claimsOf(await iam.mint())),
        'token_signature_invalid',
      ],
      ['garbage', async () => 'garbage', 'token_malformed'],
      ['with a scheme', async ({ iam }) => `Bearer ${await iam.mint()}`, 'token_malformed'],
      ['twice', async ({ iam }) => [await iam.mint(), await iam.mint()], 'token_malformed'],
    ])('8.7 %s', async (_what, present, outcome) => {
      const [token, userToken] = await Promise.all([gateway.issuers.ocms.mint(), present(gateway.issuers)]);
      expect(await outcomeOf(gateway.url, { token, query: { userToken } })).toBe(outcome);
    });

    test('8.7 given twice, as another language writes it', async () => {
      const [token, userToken] = await Promise.all([gateway.issuers.ocms.mint(), gateway.issuers.iam.mint()]);
      const query = `&userToken=${userToken}&userToken=${userToken}`;
      await expect(connectRaw(gateway.url, query, token)).rejects.toThrow('"code":"token_malformed"');
    });

    test.each(['', undefined, null, 'undefined', 'null'])('8.7 %j is none: this is mode 1', async (userToken) => {
      const token = await gateway.issuers.ocms.mint({ buid: 'u1' });
      using connected = await connectStock(gateway.url, { token, query: { userToken } });
      const event = { name: 'to the unit', topic, attributes: { 'Tenant-Id': 't1', 'Business-Unit-Id': 'u1' } };
      const till = { name: 'till', client: connected, tenant: 't1', topic };
      expect(await deliveriesOf(gateway, [till], [event])).toEqual({ till: ['to the unit'] });
    });

    test('8.7 beside that of a person it is not looked at: this is mode 2', async () => {
      const { ocms, iam } = gateway.issuers;
      const token = await iam.mint({ roles: client });
      const beside = ['garbage', await iam.mint({ [tenantClaim]: 't2' }), await ocms.mint({ buid: 'u1' })];
      for (const userToken of beside) {
        using connected = await connectStock(gateway.url, { token, query: { userToken } });
        const events = ['t1', 't2'].flatMap((tenant) => [
          { name: tenant, topic, attributes: { 'Tenant-Id': tenant } },
          { name: `${tenant}/u1`, topic, attributes: { 'Tenant-Id': tenant, 'Business-Unit-Id': 'u1' } },
        ]);
        const person = { name: 'person', client: connected, tenant: 't1', topic };
        expect(await deliveriesOf(gateway, [person], events)).toEqual({ person: ['t1'] });
      }
      expect(await outcomeOf(gateway.url, { token: await iam.mint(), query: { userToken: await ocms.mint() } })).toBe(
        'access_denied',
      );
    });
  });

  test('8.3 a refusal names no reason beyond its code', async () => {
    const token = await gateway.issuers.ocms.mint({ tid: undefined });
    expect(await refusalOf(gateway.url, { token })).toEqual({
      message: 'The claims of the token are invalid',
      data: { code: 'token_claims_invalid' },
    });
  });
});

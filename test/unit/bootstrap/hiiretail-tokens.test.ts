import { describe, expect, test } from 'vitest';
import { algorithmsOf } from '../../../src/adapters/identity/token-settings.ts';
import {
  admit,
  type Claims,
  denialOf,
  forgedIam,
  iam,
  now,
  ocms,
  presetWith,
  roomsOf,
  staff,
} from '../../support/hiiretail-preset.ts';

const shoppers = 'https://securetoken.google.com/hiidentity-shoppers';
const withUser = async (claims: Claims = {}) => `&userToken=${await iam(claims)}`;
const mayConnect = { roles: ['sio.websocket-client'] };

describe('hiiretail section 2: three modes, told apart by the issuers of the tokens', () => {
  test('1, OCMS only', async () => {
    expect(await roomsOf({ token: await ocms() })).toEqual([
      'tenants/t1',
      'tenants/t1/business-units/b1',
      'tenants/t1/business-units/b1/workstations/0001',
      'tenants/t1/connections/c1',
    ]);
  });

  test('2, IAM only', async () => {
    expect(await roomsOf({ token: await iam(mayConnect) }, { USER_ROOM_ID: 'sub' })).toEqual([
      'tenants/t1',
      'tenants/t1/connections/c1',
      'tenants/t1/users/ann',
    ]);
  });

  test('3, OCMS and IAM', async () => {
    const presents = { token: await ocms(), query: await withUser() };
    expect(await roomsOf(presents, { USER_ROOM_ID: 'sub' })).toEqual([
      'tenants/t1',
      'tenants/t1/business-units/b1',
      'tenants/t1/business-units/b1/users/ann',
      'tenants/t1/business-units/b1/workstations/0001',
      'tenants/t1/connections/c1',
      'tenants/t1/users/ann',
    ]);
  });

  test('a user token beside an IAM token is not even looked at', async () => {
    const alone = await roomsOf({ token: await iam(mayConnect) });
    for (const userToken of [await iam({ sub: 'bob' }), await ocms(), 'nonsense', 'undefined']) {
      expect(await roomsOf({ token: await iam(mayConnect), query: `&userToken=${userToken}` })).toEqual(alone);
    }
  });

  test('an OCMS token is no user token', async () => {
    expect(await denialOf({ token: await ocms(), query: `&userToken=${await ocms()}` })).toBe('token_issuer_unknown');
  });
});

describe('hiiretail 8.3: there is a valid, bare token in auth.token', () => {
  test.each([[undefined], [''], ['undefined'], ['null'], [null], [{}], [['a']], [true]])(
    '%j is none',
    async (token) => {
      expect(await denialOf({ token })).toBe('token_missing');
    },
  );

  test.each(['Bearer ', 'bearer '])('"%s" before it is refused', async (scheme) => {
    expect(await denialOf({ token: `${scheme}${await ocms()}` })).toBe('token_malformed');
    expect(await denialOf({ token: await ocms(), query: `&userToken=${scheme}${await iam()}` })).toBe(
      'token_malformed',
    );
  });

  test('in the query it is not looked for', async () => {
    expect(await denialOf({ query: `&token=${await ocms()}` })).toBe('token_missing');
  });
});

describe('hiiretail 8.4: an IAM token', () => {
  test.each([
    ['staff', staff, 'hiidentity-staff'],
    ['shoppers', shoppers, 'hiidentity-shoppers'],
  ])('of %s', async (_, iss, aud) => {
    expect(await roomsOf({ token: await iam({ ...mayConnect, iss, aud }) })).toHaveLength(3);
  });

  test.each<[string, Claims]>([
    ['token_audience_wrong', { aud: 'hiidentity-shoppers' }],
    ['token_audience_wrong', { iss: shoppers }],
    ['token_audience_wrong', { aud: undefined }],
    ['token_issuer_unknown', { iss: 'https://securetoken.google.com/other' }],
    ['token_issuer_unknown', { iss: `${staff}/` }],
    ['token_expired', { exp: now / 1000 - 60 }],
    ['token_claims_invalid', { exp: undefined }],
    ['token_claims_invalid', { 'https://extendaretail.com/tenant': undefined }],
    ['token_claims_invalid', { 'https://extendaretail.com/tenant': '' }],
    ['token_claims_invalid', { 'https://extendaretail.com/tenant': undefined, tid: 't1' }],
  ])('is refused as %s with %o', async (code, claims) => {
    expect(await denialOf({ token: await iam({ ...mayConnect, ...claims }) })).toBe(code);
  });

  test('with the key of somebody else is refused', async () => {
    expect(await denialOf({ token: await forgedIam(mayConnect) })).toBe('token_signature_invalid');
  });

  test('issuers and audiences belong together by position, from comma lists', async () => {
    const environment = { IAM_ISSUERS: 'https://one.example, https://two.example', IAM_AUDIENCES: 'first, second' };
    const outcome = async (iss: string, aud: string) =>
      await admit({ token: await iam({ ...mayConnect, iss, aud }) }, environment);
    expect(await outcome('https://one.example', 'first')).toHaveProperty('rooms');
    expect(await outcome('https://two.example', 'second')).toHaveProperty('rooms');
    expect(await outcome('https://one.example', 'second')).toMatchObject({ denied: 'token_audience_wrong' });
    expect(await outcome('https://two.example', 'first')).toMatchObject({ denied: 'token_audience_wrong' });
    expect(await outcome(staff, 'hiidentity-staff')).toMatchObject({ denied: 'token_issuer_unknown' });
  });
});

describe('hiiretail 8.5: an OCMS token', () => {
  test.each([[['https://hiiretail.com']], ['https://hiiretail.com'], [['other', 'https://hiiretail.com']]])(
    'of the audience %j',
    async (aud) => {
      expect(await roomsOf({ token: await ocms({ aud }) })).toHaveLength(4);
    },
  );

  test.each<[string, Claims]>([
    ['token_audience_wrong', { aud: ['https://other.example'] }],
    ['token_audience_wrong', { aud: undefined }],
    ['token_issuer_unknown', { iss: 'https://auth.retailsvc.com' }],
    ['token_expired', { exp: now / 1000 - 60 }],
    ['token_claims_invalid', { exp: undefined }],
    ['token_claims_invalid', { tid: undefined }],
  ])('is refused as %s with %o', async (code, claims) => {
    expect(await denialOf({ token: await ocms(claims) })).toBe(code);
  });

  test('section 3.2: the tenant is the claim https://extendaretail.com/tenant, else tid', async () => {
    const both = { 'https://extendaretail.com/tenant': 'above', tid: 'below' };
    expect(await roomsOf({ token: await ocms(both) })).toContain('tenants/above');
  });

  test('both kinds take RS256 and nothing else', () => {
    const kinds = Object.values(presetWith().identity.tokens);
    expect(kinds.map(algorithmsOf)).toEqual([['RS256'], ['RS256']]);
  });
});

describe('hiiretail 8.7: the user token', () => {
  test.each(['', 'undefined', 'null'])('"%s" is none', async (text) => {
    const token = await ocms();
    expect(await roomsOf({ token, query: `&userToken=${text}` })).toEqual(await roomsOf({ token }));
  });

  test.each<[string, Claims]>([
    ['credentials_conflict', { 'https://extendaretail.com/tenant': 't2' }],
    ['token_expired', { exp: now / 1000 - 60 }],
    ['token_audience_wrong', { aud: 'other' }],
    ['token_claims_invalid', { 'https://extendaretail.com/tenant': undefined }],
  ])('refuses the connection as %s with %o', async (code, claims) => {
    expect(await denialOf({ token: await ocms(), query: await withUser(claims) })).toBe(code);
  });

  test('refuses the connection when it is none, or is given twice', async () => {
    expect(await denialOf({ token: await ocms(), query: '&userToken=nonsense' })).toBe('token_malformed');
    const twice = `${await withUser()}${await withUser()}`;
    expect(await denialOf({ token: await ocms(), query: twice })).toBe('token_malformed');
  });
});

describe('hiiretail 8.8: claims of an OCMS token', () => {
  const unit = { business_unit_id: undefined, workstation_id: undefined };
  const roomOf = async (claims: Claims) =>
    (await roomsOf({ token: await ocms({ ...unit, ...claims }) })).findLast((room) => room.includes('business-units'));

  test.each<[Claims, string | undefined]>([
    [{ business_unit_id: 'b2', workstation_id: 'w2' }, 'tenants/t1/business-units/b2/workstations/w2'],
    [{ buid: 'b2', wid: 'w2' }, 'tenants/t1/business-units/b2/workstations/w2'],
    [{ business_unit_id: 'long', buid: 'short' }, 'tenants/t1/business-units/long'],
    [{ business_unit_id: '', buid: 'short' }, 'tenants/t1/business-units/short'],
    [{ business_unit_id: 12345, workstation_id: '0001' }, 'tenants/t1/business-units/12345/workstations/0001'],
    [{ buid: 7, wid: 1 }, 'tenants/t1/business-units/7/workstations/1'],
    [{ ext: { business_unit_id: 12345, wid: '0001' } }, 'tenants/t1/business-units/12345/workstations/0001'],
    [{ tid: undefined, ext: { tid: 't1', buid: 'b' } }, 'tenants/t1/business-units/b'],
    [{ wid: 'w2' }, undefined],
    [{}, undefined],
  ])('%o: %s', async (claims, room) => {
    expect(await roomOf(claims)).toBe(room);
  });
});

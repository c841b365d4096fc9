import { describe, expect, test } from 'vitest';
import { answerNames } from '../../../src/adapters/access/access-settings.ts';
import { compileExpression, textList } from '../../../src/adapters/access/cel-expression.ts';
import type { Environment } from '../../../src/bootstrap/config/reference.ts';
import { allowedValue } from '../../support/domain-fixtures.ts';
import {
  admit,
  type Claims,
  denialOf,
  iam,
  needed,
  ocms,
  presetWith,
  problemsWith,
} from '../../support/hiiretail-preset.ts';

const [connect, read, join] = ['sio.websocket.connect', 'sio.websocket.read', 'sio.bu-rooms.join'];
const url = 'https://iam-api.retailsvc.com/api/v1/tenants/{tenant}/user-profile/permissions';

const mayConnect = async (token: string, environment: Environment = {}, query = ''): Promise<boolean> => {
  const outcome = await admit({ token, query }, environment);
  if ('denied' in outcome) expect(outcome.denied).toBe('access_denied');
  return 'rooms' in outcome;
};

describe('hiiretail 8.6: connect and read are required', () => {
  test.each<[readonly string[], boolean]>([
    [[connect, read], true],
    [[connect], false],
    [[read], false],
    [[join], false],
    [[], false],
  ])('with %j a machine is let in: %s', async (permissions, expected) => {
    const token = await ocms({ roles: [] });
    expect(await mayConnect(token, { OCMS_PERMISSIONS: permissions.join(', ') })).toBe(expected);
  });

  test('mode 1 and 2: of the machine, of the person', async () => {
    expect(await mayConnect(await ocms({ roles: undefined }))).toBe(false);
    expect(await mayConnect(await iam())).toBe(false);
    expect(await mayConnect(await iam({ roles: ['sio.websocket-client'] }))).toBe(true);
  });

  test('mode 3: of the machine, whatever the person may', async () => {
    const [withRole, without] = [await iam({ roles: ['sio.websocket-client'] }), await iam()];
    expect(await mayConnect(await ocms(), {}, `&userToken=${without}`)).toBe(true);
    expect(await mayConnect(await ocms({ roles: [] }), {}, `&userToken=${withRole}`)).toBe(false);
  });
});

describe('permissions of a token', () => {
  test.each<[string, Claims]>([
    ['a list of role ids', { roles: ['other', 'sio.websocket-client'] }],
    ['one role id', { roles: 'sio.websocket-client' }],
    ['role ids below ext', { roles: undefined, ext: { roles: ['sio.websocket-client'] } }],
  ])('come from the claim roles: %s', async (_, claims) => {
    expect(await mayConnect(await ocms(claims))).toBe(true);
    expect(await mayConnect(await iam(claims))).toBe(true);
  });

  test('come from another claim where OCMS_ROLES_CLAIM or IAM_ROLES_CLAIM names it', async () => {
    const environment = { OCMS_ROLES_CLAIM: 'r', IAM_ROLES_CLAIM: 'https://example.com/roles' };
    expect(await mayConnect(await ocms(), environment)).toBe(false);
    expect(await mayConnect(await ocms({ r: ['sio.websocket-client'] }), environment)).toBe(true);
    expect(await mayConnect(await iam({ 'https://example.com/roles': ['sio.websocket-client'] }), environment)).toBe(
      true,
    );
  });

  test('IAM_PERMISSIONS: every person has them', async () => {
    expect(await mayConnect(await iam(), { IAM_PERMISSIONS: `${connect},${read}` })).toBe(true);
    expect(await mayConnect(await ocms({ roles: [] }), { IAM_PERMISSIONS: `${connect},${read}` })).toBe(false);
  });

  test('OCMS_CLIENT_ROLES: a machine has the roles of its client_id', async () => {
    const environment = { OCMS_CLIENT_ROLES: '{"till-1": ["sio.websocket-client"], "12": ["sio.bu-rooms-client"]}' };
    expect(await mayConnect(await ocms({ roles: [] }), environment)).toBe(true);
    expect(await mayConnect(await ocms({ roles: [], client_id: 'till-2' }), environment)).toBe(false);
    expect(await mayConnect(await ocms({ roles: [], client_id: 12 }), environment)).toBe(false);
    expect(await mayConnect(await ocms({ roles: [], client_id: '__proto__' }), environment)).toBe(false);
  });

  test('IAM_GROUP_ROLES: a person has the roles of each group', async () => {
    const environment = {
      IAM_GROUP_ROLES: '{"cashiers": ["sio.websocket-client"], "store managers": ["sio.bu-rooms-client"]}',
    };
    expect(await mayConnect(await iam(), environment)).toBe(true);
    const groups = { 'https://extendaretail.com/groups': ['store managers', 'others'] };
    expect(await mayConnect(await iam(groups), environment)).toBe(false);
    expect(await mayConnect(await iam({ 'https://extendaretail.com/groups': undefined }), environment)).toBe(false);
  });

  test.each([
    ['till-1: sio.websocket-client', 'what is in OCMS_CLIENT_ROLES is no object in JSON'],
    ['["sio.websocket-client"]', 'what is in OCMS_CLIENT_ROLES is no object in JSON'],
    ['{"till-1": "sio.websocket-client"}', 'within it: expected a list, found text (from ${OCMS_CLIENT_ROLES})'],
  ])('OCMS_CLIENT_ROLES=%s is refused without being shown', (text, message) => {
    expect(problemsWith({ ...needed, OCMS_CLIENT_ROLES: text })).toEqual([
      `identity.tokens.ocms.permissions[2].map.roles: ${message}`,
    ]);
  });
});

describe('hiiretail 3.4: permissions that another service knows', () => {
  test('are asked for only where its URL is set', () => {
    expect(presetWith().permissionSources).toEqual({});
    expect(Object.keys(presetWith({ IAM_PERMISSIONS_URL: url }).permissionSources)).toEqual(['iam']);
    expect(Object.keys(presetWith({ OCMS_PERMISSIONS_URL: url }).permissionSources)).toEqual(['ocms']);
  });

  test('count until the token ends, which is asked with', () => {
    const sources = presetWith({ IAM_PERMISSIONS_URL: url, OCMS_PERMISSIONS_URL: url }).permissionSources;
    for (const kind of ['iam', 'ocms']) {
      expect(sources[kind]).toMatchObject({ url, credential: kind, bearer: kind, cacheMs: 86_400_000 });
    }
  });

  const { iam: source } = presetWith({ IAM_PERMISSIONS_URL: url }).permissionSources;
  const list = allowedValue(compileExpression(source?.list ?? '', answerNames));
  const permissionsIn = (status: number, body: unknown) => {
    const result = list({ status, body });
    return (result.ok ? textList(result.value) : undefined) ?? 'no telling';
  };

  test.each<[number, unknown, readonly string[]]>([
    [200, ['a', 'b'], ['a', 'b']],
    [200, { permissions: ['a'] }, ['a']],
    [
      200,
      { permissions: [{ id: 'a' }, { permissionId: 'b' }, { fullPermission: 'c' }, { permission: 'd' }, 'e'] },
      ['a', 'b', 'c', 'd', 'e'],
    ],
    [200, [{ id: 'a', bindings: [] }], ['a']],
    [200, [], []],
    [200, { permissions: [] }, []],
    [401, { message: 'no' }, []],
    [403, null, []],
    [404, ['a'], []],
  ])('%i %j are %j', (status, body, permissions) => {
    expect(permissionsIn(status, body)).toEqual(permissions);
  });

  test.each<[number, unknown]>([
    [500, ['a']],
    [301, null],
    [200, null],
    [200, 'a'],
    [200, {}],
    [200, { a: true }],
    [200, { permissions: { a: true } }],
    [200, { permissions: 'a' }],
    [200, [5]],
    [200, [{ name: 'a' }]],
    [200, [{ id: 5 }]],
    [200, [null]],
  ])('%i %j leave no telling', (status, body) => {
    expect(permissionsIn(status, body)).toBe('no telling');
  });
});

test('nobody may anything without being told so', async () => {
  expect(await denialOf({ token: await ocms({ roles: ['sio.websocket-clients', 'constructor'] }) })).toBe(
    'access_denied',
  );
});

import { describe, expect, test } from 'vitest';
import { iam, ocms, openDoor } from '../support/hiiretail-preset.ts';
import { type Backend, startBackend, status } from './access-fixture.ts';

const mayConnect = '{"permissions":["sio.websocket.connect","sio.websocket.read"]}';
const urlOf = (backend: Backend) => `${backend.origin}/api/v1/tenants/{tenant}/user-profile/permissions`;

describe('hiiretail 3.4, 8.6: permissions that the IAM API knows', () => {
  test('let a person in, are asked for with the token, and count until it ends', async () => {
    const backend = await startBackend(status(200, mayConnect));
    const { admit, clock } = openDoor({ IAM_PERMISSIONS_URL: urlOf(backend) });
    const token = await iam();
    expect(await admit({ token })).toHaveProperty('rooms');
    clock.advance(3599_000);
    expect(await admit({ token })).toHaveProperty('rooms');
    expect(backend.asked).toMatchObject([
      { url: '/api/v1/tenants/t1/user-profile/permissions', headers: { authorization: `Bearer ${token}` } },
    ]);
    expect(await admit({ token: await iam({ jti: 'another' }) })).toHaveProperty('rooms');
    expect(backend.asked).toHaveLength(2);
  });

  test.each([
    [200, '[]'],
    [200, '["sio.websocket.connect"]'],
    [403, '{"message":"no"}'],
    [404, ''],
  ])('keep a person out whom it gives too little: %i %s', async (code, body) => {
    const backend = await startBackend(status(code, body));
    const { admit } = openDoor({ IAM_PERMISSIONS_URL: urlOf(backend) });
    expect(await admit({ token: await iam() })).toMatchObject({ denied: 'access_denied' });
  });

  test('mode 3: it is not asked about the person, so it may be away', async () => {
    const backend = await startBackend(status(500));
    const { admit } = openDoor({ IAM_PERMISSIONS_URL: urlOf(backend) });
    expect(await admit({ token: await ocms(), query: `&userToken=${await iam()}` })).toHaveProperty('rooms');
    expect(backend.asked).toEqual([]);
  });

  test('a machine has its own service for that', async () => {
    const backend = await startBackend(status(200, mayConnect));
    const { admit } = openDoor({ OCMS_PERMISSIONS_URL: urlOf(backend) });
    expect(await admit({ token: await ocms({ roles: [] }) })).toHaveProperty('rooms');
    expect(await admit({ token: await iam() })).toMatchObject({ denied: 'access_denied' });
    expect(backend.asked).toHaveLength(1);
  });
});

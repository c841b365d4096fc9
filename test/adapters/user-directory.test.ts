import { expect, test } from 'vitest';
import { type DirectorySettings, directorySettings } from '../../src/adapters/directory/directory-settings.ts';
import { createHttpUserDirectory } from '../../src/adapters/directory/http-user-directory.ts';
import { brainlifeBackend, sendJson } from '../support/brainlife-backend.ts';
import { neverAborts } from './amqp-fixture.ts';

const directory = (url: string, changes: object = {}) =>
  createHttpUserDirectory(
    directorySettings.parse({ url, bearer: 'a-jwt', timeoutMs: 300, ...changes }) as DirectorySettings,
  );
const ask = (url: string, user = 'ann', changes: object = {}) =>
  directory(url, changes).addressesOf(user, neverAborts());

test('the address is asked for with the token of the service, by the id as it is', async () => {
  await using backend = await brainlifeBackend();
  backend.answer('/user/', (_request, response) => sendJson(response, 200, { email: 'ann@example.com' }));
  expect(await ask(`${backend.url}/auth`, 'a/b?c')).toEqual(['ann@example.com']);
  expect(backend.requests).toEqual([{ url: '/auth/user/a%2Fb%3Fc', authorization: 'Bearer a-jwt' }]);
});

test('an id that would lead elsewhere is nobody’s, and nobody is asked', async () => {
  await using backend = await brainlifeBackend();
  for (const user of ['..', '.', '', '\ud800']) expect(await ask(backend.url, user)).toEqual([]);
  expect(backend.requests).toEqual([]);
});

test.each<[string, number, unknown, readonly string[] | undefined]>([
  ['a list of them', 200, { email: ['a@x', '', 'b@x'] }, ['a@x', 'b@x']],
  ['no address', 200, { sub: 1 }, []],
  ['null for an address', 200, { email: null }, []],
  ['null for the user', 200, null, []],
  ['a number for an address', 200, { email: 5 }, undefined],
  ['a list', 200, [{ email: 'a@x' }], undefined],
  ['text', 200, 'a@x', undefined],
  ['404, which may be a wrong URL', 404, { email: 'a@x' }, undefined],
  ['401, which is a wrong token', 401, { email: 'a@x' }, undefined],
  ['a redirect', 302, { email: 'a@x' }, undefined],
  ['500', 500, {}, undefined],
])('%s', async (_name, status, body, addresses) => {
  await using backend = await brainlifeBackend();
  backend.answer('/user/', (_request, response) => sendJson(response, status, body));
  if (addresses) expect(await ask(backend.url)).toEqual(addresses);
  else await expect(ask(backend.url)).rejects.toMatchObject({ code: 'user_directory_unusable', disposition: 'retry' });
});

test('a service that is down, hangs, or answers with a page: there is no telling now, and the token is in no fault', async () => {
  await using backend = await brainlifeBackend();
  backend.answer('/user/html', (_request, response) => void response.end('<html>'));
  backend.answer('/user/hang', () => {});
  backend.answer('/user/large', (_request, response) => void response.end(`{"email":"${'x'.repeat(300_000)}"}`));
  for (const user of ['html', 'hang', 'large']) {
    const error: unknown = await ask(backend.url, user).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ disposition: 'retry' });
    expect(String(error)).not.toContain('a-jwt');
  }
  await backend.down();
  await expect(ask(backend.url)).rejects.toMatchObject({ code: 'http_unreachable', disposition: 'retry' });
  await backend.up();
  backend.answer('/user/', (_request, response) => sendJson(response, 200, { mail: 'ann@example.com' }));
  expect(await ask(backend.url, 'ann', { field: 'mail' })).toEqual(['ann@example.com']);
});

test.each([
  ['without {user}', '/user'],
  ['with another variable', '/user/{user}/{tenant}'],
  ['twice', '/{user}/{user}'],
])('a path %s is refused', (_name, path) => {
  expect(directorySettings.safeParse({ path }).success).toBe(false);
});

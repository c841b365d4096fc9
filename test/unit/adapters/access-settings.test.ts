import { expect, test } from 'vitest';
import { checksSettings, permissionSourcesSettings } from '../../../src/adapters/access/access-settings.ts';

const problemsOf = (check: Record<string, unknown>): string[] => {
  const parsed = checksSettings.safeParse({ warehouse: check });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

const url = 'https://warehouse.example.com/event/checkaccess/project/{project}';

test('a check needs its URL only', () => {
  expect(checksSettings.parse({ warehouse: { url } })).toMatchObject({
    warehouse: { allow: 'status == 200', deny: 'status in [401, 403, 404]', otherwise: 'try-later', headers: {} },
  });
});

test('brainlife 8.9: the words for its checks', () => {
  expect(problemsOf({ url, bearer: 'brainlife', allow: "body.status == 'ok'", otherwise: 'deny' })).toEqual([]);
});

test.each<[Record<string, unknown>, string]>([
  [{}, 'warehouse.url: '],
  [{ url: 'https://{host}/' }, 'warehouse.url: must have its host'],
  [{ url: 'http://warehouse.example.com/' }, 'warehouse.url: must begin with https://'],
  [{ url, allow: 'status = 200' }, 'warehouse.allow: at line 1, character 8'],
  [{ url, allow: "claims.sub == 'a'" }, 'warehouse.allow: there is no "claims" here; it may read body, status'],
  [{ url, deny: '' }, 'warehouse.deny: '],
  [{ url, otherwise: 'allow' }, 'warehouse.otherwise: '],
  [{ url, headers: { authorization: 'Bearer x' } }, 'warehouse.headers.authorization: is what `bearer` is for'],
  [{ url, headers: { 'X-Api-Key': 'k' } }, 'warehouse.headers.X-Api-Key: must be the name of a header, in lower case'],
  [{ url, headers: { 'x-api-key': 'a\r\nb: c' } }, 'warehouse.headers.x-api-key: must be printable ASCII'],
  [{ url, timeout: 5 }, 'Unrecognized key: "timeout"'],
])('refuses %j', (check, problem) => {
  expect(problemsOf(check).join('\n')).toContain(problem);
});

test('a source of permissions needs a credential and the list', () => {
  const source = { url, credential: 'iam', list: 'body.permissions' };
  expect(permissionSourcesSettings.safeParse({ iam: source }).success).toBe(true);
  expect(permissionSourcesSettings.safeParse({ iam: { url } }).success).toBe(false);
  expect(permissionSourcesSettings.safeParse({ iam: { ...source, list: 'permissions' } }).success).toBe(false);
});

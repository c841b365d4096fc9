import { expect, test } from 'vitest';
import { checkOf, questionOf, startBackend, status, token } from './access-fixture.ts';

const headers = { 'x-password': '{password}', 'x-fixed': 'yes' };
const withPassword = (password?: string) => ({
  variables: new Map([['project', 'p'], ...(password === undefined ? [] : [['password', password] as const])] as [
    string,
    string,
  ][]),
});

test('a header that is a variable has its value, and is left out without one', async () => {
  const backend = await startBackend(status(200));
  const { outcome } = checkOf(backend, { headers });
  expect(await outcome(questionOf('p', withPassword('se cret')))).toBe(true);
  expect(await outcome(questionOf('p', withPassword()))).toBe(true);
  expect(backend.asked.map((asked) => asked.headers['x-password'])).toEqual(['se cret', undefined]);
  expect(backend.asked.map((asked) => asked.headers['x-fixed'])).toEqual(['yes', 'yes']);
});

test.each(['ä', 'a\r\nx-injected: 1', '\u0000'])(
  'a value that could be no header (%j) is denied without asking',
  async (password) => {
    const backend = await startBackend(status(200));
    const { outcome } = checkOf(backend, { headers });
    expect(await outcome(questionOf('p', withPassword(password)))).toBe(false);
    expect(backend.asked).toEqual([]);
  },
);

test('an answer is remembered for the password that it was given for', async () => {
  const backend = await startBackend((response, request) =>
    status(request.headers['x-password'] === 'right' ? 200 : 403)(response, request),
  );
  const { outcome } = checkOf(backend, { headers });
  const ask = (password: string) => outcome(questionOf('p', withPassword(password)));
  expect(await Promise.all(['right', 'wrong', 'right', 'wrong'].map(ask))).toEqual([true, false, true, false]);
  expect(await ask('right')).toBe(true);
  expect(backend.asked).toHaveLength(2);
});

test('a fresh question is asked, whatever is remembered or under way', async () => {
  let allows = true;
  const backend = await startBackend((response, request) => status(allows ? 200 : 403)(response, request));
  const { outcome } = checkOf(backend);
  expect(await outcome(questionOf('p'))).toBe(true);
  allows = false;
  expect(await outcome(questionOf('p'))).toBe(true);
  expect(await outcome(questionOf('p', { fresh: true }))).toBe(false);
  expect(backend.asked).toHaveLength(2);
});

test('whichever token there is is relayed, under the name of its scheme', async () => {
  const backend = await startBackend(status(200));
  const { outcome } = checkOf(backend, { bearer: '*', schemes: { guest: 'jwt' } });
  for (const kind of ['guest', 'user']) await outcome(questionOf('p', { tokens: new Map([[kind, token]]) }));
  expect(backend.asked.map((asked) => asked.headers.authorization)).toEqual([`jwt ${token}`, `Bearer ${token}`]);
  expect(await outcome(questionOf('p', { tokens: new Map() }))).toBe(false);
});

import { describe, expect, test } from 'vitest';
import { headerRefusal, tokenRefusal } from '../../../src/adapters/inbound/notification/bearer-refusal.ts';
import { readFindQuery } from '../../../src/adapters/inbound/notification/find-query.ts';
import { documentOf } from '../../../src/adapters/inbound/notification/notification-document.ts';
import { UserPlaces } from '../../../src/adapters/inbound/notification/user-places.ts';
import { readWish } from '../../../src/adapters/inbound/notification/wish-body.ts';
import { createMemoryNotifications } from '../../../src/adapters/store/memory-notifications.ts';
import { answerBytesMax, createFindNotifications } from '../../../src/application/find-notifications.ts';
import type { Notification } from '../../../src/domain/notification.ts';

const [ann, admin] = [
  { userId: 'ann', isAdmin: false },
  { userId: 'ann', isAdmin: true },
];
const stored: readonly Notification[] = ['ann', 'ann', 'ann', 'bob'].map((userId, index) => ({
  id: `n${index}`,
  userId,
  event: index === 1 ? 'other' : 'done',
  handler: 'email',
  config: { task: `t${index}`, tags: ['a', `b${index}`], deep: { n: index } },
  state: 'waiting',
  createdAt: Date.UTC(2026, 0, index + 1),
  updatedAt: Date.UTC(2026, 0, index + 1),
  attempts: index,
  ...(index === 2 ? { triggeredAt: 5 } : {}),
}));

async function ids(query: string | object, caller = ann, listMax = 1000) {
  const params = new URLSearchParams(typeof query === 'string' ? query : { find: JSON.stringify(query) });
  const read = readFindQuery(params, caller, listMax);
  if (!read.ok) return read.reason;
  const store = createMemoryNotifications();
  for (const each of stored) await store.add(each, 100);
  const { notifications } = await createFindNotifications(store)(read.value.search);
  return notifications.map(({ id }) => id);
}

describe('find', () => {
  test.each<[object, readonly string[]]>([
    [{}, ['n0', 'n1', 'n2']],
    [{ event: 'done' }, ['n0', 'n2']],
    [{ event: { $eq: 'done' }, _id: { $ne: 'n0' } }, ['n2']],
    [{ 'config.task': 't1' }, ['n1']],
    [{ 'config.deep.n': 2 }, ['n2']],
    [{ 'config.deep': { n: 2 } }, ['n2']],
    [{ 'config.deep.n': '2' }, []],
    [{ 'config.tags': 'a' }, ['n0', 'n1', 'n2']],
    [{ 'config.tags': { $in: ['b1', 'b2'] } }, ['n1', 'n2']],
    [{ 'config.constructor': null }, ['n0', 'n1', 'n2']],
    [{ trigger_date: null }, ['n0', 'n1']],
    [{ trigger_date: { $exists: true } }, ['n2']],
    [{ create_date: { $gte: '2026-01-02', $lt: '2026-01-03T00:00:00Z' } }, ['n1']],
    [{ create_date: { $gt: Date.UTC(2026, 0, 2) } }, ['n2']],
    [{ attempts: { $lte: 1 } }, ['n0', 'n1']],
    [{ attempts: { $gt: '0' } }, []],
    [{ $or: [{ _id: 'n0' }, { $and: [{ _id: 'n2' }, { event: 'done' }] }] }, ['n0', 'n2']],
    [{ _id: { $nin: ['n0', 'n1'] } }, ['n2']],
    [{ $or: [{ user_id: 'bob' }] }, []],
    [{ user_id: 'bob' }, ['n0', 'n1', 'n2']],
    [{ user_id: { $ne: '' } }, ['n0', 'n1', 'n2']],
  ])('%j', async (query, found) => {
    expect(await ids(query)).toEqual(found);
  });

  test.each<[object, readonly string[]]>([
    [{}, ['n0', 'n1', 'n2']],
    [{ user_id: 'bob' }, ['n3']],
    [{ user_id: null }, ['n0', 'n1', 'n2', 'n3']],
    [{ user_id: { $ne: 'ann' } }, ['n3']],
    [{ user_id: { $in: ['bob', 'ann'] }, event: 'other' }, ['n1']],
  ])('by an administrator: %j', async (query, found) => {
    expect(await ids(query, admin)).toEqual(found);
  });

  test.each([
    [{ $where: 'sleep(1000)' }, '"$where" is not supported'],
    [{ event: { $regex: '(a+)+$' } }, '"$regex" is not supported'],
    [{ event: { $eq: 'a', x: 1 } }, '"x" is not supported'],
    [{ secret: 1 }, 'no field "secret"'],
    [{ 'event.x': 1 }, 'no field "event.x"'],
    [{ __proto__x: 1 }, 'no field'],
    [{ $or: [] }, '$or takes a list'],
    [{ $or: [1] }, '$or takes a list'],
    [{ $and: [{ $or: [{ $and: [{ $or: [{ event: 'x' }] }] }] }] }, 'nested deeper'],
    [{ _id: { $in: 'x' } }, '$in takes a list'],
    [{ _id: { $exists: 1 } }, 'takes true or false'],
    [{ _id: { $in: Array.from({ length: 51 }, () => 'x') } }, 'more than 50 things'],
  ])('%j is refused, by name', async (query, reason) => {
    expect(await ids(query)).toContain(reason);
  });

  test('what is no JSON, or given twice, is refused; `where` is the same as `find`', async () => {
    expect(await ids('find=%7B')).toContain('no JSON');
    expect(await ids('find=[]')).toContain('is an object');
    expect(await ids('find={}&find={}')).toContain('more than once');
    expect(await ids('where={"_id":"n1"}')).toEqual(['n1']);
  });
});

test('pages and orders', async () => {
  expect(await ids('limit=2')).toEqual(['n0', 'n1']);
  expect(await ids('limit=0')).toEqual(['n0', 'n1', 'n2']);
  expect(await ids('limit=9', ann, 2)).toEqual(['n0', 'n1']);
  expect(await ids('skip=1&limit=1')).toEqual(['n1']);
  expect(await ids('sort=-_id')).toEqual(['n2', 'n1', 'n0']);
  expect(await ids('sort=-event attempts')).toEqual(['n1', 'n0', 'n2']);
  expect(await ids('sort=event -attempts&skip=1')).toEqual(['n0', 'n1']);
  expect(await ids('sort=trigger_date')).toEqual(['n0', 'n1', 'n2']);
  expect(await ids('sort=config')).toEqual(['n0', 'n1', 'n2']);
  expect(await ids('sort=secret')).toContain('no field "secret"');
  expect(await ids('sort=_id _id _id _id')).toContain('more than 3');
  for (const query of ['limit=x', 'limit=-1', 'skip=1.5', 'skip=10001', 'limit=1e3'])
    expect(await ids(query)).toMatch(/^(limit|skip) /);
});

test('what is selected', () => {
  const show = (select: string) => {
    const read = readFindQuery(new URLSearchParams({ select }), ann, 10);
    if (!read.ok) return read.reason;
    const [first] = stored;
    return first && Object.keys(JSON.parse(JSON.stringify(read.value.show(documentOf(first)))));
  };
  expect(show('event -_id')).toEqual(['event']);
  expect(show('event config')).toEqual(['_id', 'event', 'config']);
  expect(show('-config -event')).not.toContain('config');
  expect(show('event -config')).toContain('names either');
  expect(show('secret')).toContain('no field');
});

test('the secret of a webhook is not shown', () => {
  const config = { url: 'https://x', secret: 'whsec_x' };
  const [first] = stored;
  expect(first && documentOf({ ...first, handler: 'webhook', config })['config']).toEqual({ url: 'https://x' });
});

test.each<[string, object | undefined]>([
  ['', {}],
  ['{"event":5,"handler":true,"config":null,"x":1}', { event: '5', handler: 'true', config: null }],
  ['{"event":null}', {}],
  ['{"event":{}}', undefined],
  ['[]', undefined],
  ['"text"', undefined],
  ['{"event":"a","event":"b"}', undefined],
  [`{"event":"${'x'.repeat(1001)}"}`, undefined],
])('the body %s', (text, wish) => {
  const read = readWish(Buffer.from(text));
  expect(read.ok ? read.value : undefined).toEqual(wish);
});

test.each([
  [[], 'credentials_required'],
  [[''], 'credentials_required'],
  [['Bearer'], 'credentials_bad_format'],
  [['Bearer a b'], 'credentials_bad_format'],
  [['Bearer a', 'Bearer b'], 'credentials_bad_format'],
  [['Basic a'], 'credentials_bad_scheme'],
  [['bEaReR a'], undefined],
])('the header %j: %s', (values, code) => {
  expect(headerRefusal(values)?.code).toBe(code);
});

test('a token that is refused is told as by jsonwebtoken; one that holds no time is no trouble', () => {
  const says = (code: Parameters<typeof tokenRefusal>[0]['code'], token = 'a.b.c') =>
    tokenRefusal({ code, reason: '' }, token);
  expect(says('token_expired').inner).toEqual({
    name: 'TokenExpiredError',
    message: 'jwt expired',
    expiredAt: undefined,
  });
  const claims = Buffer.from('{"nbf":60}').toString('base64url');
  expect(says('token_not_yet_valid', `a.${claims}.c`)).toMatchObject({
    message: 'jwt not active',
    inner: { name: 'NotBeforeError', date: '1970-01-01T00:01:00.000Z' },
  });
  expect(says('token_claims_invalid')).toMatchObject({ code: 'invalid_token', status: 401, message: 'invalid token' });
});

test.each(['', '-_id', 'event -attempts'])(
  'an answer has a budget; with sort "%s" the next page goes on behind it',
  async (sort) => {
    const store = createMemoryNotifications();
    const fat = 'x'.repeat(90_000);
    const [first] = stored;
    if (!first) throw new Error('nothing is stored');
    const all = Array.from({ length: 100 }, (_, index) => ({
      ...first,
      id: `m${100 + index}`,
      config: { fat, index },
    }));
    for (const each of all) await store.add(each, 1000);
    const find = createFindNotifications(store);
    const seen: string[] = [];
    let pages = 0;
    while (seen.length < 100) {
      const read = readFindQuery(new URLSearchParams({ sort, skip: String(seen.length) }), ann, 1000);
      if (!read.ok) throw new Error(read.reason);
      const { notifications, count } = await find(read.value.search);
      expect(count).toBe(100);
      expect(notifications.length * fat.length).toBeLessThan(answerBytesMax);
      seen.push(...notifications.map(({ id }) => id));
      pages += 1;
    }
    expect(pages).toBe(3);
    const ids = all.map(({ id }) => id);
    expect(seen).toEqual(sort === '-_id' ? ids.toReversed() : ids);
  },
);

test('places are counted for each user', () => {
  const places = new UserPlaces(2);
  const [one, two] = [places.take('ann'), places.take('ann')];
  expect([one, two, places.take('ann'), places.take('bob')].map((leave) => leave !== undefined)).toEqual([
    true,
    true,
    false,
    true,
  ]);
  one?.();
  expect(places.take('ann')).toBeDefined();
  expect(places.take('ann')).toBeUndefined();
});

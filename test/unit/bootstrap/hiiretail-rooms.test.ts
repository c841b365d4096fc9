import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { admit, iam, needed, ocms, problemsWith, roomsOf, staff } from '../../support/hiiretail-preset.ts';

const unit = 'tenants/t1/business-units/b1';
const extraTemplate = 'tenants/{tenant}/business-units/{businessUnit}/{additionalBusinessUnitRooms*}';
const mayConnect = { roles: ['sio.websocket-client'] };
const mayJoin = { roles: ['sio.websocket-client', 'sio.bu-rooms-client'] };
const bySub = { USER_ROOM_ID: 'sub' };

/** Mode 3, of the same person everywhere. */
const bothTokens = async (query = '') => ({ token: await ocms(), query: `&userToken=${await iam()}${query}` });

/** The rooms of mode 3 in one family. */
const family = [
  'tenants/t1',
  'tenants/t1/business-units/b1',
  'tenants/t1/business-units/b1/users/ann',
  'tenants/t1/business-units/b1/workstations/0001',
  'tenants/t1/connections/c1',
  'tenants/t1/users/ann',
];
const below = (topic: string) => [`topics/${topic}`, ...family.map((room) => `topics/${topic}/${room}`)];

describe('hiiretail 8.9, 8.10: topics', () => {
  test('a client joins its whole family of rooms below each of them, and none without', async () => {
    const presents = await bothTokens('&topics=a.v1%2Cb.v1');
    expect(await roomsOf(presents, bySub)).toEqual([...below('a.v1'), ...below('b.v1')].sort());
  });

  test.each([
    '&topics=a.v1,b.v1',
    '&topics=a.v1&topics=b.v1',
    '&topics[]=a.v1&topics[]=b.v1',
    '&topics%5B%5D=a.v1&topics=b.v1',
    '&topics=%20a.v1%20,,b.v1,a.v1',
    '&topics=undefined&topics=a.v1,b.v1',
  ])('%s', async (query) => {
    expect(await roomsOf(await bothTokens(query), bySub)).toEqual([...below('a.v1'), ...below('b.v1')].sort());
  });

  test.each(['', '&topics=', '&topics=undefined', '&topics=null', '&topics=,', '&topics=&topics=null'])(
    'none are in "%s"',
    async (query) => {
      expect(await roomsOf(await bothTokens(query), bySub)).toEqual(family);
    },
  );

  test('in mode 1', async () => {
    const rooms = ['', '/tenants/t1', `/${unit}`, `/${unit}/workstations/0001`, '/tenants/t1/connections/c1'];
    expect(await roomsOf({ token: await ocms(), query: '&topics=a.v1' })).toEqual(
      rooms.map((room) => `topics/a.v1${room}`),
    );
  });

  test('in mode 2', async () => {
    const rooms = ['', '/tenants/t1', '/tenants/t1/connections/c1', '/tenants/t1/users/ann'];
    expect(await roomsOf({ token: await iam(mayConnect), query: '&topics=a.v1' }, bySub)).toEqual(
      rooms.map((room) => `topics/a.v1${room}`),
    );
  });

  test('no topic leads out of its place', async () => {
    const rooms = await roomsOf({ token: await ocms(), query: '&topics=a%2Ftenants%2Ft2,..,%252F' });
    const places = ['topics/a%2Ftenants%2Ft2', 'topics/..', 'topics/%252F'];
    expect(
      rooms.filter((room) => !places.some((place) => room === place || room.startsWith(`${place}/tenants/t1`))),
    ).toEqual([]);
    expect(rooms).toHaveLength(15);
  });
});

describe('hiiretail section 4: a session', () => {
  const session = `${unit}/workstations/0001/sessions/s-1`;

  test('has a room where there is a workstation, in mode 1 and 3, and below topics too', async () => {
    expect(await roomsOf({ token: await ocms(), query: '&sessionId=s-1' })).toContain(session);
    expect(await roomsOf(await bothTokens('&sessionId=s-1'), bySub)).toEqual([...family, session].sort());
    expect(await roomsOf(await bothTokens('&sessionId=s-1&topics=a.v1'), bySub)).toEqual(
      [...below('a.v1'), `topics/a.v1/${session}`].sort(),
    );
  });

  test.each(['', 'undefined', 'null'])('"%s" is none', async (text) => {
    expect(await roomsOf(await bothTokens(`&sessionId=${text}`), bySub)).toEqual(family);
  });

  test('has none elsewhere', async () => {
    const query = '&sessionId=s-1';
    const token = await ocms({ workstation_id: undefined });
    expect(await roomsOf({ token, query })).toEqual(await roomsOf({ token }));
    const person = await iam(mayConnect);
    expect(await roomsOf({ token: person, query })).toEqual(await roomsOf({ token: person }));
  });

  test('given twice refuses the connection', async () => {
    expect(await admit(await bothTokens('&sessionId=a&sessionId=b'))).toMatchObject({ denied: 'query_invalid' });
  });
});

describe('hiiretail 8.11: additional rooms', () => {
  const query = '&additionalBusinessUnitRooms=workstations%2F001%2Cworkstation-types%2Fscanngo';
  const extra = [`${unit}/workstation-types/scanngo`, `${unit}/workstations/001`];
  const added = async (environment: Readonly<Record<string, string>>, more = '', claims = mayJoin) => {
    const before = await roomsOf({ token: await ocms(claims), query: more }, environment);
    const after = await roomsOf({ token: await ocms(claims), query: `${query}${more}` }, environment);
    expect(after).toEqual(expect.arrayContaining([...before]));
    return after.filter((room) => !before.includes(room));
  };

  test('are joined with sio.bu-rooms.join, below the unit of the token', async () => {
    expect(await added({})).toEqual(extra);
    expect(await added({}, `&userToken=${await iam()}`)).toEqual(extra);
  });

  test.each([
    '&additionalBusinessUnitRooms=workstations/001&additionalBusinessUnitRooms=workstation-types/scanngo',
    '&additionalBusinessUnitRooms[]=workstations/001&additionalBusinessUnitRooms[]=workstation-types/scanngo',
    '&additionalBusinessUnitRooms=%20workstations/001%20,,workstation-types/scanngo,workstations/001',
  ])('%s', async (text) => {
    const rooms = await roomsOf({ token: await ocms(mayJoin), query: text });
    expect(rooms).toEqual(expect.arrayContaining(extra));
    expect(rooms).toHaveLength(4 + 2);
  });

  test.each(['', 'undefined', 'null', ','])('"%s" is none', async (text) => {
    const token = await ocms(mayJoin);
    const none = await roomsOf({ token, query: `&additionalBusinessUnitRooms=${text}` });
    expect(none).toEqual(await roomsOf({ token }));
  });

  test('section 7 item 6: a name may be that of a workstation, and never leads out of the unit', async () => {
    const names = ['workstations/0002', '../../../tenants/t2', '/', '..', '%2F'];
    const rooms = await roomsOf({
      token: await ocms(mayJoin),
      query: `&additionalBusinessUnitRooms=${names.map(encodeURIComponent).join(',')}`,
    });
    expect(rooms).toEqual(expect.arrayContaining(names.map((name) => `${unit}/${name}`)));
    expect(rooms.filter((room) => !room.startsWith('tenants/t1'))).toEqual([]);
  });

  test('stand outside of topics and are not limited by them', async () => {
    expect(await added({}, '&topics=a.v1')).toEqual(extra);
  });

  test('ADDITIONAL_ROOMS_UNDER: they follow the topics', async () => {
    const environment = { ADDITIONAL_ROOMS_UNDER: 'topics/{topics}' };
    expect(await added(environment)).toEqual(extra);
    expect(await added(environment, '&topics=a.v1,b.v1')).toEqual(
      ['topics/a.v1', 'topics/b.v1'].flatMap((topic) => extra.map((room) => `${topic}/${room}`)),
    );
    expect(problemsWith({ ...needed, ADDITIONAL_ROOMS_UNDER: 'topics/{topic}' })).toEqual([
      expect.stringMatching(/^endpoints\[0\]\.socketio\.rooms\[2\]\.under: .*ADDITIONAL_ROOMS_UNDER/),
    ]);
  });

  test('without the permission they are ignored, and it is observed why', async () => {
    const { rooms, ignored } = { rooms: [], ignored: [], ...(await admit({ token: await ocms(), query })) };
    expect(rooms).toEqual(await roomsOf({ token: await ocms() }));
    expect(ignored).toEqual([{ template: extraTemplate, reason: expect.stringContaining("'sio.bu-rooms.join'") }]);
  });

  test('the permission of the person does not count in mode 3', async () => {
    const presents = { token: await ocms(), query: `&userToken=${await iam(mayJoin)}${query}` };
    expect(await admit(presents)).toMatchObject({ ignored: [{ template: extraTemplate }] });
  });

  test('ADDITIONAL_ROOMS_DENIED=refuse: without the permission the connection is refused', async () => {
    const environment = { ADDITIONAL_ROOMS_DENIED: 'refuse' };
    expect(await admit({ token: await ocms(), query }, environment)).toMatchObject({ denied: 'room_denied' });
    expect(await admit({ token: await ocms() }, environment)).toHaveProperty('rooms');
    expect(await added(environment)).toEqual(extra);
  });

  test('without a business unit there are none, with or without the permission, refusing or not', async () => {
    for (const environment of [{}, { ADDITIONAL_ROOMS_DENIED: 'refuse' }]) {
      for (const token of [await iam(mayJoin), await iam(mayConnect), await ocms({ business_unit_id: undefined })]) {
        expect(await admit({ token, query }, environment)).toEqual(await admit({ token }, environment));
      }
    }
  });
});

describe('hiiretail 8.19: the id of a user in rooms', () => {
  const hash = createHash('sha256').update(`ann${staff}t1`).digest('hex');

  test('is SHA-256 of sub, issuer and tenant as lower-case hexadecimal text', async () => {
    expect(await roomsOf({ token: await iam(mayConnect) })).toContain(`tenants/t1/users/${hash}`);
    const rooms = await roomsOf(await bothTokens('&topics=a.v1'));
    expect(rooms).toEqual(
      expect.arrayContaining([`topics/a.v1/tenants/t1/users/${hash}`, `topics/a.v1/${unit}/users/${hash}`]),
    );
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('USER_ROOM_ID=sub: is sub', async () => {
    const rooms = await roomsOf(await bothTokens(), bySub);
    expect(rooms.filter((room) => room.includes('/users/'))).toEqual([`${unit}/users/ann`, 'tenants/t1/users/ann']);
  });

  test('USER_ROOM_ID of something else is a mistake that names it', () => {
    expect(problemsWith({ ...needed, USER_ROOM_ID: 'nobody' })).toEqual([
      expect.stringMatching(/^endpoints\[0\]\.socketio\.rooms\[0\]\.templates\[2\]: .*USER_ROOM_ID/),
      expect.stringMatching(/^endpoints\[0\]\.socketio\.rooms\[0\]\.templates\[4\]: .*USER_ROOM_ID/),
    ]);
  });
});

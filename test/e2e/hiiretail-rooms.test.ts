import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRaw, connectStock, refusalOf } from '../support/hiiretail-clients.ts';
import type { Deliveries } from '../support/hiiretail-deliveries.ts';
import { type HiiretailGateway, startHiiretail } from '../support/hiiretail-gateway.ts';
import { shoppersIssuer, staffIssuer } from '../support/hiiretail-issuers.ts';
import { type Addresses, proveRooms, type RoomsPlans } from '../support/hiiretail-rooms.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const a = 'che.public.event.session-changed.v1';
const b = 'att.private.notification.baskets.v1';
const topics = [a, b];

describeWithPubSub('hiiretail: rooms', () => {
  let gateway: HiiretailGateway;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  /** Of `annhttps://securetoken.google.com/hiidentity-stafft1`, as sha256sum prints it. */
  const ann = '5f5f84cfd06054549da9a03803e42d43b6e49adc10ecc95499f1be18cff2d750';
  const bob = sha256(`bob${staffIssuer}t1`);
  const annOfT2 = sha256(`ann${staffIssuer}t2`);
  const annTheShopper = sha256(`ann${shoppersIssuer}t1`);

  const client = ['sio.websocket-client'];
  const clientWithRooms = ['sio.websocket-client', 'sio.bu-rooms-client'];
  const t1 = { tid: 't1' };
  const till = { tid: 't1', buid: 'u1', wid: '0001' };
  const tillAtT2 = { tid: 't2', buid: 'u1', wid: '0001' };
  const annAtT2 = { 'https://extendaretail.com/tenant': 't2' };
  const shopper = { iss: shoppersIssuer, aud: 'hiidentity-shoppers' };

  const rooms1 = ['tenants/t1', 'tenants/t1/connections/{connection}'];
  const unit = 'tenants/t1/business-units/u1';
  const tillRooms = [...rooms1, unit, `${unit}/workstations/0001`];
  const tillRoomsAtT2 = tillRooms.map((room) => room.replace('t1', 't2'));
  const below = (topic: string, rooms: readonly string[]) => rooms.map((room) => `topics/${topic}/${room}`);
  const withAnn = [...tillRooms, `tenants/t1/users/${ann}`, `${unit}/users/${ann}`];
  const extra = { additionalBusinessUnitRooms: ['workstations/0002', 'workstation-types/scanngo'] };
  const extraRooms = [`${unit}/workstations/0002`, `${unit}/workstation-types/scanngo`];

  /** The rooms of section 4, written out. */
  const modes: RoomsPlans = {
    '8.9 mode 1, tenant': { ocms: t1, rooms: rooms1 },
    '8.9 mode 1, unit': { ocms: { ...t1, buid: 'u1' }, rooms: [...rooms1, unit] },
    '8.9 mode 1, unit and workstation': { ocms: till, rooms: tillRooms },
    '8.9 mode 1, another workstation': {
      ocms: { ...till, wid: '0002' },
      rooms: [...rooms1, unit, `${unit}/workstations/0002`],
    },
    '8.9 mode 1, another unit': {
      ocms: { ...till, buid: 'u2' },
      rooms: [...rooms1, 'tenants/t1/business-units/u2', 'tenants/t1/business-units/u2/workstations/0001'],
    },
    '8.8 a workstation without a unit has no room': { ocms: { ...t1, wid: '0001' }, rooms: rooms1 },
    '8.9 mode 1, a session at the workstation': {
      ocms: till,
      query: { sessionId: 's1' },
      rooms: [...tillRooms, `${unit}/workstations/0001/sessions/s1`],
    },
    '8.9 mode 1, a session without a workstation': {
      ocms: { ...t1, buid: 'u1' },
      query: { sessionId: 's1' },
      rooms: [...rooms1, unit],
    },
    '8.9 mode 1 with topics: the same rooms below each, none besides': {
      ocms: till,
      query: { topics, sessionId: 's1' },
      rooms: topics.flatMap((topic) => below(topic, [...tillRooms, `${unit}/workstations/0001/sessions/s1`])),
    },
    '8.9 mode 2': { iam: { roles: client }, rooms: [...rooms1, `tenants/t1/users/${ann}`] },
    '8.9 mode 2, another user': { iam: { roles: client, sub: 'bob' }, rooms: [...rooms1, `tenants/t1/users/${bob}`] },
    '8.9 mode 2 with topics': {
      iam: { roles: client },
      query: { topics: [b] },
      rooms: below(b, [...rooms1, `tenants/t1/users/${ann}`]),
    },
    '8.9 mode 3': { ocms: till, iam: {}, rooms: withAnn },
    '8.9 mode 3, tenant': { ocms: t1, iam: {}, rooms: [...rooms1, `tenants/t1/users/${ann}`] },
    '8.9 mode 3 with topics': { ocms: till, iam: {}, query: { topics: [a] }, rooms: below(a, withAnn) },
    '8.9 mode 3 with topics and a session': {
      ocms: till,
      iam: { sub: 'bob' },
      query: { topics: [b], sessionId: 's1' },
      rooms: below(b, [
        ...tillRooms,
        `tenants/t1/users/${bob}`,
        `${unit}/users/${bob}`,
        `${unit}/workstations/0001/sessions/s1`,
      ]),
    },
    '8.19 who has the same subject at another issuer is another user': {
      iam: { ...shopper, roles: client },
      rooms: [...rooms1, `tenants/t1/users/${annTheShopper}`],
    },
    '8.14 another tenant, mode 1': { ocms: tillAtT2, rooms: tillRoomsAtT2 },
    '8.14 another tenant, mode 3, same subject': {
      ocms: tillAtT2,
      iam: annAtT2,
      query: { topics: [a] },
      rooms: below(a, [
        ...tillRoomsAtT2,
        `tenants/t2/users/${annOfT2}`,
        `tenants/t2/business-units/u1/users/${annOfT2}`,
      ]),
    },
    '8.11 mode 1, additional rooms': {
      ocms: { ...till, roles: clientWithRooms },
      query: extra,
      rooms: [...tillRooms, ...extraRooms],
    },
    '8.11 mode 3, additional rooms stand beside the topics, not below them': {
      ocms: { ...till, roles: clientWithRooms },
      iam: {},
      query: { topics: [b], ...extra },
      rooms: [...below(b, withAnn), ...extraRooms],
    },
    '8.11 without sio.bu-rooms.join they are ignored': { ocms: till, query: extra, rooms: tillRooms },
    '8.11 the role of the user does not count in mode 3': {
      ocms: till,
      iam: { roles: clientWithRooms },
      query: extra,
      rooms: withAnn,
    },
    '8.11 without a unit they are ignored': { ocms: { ...t1, roles: clientWithRooms }, query: extra, rooms: rooms1 },
    '8.11 mode 2 has no unit': {
      iam: { roles: clientWithRooms },
      query: extra,
      rooms: [...rooms1, `tenants/t1/users/${ann}`],
    },
    '8.11 mode 2: a unit is the business of the machine alone': {
      iam: { roles: clientWithRooms, business_unit_id: 'u1', buid: 'u1', wid: '0001' },
      query: extra,
      rooms: [...rooms1, `tenants/t1/users/${ann}`],
    },
  };

  const addresses: Addresses = {
    'tenants/t1': {},
    [unit]: { 'Business-Unit-Id': 'u1' },
    [`${unit}/workstations/0001`]: { 'Business-Unit-Id': 'u1', 'Workstation-Id': '0001' },
    [`${unit}/workstations/0002`]: { 'Business-Unit-Id': 'u1', 'Workstation-Id': '0002' },
    [`${unit}/workstations/1`]: { 'Business-Unit-Id': 'u1', 'Workstation-Id': '1' },
    [`${unit}/workstations/0001/sessions/s1`]: {
      'Business-Unit-Id': 'u1',
      'Workstation-Id': '0001',
      'Session-Id': 's1',
    },
    [`${unit}/users/${ann}`]: { 'Business-Unit-Id': 'u1', 'User-Id': ann },
    [`${unit}/users/${bob}`]: { 'Business-Unit-Id': 'u1', 'User-Id': bob },
    [`${unit}/workstation-types/scanngo`]: {
      'Business-Unit-Id': 'u1',
      'Additional-Business-Unit-Rooms': 'workstation-types/scanngo',
    },
    'tenants/t1/business-units/u2': { 'Business-Unit-Id': 'u2' },
    'tenants/t1/business-units/u2/workstations/0001': { 'Business-Unit-Id': 'u2', 'Workstation-Id': '0001' },
    'tenants/t1/business-units/u2/workstations/0002': { 'Business-Unit-Id': 'u2', 'Workstation-Id': '0002' },
    [`tenants/t1/business-units/u2/users/${ann}`]: { 'Business-Unit-Id': 'u2', 'User-Id': ann },
    [`tenants/t1/users/${ann}`]: { 'User-Id': ann },
    [`tenants/t1/users/${bob}`]: { 'User-Id': bob },
    [`tenants/t1/users/${annOfT2}`]: { 'User-Id': annOfT2 },
    [`tenants/t1/users/${annTheShopper}`]: { 'User-Id': annTheShopper },
    'tenants/t1/users/ann': { 'User-Id': 'ann' },
    'tenants/t2': { 'Tenant-Id': 't2' },
    'tenants/t2/business-units/u1': { 'Tenant-Id': 't2', 'Business-Unit-Id': 'u1' },
    'tenants/t2/business-units/u1/workstations/0001': {
      'Tenant-Id': 't2',
      'Business-Unit-Id': 'u1',
      'Workstation-Id': '0001',
    },
    [`tenants/t2/business-units/u1/users/${annOfT2}`]: {
      'Tenant-Id': 't2',
      'Business-Unit-Id': 'u1',
      'User-Id': annOfT2,
    },
    [`tenants/t2/users/${annOfT2}`]: { 'Tenant-Id': 't2', 'User-Id': annOfT2 },
    [`tenants/t2/users/${ann}`]: { 'Tenant-Id': 't2', 'User-Id': ann },
  };

  /** A test for each plan, which names the item that it is about. */
  function describeRooms(title: string, plans: RoomsPlans, more: Addresses = {}) {
    describe(title, () => {
      let proof: Record<'delivered' | 'expected', Deliveries>;
      beforeAll(async () => {
        proof = await proveRooms(gateway, topics, plans, { ...addresses, ...more });
      });
      test.each(Object.keys(plans))('%s', (name) => {
        expect(proof.delivered[name]).toEqual(proof.expected[name]);
      });
    });
  }

  describeRooms('the rooms of the three modes', modes);

  /** Of the token of a machine. */
  describeRooms(
    'units and workstations as tokens name them',
    {
      '8.8 a number becomes text': {
        ocms: { tid: 't1', business_unit_id: 12345, workstation_id: 1 },
        rooms: [...rooms1, 'tenants/t1/business-units/12345', 'tenants/t1/business-units/12345/workstations/1'],
      },
      '8.8 padded text stays as it is': {
        ocms: { tid: 't1', business_unit_id: '012345', workstation_id: '0001' },
        rooms: [...rooms1, 'tenants/t1/business-units/012345', 'tenants/t1/business-units/012345/workstations/0001'],
      },
      '8.8 business_unit_id stands above buid, workstation_id above wid': {
        ocms: { tid: 't1', buid: 'u2', business_unit_id: 'u1', wid: '0002', workstation_id: '0001' },
        rooms: tillRooms,
      },
      '8.8 one spelling each': { ocms: { tid: 't1', business_unit_id: 'u1', wid: '0001' }, rooms: tillRooms },
      '8.8 the other spelling each': { ocms: { tid: 't1', buid: 'u1', workstation_id: '0001' }, rooms: tillRooms },
      '8.8 an empty claim is none': {
        ocms: { tid: 't1', business_unit_id: '', buid: 'u1', workstation_id: '', wid: '0001' },
        rooms: tillRooms,
      },
      '8.8 null is none': { ocms: { tid: 't1', business_unit_id: null, buid: null, wid: '0001' }, rooms: rooms1 },
      '8.8 below ext': {
        ocms: { tid: undefined, ext: { tid: 't1', business_unit_id: 'u1', workstation_id: '0001' } },
        rooms: tillRooms,
      },
      '8.8 below ext in the other spelling, numbers': {
        ocms: { tid: undefined, ext: { tid: 't1', buid: 12345, wid: 1 } },
        rooms: [...rooms1, 'tenants/t1/business-units/12345', 'tenants/t1/business-units/12345/workstations/1'],
      },
      '8.8 the top level stands above ext': {
        ocms: { tid: 't1', buid: 'u1', wid: '0001', ext: { tid: 't2', buid: 'u2', wid: '0002' } },
        rooms: tillRooms,
      },
      '8.8 a slash leads nowhere': {
        ocms: { tid: 't1', buid: 'u1/workstations/0001' },
        rooms: [...rooms1, 'tenants/t1/business-units/u1%2Fworkstations%2F0001'],
      },
      '8.5 the tenant claim of persons counts for machines too, above tid': {
        ocms: { tid: 't2', 'https://extendaretail.com/tenant': 't1', buid: 'u1', wid: '0001' },
        rooms: tillRooms,
      },
    },
    {
      ...Object.fromEntries(
        ['12345', '012345'].flatMap((bu) => [
          [`tenants/t1/business-units/${bu}`, { 'Business-Unit-Id': bu }],
          [`tenants/t1/business-units/${bu}/workstations/1`, { 'Business-Unit-Id': bu, 'Workstation-Id': '1' }],
          [`tenants/t1/business-units/${bu}/workstations/0001`, { 'Business-Unit-Id': bu, 'Workstation-Id': '0001' }],
        ]),
      ),
      'tenants/t1/business-units/u1%2Fworkstations%2F0001': { 'Business-Unit-Id': 'u1/workstations/0001' },
    },
  );

  const twoTopics = topics.flatMap((topic) => below(topic, rooms1));
  const fewRooms = { ...t1, roles: clientWithRooms, buid: 'u1' };

  describeRooms('lists, as clients of other languages write them', {
    '8.10 comma text': { ocms: t1, rawQuery: `&topics=${a},${b}`, rooms: twoTopics },
    '8.10 comma text, encoded': { ocms: t1, rawQuery: `&topics=${a}%2C${b}`, rooms: twoTopics },
    '8.10 repeated keys': { ocms: t1, rawQuery: `&topics=${a}&topics=${b}`, rooms: twoTopics },
    '8.10 topics[]': { ocms: t1, rawQuery: `&topics[]=${a}&topics[]=${b}`, rooms: twoTopics },
    '8.10 topics[], encoded': { ocms: t1, rawQuery: `&topics%5B%5D=${a}&topics%5B%5D=${b}`, rooms: twoTopics },
    '8.10 all of them': { ocms: t1, rawQuery: `&topics=${a}&topics[]=${b},${b}&topics=${a}`, rooms: twoTopics },
    '8.10 one topic': { ocms: t1, rawQuery: `&topics=${b}`, rooms: below(b, rooms1) },
    '8.10 spaces and empty items': { ocms: t1, rawQuery: `&topics=%20${b}%20,,%20`, rooms: below(b, rooms1) },
    '8.10 no item': { ocms: t1, rawQuery: '&topics=', rooms: rooms1 },
    '8.10 only separators': { ocms: t1, rawQuery: '&topics=,%20,', rooms: rooms1 },
    '8.10 the text undefined': { ocms: t1, rawQuery: '&topics=undefined', rooms: rooms1 },
    '8.10 the text null': { ocms: t1, rawQuery: '&topics=null', rooms: rooms1 },
    '8.10 an empty array of the stock client': { ocms: t1, query: { topics: [] }, rooms: rooms1 },
    '8.10 undefined of the stock client': {
      ocms: t1,
      query: { topics: undefined, sessionId: undefined },
      rooms: rooms1,
    },
    '8.10 other names are other fields': {
      ocms: t1,
      rawQuery: `&topic=${a}&Topics=${b}&topics[0]=${a}`,
      rooms: rooms1,
    },
    '8.11 additional rooms: repeated keys': {
      ocms: fewRooms,
      rawQuery:
        '&additionalBusinessUnitRooms=workstations/0002&additionalBusinessUnitRooms=workstation-types%2Fscanngo',
      rooms: [...rooms1, unit, ...extraRooms],
    },
    '8.11 additional rooms: []': {
      ocms: fewRooms,
      rawQuery:
        '&additionalBusinessUnitRooms[]=workstations/0002&additionalBusinessUnitRooms[]=workstation-types/scanngo',
      rooms: [...rooms1, unit, ...extraRooms],
    },
    '8.11 additional rooms: comma text, spaces, empty items': {
      ocms: fewRooms,
      rawQuery: '&additionalBusinessUnitRooms=,%20workstations/0002%20,,workstation-types/scanngo,workstations/0002',
      rooms: [...rooms1, unit, ...extraRooms],
    },
    '8.11 additional rooms: nothing': {
      ocms: fewRooms,
      rawQuery: '&additionalBusinessUnitRooms=&additionalBusinessUnitRooms=undefined',
      rooms: [...rooms1, unit],
    },
  });

  /** By section 7 item 6 a name may be that of a real workstation or user of the unit. */
  const hostileNames = [
    '../../other',
    '../../../t2',
    '../../../t2/business-units/u1',
    '../u2',
    '..',
    '.',
    '/',
    '//',
    '/tenants/t2',
    'tenants/t2',
    '%2e%2e/u2',
    '..%2Fu2',
    '{tenant}',
    '*',
    '#',
    '__proto__',
    'constructor',
    `users/${bob}`,
    'workstations/0002/sessions/s1',
    'ünït ☃',
  ];
  const hostileAddresses: Addresses = {
    ...Object.fromEntries(
      hostileNames.map((name) => [
        `${unit}/${name}`,
        { 'Business-Unit-Id': 'u1', 'Additional-Business-Unit-Rooms': name },
      ]),
    ),
    [`${unit}/workstations/0002/sessions/..%2F..%2F0001`]: {
      'Business-Unit-Id': 'u1',
      'Workstation-Id': '0002',
      'Session-Id': '../../0001',
    },
    'tenants/t1/other': { 'Business-Unit-Id': '../..', 'Additional-Business-Unit-Rooms': 'other' },
  };

  describeRooms(
    'names that would lead elsewhere',
    {
      '8.11 they are plain text below the own unit': {
        ocms: fewRooms,
        query: { additionalBusinessUnitRooms: hostileNames },
        rooms: [...rooms1, unit, ...hostileNames.map((name) => `${unit}/${name}`)],
      },
      '8.11 nobody else is there': {
        ocms: { ...fewRooms, buid: 'u2' },
        rooms: [...rooms1, 'tenants/t1/business-units/u2'],
      },
      '8.14 nor is another tenant': { ocms: tillAtT2, rooms: tillRoomsAtT2 },
      '8.10 a topic is one segment': {
        ocms: t1,
        query: { topics: [`${a}/tenants/t2`, `../topics/${a}`, `${a}/`, '*', '#', 'che.#', '..', b] },
        rooms: below(b, rooms1),
      },
      '8.9 a session is one segment': {
        ocms: { ...t1, buid: 'u1', wid: '0002' },
        query: { sessionId: '../../0001' },
        rooms: [...rooms1, unit, `${unit}/workstations/0002`, `${unit}/workstations/0002/sessions/..%2F..%2F0001`],
      },
    },
    hostileAddresses,
  );

  test('8.9 two sessions at once are refused', async () => {
    const token = await gateway.issuers.ocms.mint(till);
    const connecting = connectRaw(gateway.url, '&sessionId=s1&sessionId=s2', token);
    await expect(connecting).rejects.toThrow('"code":"query_invalid"');
  });

  const names = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`);

  test('8.11 as many additional rooms as a connection may have are joined, more refuse it', async () => {
    const [allowed, ignored] = await Promise.all([
      gateway.issuers.ocms.mint(fewRooms),
      gateway.issuers.ocms.mint({ ...fewRooms, roles: client }),
    ]);
    const query = { additionalBusinessUnitRooms: names(1000) };
    expect(await refusalOf(gateway.url, { token: allowed, query })).toMatchObject({ data: { code: 'rooms_too_many' } });
    // So does a family of rooms for each of many topics.
    const many = { token: ignored, query: { topics: names(300) } };
    expect(await refusalOf(gateway.url, many)).toMatchObject({ data: { code: 'rooms_too_many' } });
    using _ = await connectStock(gateway.url, { token: ignored, query });
    const { delivered, expected } = await proveRooms(
      gateway,
      topics,
      {
        many: {
          ocms: fewRooms,
          query: { additionalBusinessUnitRooms: names(990) },
          rooms: [...rooms1, unit, ...names(990).map((name) => `${unit}/${name}`)],
        },
      },
      {
        'tenants/t1': {},
        [unit]: { 'Business-Unit-Id': 'u1' },
        ...Object.fromEntries(
          names(990).map((name) => [
            `${unit}/${name}`,
            { 'Business-Unit-Id': 'u1', 'Additional-Business-Unit-Rooms': name },
          ]),
        ),
      },
    );
    expect(delivered).toEqual(expected);
  });
});

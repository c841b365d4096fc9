import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectStock, type StockClient } from '../support/hiiretail-clients.ts';
import { type Deliveries, deliveriesOf } from '../support/hiiretail-deliveries.ts';
import { type HiiretailGateway, startHiiretail } from '../support/hiiretail-gateway.ts';
import { type Claims, staffIssuer } from '../support/hiiretail-issuers.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const baskets = 'att.private.notification.baskets.v1';
const sessions = 'che.public.event.session-changed.v1';
const ann = createHash('sha256').update(`ann${staffIssuer}t1`).digest('hex');
const annOfT2 = createHash('sha256').update(`ann${staffIssuer}t2`).digest('hex');

type Plan = { readonly ocms?: Claims; readonly iam?: Claims; readonly query?: Readonly<Record<string, unknown>> };

const till1 = { tid: 't1', buid: 'u1', wid: '0001' };
const till1OfT2 = { ...till1, tid: 't2' };
const roles = ['sio.websocket-client', 'sio.bu-rooms-client'];

const plans = {
  tenant: { ocms: { tid: 't1' } },
  unit: { ocms: { tid: 't1', buid: 'u1' } },
  till1: { ocms: till1, query: { sessionId: 's1' } },
  till2: { ocms: { ...till1, wid: '0002' } },
  otherUnit: { ocms: { ...till1, buid: 'u2' }, query: { sessionId: 's1' } },
  ann: { iam: { roles } },
  annAtTill1: { ocms: till1, iam: {} },
  annAtOtherUnit: { ocms: { tid: 't1', buid: 'u2' }, iam: {} },
  scanngo: {
    ocms: { tid: 't1', buid: 'u1', roles },
    query: { additionalBusinessUnitRooms: ['workstation-types/scanngo', 'zones/a'] },
  },
  /** Has named a topic. */
  sessionsAtTill1: { ocms: till1, iam: {}, query: { topics: [sessions], sessionId: 's1' } },
  tenant2: { ocms: { tid: 't2' } },
  annAtTill1OfT2: { ocms: till1OfT2, iam: { 'https://extendaretail.com/tenant': 't2' }, query: { sessionId: 's1' } },
  sessionsAtTill1OfT2: { ocms: till1OfT2, query: { topics: [sessions], sessionId: 's1' } },
} as const satisfies Readonly<Record<string, Plan>>;
type Name = keyof typeof plans;

const u1: readonly Name[] = ['annAtTill1', 'scanngo', 'till1', 'till2', 'unit'];
const t1: readonly Name[] = ['ann', 'annAtOtherUnit', ...u1, 'otherUnit', 'tenant'];
const everywhereAnn: readonly Name[] = ['ann', 'annAtOtherUnit', 'annAtTill1'];
const t2: readonly Name[] = ['annAtTill1OfT2', 'tenant2'];

/** `@name` stands for the id of a client's connection. The tenant is `t1` unless they say otherwise. */
type Attributes = Readonly<Record<string, string | undefined>>;
type Case = readonly [what: string, attributes: Attributes, receivers: readonly Name[]];

const unit = { 'Business-Unit-Id': 'u1' };
const workstation = { ...unit, 'Workstation-Id': '0001' };
const session = { ...workstation, 'Session-Id': 's1' };
const user = { 'User-Id': ann };
const rooms = (text: string) => ({ 'Additional-Business-Unit-Rooms': text });
const connection = (name: Name) => ({ 'Connection-Id': `@${name}` });
const nobody: readonly Name[] = [];

/** On a topic that nobody has named. */
const cases: readonly Case[] = [
  ['8.12 the tenant', {}, t1],
  ['8.12 a unit', unit, u1],
  ['8.12 a workstation', workstation, ['annAtTill1', 'till1']],
  ['8.12 a user', user, everywhereAnn],
  ['8.12 a user at a unit', { ...user, ...unit }, ['annAtTill1']],
  ['8.12 a user at another unit', { ...user, 'Business-Unit-Id': 'u2' }, ['annAtOtherUnit']],
  ['8.12 a session', session, ['till1']],
  ['8.12 a connection', connection('till2'), ['till2']],

  [
    '8.12 a connection stands above all',
    { ...session, ...user, ...rooms('zones/a'), ...connection('till2') },
    ['till2'],
  ],
  ['8.12 a session stands above a user', { ...session, ...user, ...rooms('zones/a') }, ['till1']],
  ['8.12 a user at a unit stands above a workstation', { ...workstation, ...user }, ['annAtTill1']],
  ['8.12 a user stands above rooms', { ...workstation, ...user, ...rooms('zones/a') }, ['annAtTill1']],
  ['8.12 a user stands above rooms without a unit', { ...user, ...rooms('zones/a') }, everywhereAnn],

  ['8.13 a room', { ...unit, ...rooms('workstation-types/scanngo') }, ['scanngo']],
  ['8.13 rooms', { ...unit, ...rooms('workstations/0002,zones/a') }, ['scanngo', 'till2']],
  ['8.13 a room as the workstation has it', { ...unit, ...rooms('workstations/0001') }, ['annAtTill1', 'till1']],
  ['8.13 spaces and empty items', { ...unit, ...rooms(' , workstations/0002 ,, zones/a ') }, ['scanngo', 'till2']],
  ['8.13 several rooms of one client', { ...unit, ...rooms('zones/a,workstation-types/scanngo,zones/a') }, ['scanngo']],
  ['8.13 rooms stand above the workstation', { ...workstation, ...rooms('zones/a') }, ['scanngo']],
  ['8.13 a list with nothing in it is none', { ...unit, ...rooms(' , ,') }, u1],
  ['8.13 without a unit they count for nothing', rooms('zones/a'), t1],
  ['8.13 a room where nobody is', { ...unit, ...rooms('zones/b') }, nobody],
  ['8.13 in another unit', { 'Business-Unit-Id': 'u2', ...rooms('zones/a') }, nobody],
  ['8.13 upwards', { ...unit, ...rooms('../u2,..,../..,../../..,/') }, nobody],

  ['8.12 a workstation without a unit', { 'Workstation-Id': '0001' }, nobody],
  ['8.12 a workstation without a unit, with rooms', { 'Workstation-Id': '0001', ...rooms('zones/a') }, nobody],
  ['8.12 a workstation without a unit, with a user', { 'Workstation-Id': '0001', ...user }, nobody],
  ['8.12 a session alone', { 'Session-Id': 's1' }, nobody],
  ['8.12 a session without a workstation', { ...unit, 'Session-Id': 's1' }, nobody],
  ['8.12 a session without a unit', { 'Workstation-Id': '0001', 'Session-Id': 's1' }, nobody],
  ['8.12 a session without a workstation, with a user', { ...unit, ...user, 'Session-Id': 's1' }, nobody],
  ['8.12 a session without a workstation, at a connection', { 'Session-Id': 's1', ...connection('till1') }, nobody],
  ['8.12 an empty connection', { 'Connection-Id': '' }, nobody],
  ['8.12 an empty session', { ...workstation, 'Session-Id': '' }, nobody],
  ['8.12 an empty user', { ...unit, 'User-Id': '' }, nobody],
  ['8.12 an empty workstation', { ...unit, 'Workstation-Id': '' }, nobody],
  ['8.12 an empty unit is none', { 'Business-Unit-Id': '' }, t1],
  ['8.12 a connection that is not there', { 'Connection-Id': 'x' }, nobody],
  ['8.12 a session that is not there', { ...workstation, 'Session-Id': 's2' }, nobody],
  ['8.12 a user who is not there', { 'User-Id': ann.replace('5', '6') }, nobody],
  ['8.12 a user who is not at the unit', { 'Business-Unit-Id': 'u3', ...user }, nobody],
  ['8.12 a workstation that is not there', { ...unit, 'Workstation-Id': '1' }, nobody],
  ['8.12 a unit that is not there', { 'Business-Unit-Id': 'U1' }, nobody],
  ['8.12 a unit that goes down', { 'Business-Unit-Id': 'u1/workstations/0001' }, nobody],
  ['8.12 a workstation that goes down', { ...unit, 'Workstation-Id': '0001/sessions/s1' }, nobody],
  ['8.12 a user who goes up', { 'User-Id': '..' }, nobody],
  ['8.12 other attributes mean nothing', { 'business-unit-id': 'u1', 'Workstation-ID': '0001', user: ann }, t1],

  ['8.14 another tenant', { 'Tenant-Id': 't2' }, t2],
  ['8.14 a unit of another tenant', { ...unit, 'Tenant-Id': 't2' }, ['annAtTill1OfT2']],
  ['8.14 a session of another tenant', { ...session, 'Tenant-Id': 't2' }, ['annAtTill1OfT2']],
  ['8.14 a user of another tenant', { 'User-Id': annOfT2, 'Tenant-Id': 't2' }, ['annAtTill1OfT2']],
  ['8.14 a connection of another tenant', connection('tenant2'), nobody],
  ['8.14 a user id of another tenant', { 'User-Id': annOfT2 }, nobody],
  ['8.14 a tenant that goes down', { 'Tenant-Id': 't1/business-units/u1' }, nobody],
  ['8.14 a tenant that is nearly the same', { 'Tenant-Id': 'T1' }, nobody],
  ['8.14 no tenant', { 'Tenant-Id': undefined }, nobody],
  ['8.14 no tenant, but a unit', { ...unit, 'Tenant-Id': undefined }, nobody],
  ['8.14 no tenant, but a connection', { ...connection('till1'), 'Tenant-Id': undefined }, nobody],
  ['8.14 an empty tenant', { 'Tenant-Id': '' }, nobody],
  ['8.14 the tenant in other letters', { 'Tenant-Id': undefined, 'tenant-id': 't1', tenantId: 't1' }, nobody],
];

const withTopic = (names: readonly Name[]): readonly Name[] => [...names, 'sessionsAtTill1'];

/** On the topic that some have named. */
const casesOfTopic: readonly Case[] = [
  ['8.14 topic: the tenant', {}, withTopic(t1)],
  ['8.14 topic: a unit', unit, withTopic(u1)],
  ['8.14 topic: a workstation', workstation, withTopic(['annAtTill1', 'till1'])],
  ['8.14 topic: another workstation', { ...unit, 'Workstation-Id': '0002' }, ['till2']],
  ['8.14 topic: a session', session, withTopic(['till1'])],
  ['8.14 topic: a user', user, withTopic(everywhereAnn)],
  ['8.14 topic: a user at a unit', { ...user, ...unit }, withTopic(['annAtTill1'])],
  ['8.14 topic: a connection', connection('sessionsAtTill1'), ['sessionsAtTill1']],
  ['8.14 topic: additional rooms', { ...unit, ...rooms('workstations/0001') }, withTopic(['annAtTill1', 'till1'])],
  ['8.14 topic: another tenant', { 'Tenant-Id': 't2' }, [...t2, 'sessionsAtTill1OfT2']],
  ['8.14 topic: no tenant', { 'Tenant-Id': undefined }, nobody],
];

describeWithPubSub('hiiretail: routing', () => {
  let gateway: HiiretailGateway;
  let delivered: Deliveries;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics: [baskets, sessions] });
    const clients = await Promise.all(
      Object.entries(plans).map(async ([name, plan]: [string, Plan]) => {
        const named = plan.query?.['topics'] !== undefined;
        const tenant = /OfT2|tenant2/.test(name) ? 't2' : 't1';
        return { name, client: await connect(plan), tenant, topic: named ? sessions : baskets };
      }),
    );
    const ids = new Map(clients.map(({ name, client }) => [`@${name}`, client.id]));
    const eventOf = (topic: string, [name, attributes]: Case) => {
      const given = Object.entries({ 'Tenant-Id': 't1', ...attributes }).flatMap(([key, value]): [string, string][] =>
        value === undefined ? [] : [[key, ids.get(value) ?? value]],
      );
      return { name, topic, attributes: Object.fromEntries(given) };
    };
    delivered = await deliveriesOf(gateway, clients, [
      ...cases.map((each) => eventOf(baskets, each)),
      ...casesOfTopic.map((each) => eventOf(sessions, each)),
    ]);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  async function connect({ ocms, iam, query = {} }: Plan): Promise<StockClient> {
    const { issuers, url } = gateway;
    if (!ocms) return connectStock(url, { token: await issuers.iam.mint(iam), query });
    const userToken = iam && (await issuers.iam.mint(iam));
    return connectStock(url, { token: await issuers.ocms.mint(ocms), query: { ...query, userToken } });
  }

  test.each([...cases, ...casesOfTopic])('%s', (what, _attributes, receivers) => {
    // A name twice would be an event that came twice.
    const received = Object.entries(delivered).flatMap(([name, events]) =>
      events.filter((event) => event === what).map(() => name),
    );
    expect(received.sort()).toEqual([...receivers].sort());
  });
});

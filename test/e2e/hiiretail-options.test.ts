import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposableSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdgeward } from '../support/gateway-process.ts';
import { connectStock, outcomeOf } from '../support/hiiretail-clients.ts';
import { deliveriesOf } from '../support/hiiretail-deliveries.ts';
import { editPreset, type HiiretailGateway, startHiiretail, subscriptionOf } from '../support/hiiretail-gateway.ts';
import { type Claims, ocmsIssuer, staffIssuer } from '../support/hiiretail-issuers.ts';
import { stopServer } from '../support/stop-server.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const sessions = 'che.public.event.session-changed.v1';
const baskets = 'att.private.notification.baskets.v1';
const topics = [sessions, baskets];

describeWithPubSub('with every variable of the environment that says what is where', () => {
  const machines = 'https://machines.example/';
  const staff = 'https://people.example/staff';
  const shoppers = 'https://people.example/shoppers';

  /** Knows what persons of the tenant t1 may do, and nobody else; keeps the tokens that it was asked with. */
  const askedWith: (string | undefined)[] = [];
  const permissions = createServer(({ url, headers }, response) => {
    askedWith.push(headers.authorization);
    const known = { permissions: ['sio.websocket.connect', 'sio.websocket.read'] };
    response.writeHead(url === '/t1' ? 200 : 404).end(JSON.stringify(known));
  });

  let gateway: HiiretailGateway;
  beforeAll(async () => {
    permissions.listen(0, '127.0.0.1');
    await once(permissions, 'listening');
    const { port } = permissions.address() as AddressInfo;
    gateway = await startHiiretail({
      topics,
      env: {
        IAM_PERMISSIONS_URL: `http://127.0.0.1:${port}/{tenant}`,
        // One of them without its topic, which the gateway then has to find out.
        PUBSUB_SUBSCRIPTIONS: `${subscriptionOf(sessions)}, ${baskets}:${subscriptionOf(baskets)}`,
        OCMS_ISSUER: machines,
        OCMS_AUDIENCE: 'edge',
        IAM_ISSUERS: `${staff}, ${shoppers}`,
        IAM_AUDIENCES: 'staff, shoppers',
        USER_ROOM_ID: 'sub',
        ADDITIONAL_ROOMS_DENIED: 'refuse',
        ADDITIONAL_ROOMS_UNDER: 'topics/{topics}',
        CONNECTION_ID_ATTRIBUTE: 'Socket',
        SESSION_ID_ATTRIBUTE: 'Visit',
        USER_ID_ATTRIBUTE: 'Person',
        WORKSTATION_ID_ATTRIBUTE: 'Till',
      },
    });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await stopServer(permissions);
  });

  const machine = (claims: Claims = {}) =>
    gateway.issuers.ocms.mint({ iss: machines, aud: 'edge', buid: 'u1', wid: '0001', ...claims });
  const person = (claims: Claims = {}) => gateway.issuers.iam.mint({ iss: staff, aud: 'staff', ...claims });
  const roles = ['sio.websocket-client'];
  const rolesWithRooms = [...roles, 'sio.bu-rooms-client'];
  const extra = ['zones/a'];

  test.each<readonly [what: string, mint: () => Promise<string>, expected: string]>([
    ['8.5 a machine', () => machine(), 'let in'],
    ['8.5 the issuer that is the default', () => machine({ iss: ocmsIssuer }), 'token_issuer_unknown'],
    ['8.5 the audience that is the default', () => machine({ aud: 'https://hiiretail.com' }), 'token_audience_wrong'],
    ['8.4 staff', () => person({ roles }), 'let in'],
    ['8.4 shoppers', () => person({ iss: shoppers, aud: 'shoppers', roles }), 'let in'],
    ['8.4 staff for shoppers', () => person({ aud: 'shoppers', roles }), 'token_audience_wrong'],
    ['8.4 shoppers for staff', () => person({ iss: shoppers, roles }), 'token_audience_wrong'],
    ['8.4 an issuer that is a default', () => person({ iss: staffIssuer, roles }), 'token_issuer_unknown'],
    ['8.4 an audience that is a default', () => person({ aud: 'hiidentity-staff', roles }), 'token_audience_wrong'],
  ])('%s', async (_what, mint, expected) => {
    expect(await outcomeOf(gateway.url, { token: await mint() })).toBe(expected);
  });

  test('8.6 what a person may do is asked elsewhere, and not when the machine’s permissions count', async () => {
    const [token, stranger] = await Promise.all([
      person({ sub: 'bob' }),
      person({ 'https://extendaretail.com/tenant': 't2' }),
    ]);
    expect(await outcomeOf(gateway.url, { token })).toBe('let in');
    expect(askedWith).toContain(`Bearer ${token}`);
    expect(await outcomeOf(gateway.url, { token: stranger })).toBe('access_denied');
    const [ofMachine, ofPerson] = await Promise.all([machine(), person({ sub: 'eve' })]);
    expect(await outcomeOf(gateway.url, { token: ofMachine, query: { userToken: ofPerson } })).toBe('let in');
    expect(askedWith).not.toContain(`Bearer ${ofPerson}`);
  });

  test('8.11 whoever asks for rooms without the permission is refused, if one says so', async () => {
    const query = { additionalBusinessUnitRooms: extra };
    const [without, having, homeless] = await Promise.all([
      machine(),
      machine({ roles: rolesWithRooms }),
      machine({ buid: undefined }),
    ]);
    expect(await outcomeOf(gateway.url, { token: without, query })).toBe('room_denied');
    expect(await outcomeOf(gateway.url, { token: without })).toBe('let in');
    expect(await outcomeOf(gateway.url, { token: having, query })).toBe('let in');
    // There is no room that could be denied.
    expect(await outcomeOf(gateway.url, { token: homeless, query })).toBe('let in');
  });

  test('8.12, 8.15, 8.19 names of attributes, users by their subject, rooms below topics', async () => {
    const query = { sessionId: 's1', additionalBusinessUnitRooms: extra };
    const roomy = await machine({ roles: rolesWithRooms });
    const clients = await Promise.all(
      Object.entries({
        till: { token: roomy, query },
        person: { token: await machine({ wid: undefined }), query: { userToken: await person() } },
        topical: { token: roomy, query: { ...query, topics: [baskets] } },
      }).map(async ([name, presents]) => {
        const client = await connectStock(gateway.url, presents);
        return { name, client, tenant: 't1', topic: baskets };
      }),
    );
    const unit = { 'Business-Unit-Id': 'u1' };
    const hash = createHash('sha256').update(`ann${staff}t1`).digest('hex');
    const addressed = {
      session: { ...unit, Till: '0001', Visit: 's1' },
      workstation: { ...unit, Till: '0001' },
      'user at a unit': { ...unit, Person: 'ann' },
      user: { Person: 'ann' },
      'user by hash': { Person: hash },
      rooms: { ...unit, 'Additional-Business-Unit-Rooms': 'zones/a' },
      // These are attributes like any other now.
      unit: { ...unit, 'Workstation-Id': '0001', 'Session-Id': 's1', 'Connection-Id': 'x', 'User-Id': 'y' },
      'workstation without a unit': { Till: '0001' },
    };
    const events = topics.flatMap((topic) =>
      Object.entries(addressed).map(([name, attributes]) => ({
        name: `${topic} ${name}`,
        topic,
        attributes: { 'Tenant-Id': 't1', ...attributes },
      })),
    );
    const on = (topic: string, ...names: readonly (keyof typeof addressed)[]) =>
      names.map((name) => `${topic} ${name}`).sort();
    const ofTill = ['rooms', 'session', 'unit', 'workstation'] as const;
    const ofPerson = ['unit', 'user', 'user at a unit'] as const;
    expect(await deliveriesOf(gateway, clients, events, 'Socket')).toEqual({
      till: [...on(baskets, ...ofTill), ...on(sessions, ...ofTill)],
      person: [...on(baskets, ...ofPerson), ...on(sessions, ...ofPerson)],
      topical: on(baskets, ...ofTill),
    });
    // A topic that was not given is the one of the subscription.
    for (const { client } of clients) {
      for (const [name, data] of client.received)
        expect((data as { name: string }).name).toMatch(new RegExp(`^(${name} |last of)`));
      client[Symbol.dispose]();
    }
  });
});

describeWithPubSub('with a copy of the preset that says more', () => {
  let gateway: HiiretailGateway;
  beforeAll(async () => {
    gateway = await startHiiretail({
      topics,
      edit: (preset) => {
        const allTenants = { withoutTenant: true, eachOf: ['topics/{stream}'] };
        preset.addIn(['routes'], preset.createNode(allTenants));
        const moreRoles = { 'abc.connects': ['sio.websocket.connect'], 'abc.reads': ['sio.websocket.read'] };
        for (const [role, permissions] of Object.entries(moreRoles)) {
          preset.setIn(['identity', 'roles', role], preset.createNode(permissions));
        }
      },
    });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test.each([
    [['abc.connects'], 'access_denied'],
    [['abc.reads'], 'access_denied'],
    [['abc.connects', 'abc.reads'], 'let in'],
  ])('8.6 to connect and to read are both needed: %s', async (roles, expected) => {
    const { ocms, iam } = gateway.issuers;
    for (const token of [await ocms.mint({ roles }), await iam.mint({ roles })]) {
      expect(await outcomeOf(gateway.url, { token })).toBe(expected);
    }
  });

  test('8.14 only a rule that is marked for it reaches whoever has named the topic, of all tenants', async () => {
    const { ocms, iam } = gateway.issuers;
    const clients = await Promise.all(
      Object.entries({
        machine: { tenant: 't1', token: await ocms.mint({ tid: 't1' }), query: { topics: [sessions] } },
        otherTenant: { tenant: 't2', token: await ocms.mint({ tid: 't2' }), query: { topics: [sessions] } },
        person: {
          tenant: 't1',
          token: await iam.mint({ roles: ['sio.websocket-client'] }),
          query: { topics: [sessions, baskets] },
        },
        otherTopic: { tenant: 't1', token: await ocms.mint({ tid: 't1' }), query: { topics: [baskets] } },
        noTopic: { tenant: 't1', token: await ocms.mint({ tid: 't1' }), query: {} },
      }).map(async ([name, { tenant, token, query }]) => {
        const client = await connectStock(gateway.url, { token, query });
        return { name, client, tenant, topic: name === 'otherTopic' ? baskets : sessions };
      }),
    );
    const named = (name: string, topic: string, attributes: Readonly<Record<string, string>>) => ({
      name,
      topic,
      attributes,
    });
    const delivered = await deliveriesOf(gateway, clients, [
      named('for all', sessions, {}),
      named('for all, with a unit', sessions, { 'Business-Unit-Id': 'u1' }),
      named('for all of the other topic', baskets, {}),
      named('for a tenant', sessions, { 'Tenant-Id': 't1' }),
    ]);
    expect(delivered).toEqual({
      machine: ['for a tenant', 'for all', 'for all, with a unit'],
      otherTenant: ['for all', 'for all, with a unit'],
      person: ['for a tenant', 'for all', 'for all of the other topic', 'for all, with a unit'],
      otherTopic: ['for all of the other topic'],
      noTopic: ['for a tenant'],
    });
  });
});

test('8.14 a copy of the preset that could lead into another tenant’s rooms is refused, place by place', async () => {
  const rooms = [
    'tenants/{sessionId}',
    'tenants/{additionalBusinessUnitRooms*}',
    'topics/a/tenants/{sessionId}/users/{tenant}',
    'topics/{topics}/tenants/{sessionId}',
  ];
  const routes = [
    'tenants/{Business-Unit-Id}/{Tenant-Id}',
    'topics/{stream}/tenants/{Business-Unit-Id}/{Tenant-Id}',
    'broadcast/{stream}',
  ];
  using folder = mkdtempDisposableSync(join(tmpdir(), 'edgeward-'));
  const path = join(folder.path, 'hiiretail.yaml');
  editPreset(path, (preset) => {
    preset.addIn(['endpoints', 0, 'socketio', 'rooms'], preset.createNode({ templates: rooms }));
    preset.addIn(['routes'], preset.createNode({ eachOf: routes }));
  });
  const env = { PUBSUB_PROJECT: 'p-1', PUBSUB_SUBSCRIPTIONS: 'topic:subscription' };
  const { output, exited } = startEdgeward({ args: ['check', path], env });
  expect(await exited).toBe(3);
  const told = output().trimEnd().split('\n');
  const reason = /could name another tenant's room|all tenants would share it/;
  expect(told.filter((line) => !reason.test(line))).toEqual([]);
  for (const template of [...rooms, ...routes])
    expect(told.filter((line) => line.includes(`: "${template}"`))).toHaveLength(1);
});

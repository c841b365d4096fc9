import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checksSettings, permissionSourcesSettings } from '../../../src/adapters/access/access-settings.ts';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { identitySettings } from '../../../src/adapters/identity/identity-settings.ts';
import { memorySettings } from '../../../src/adapters/inbound/memory/memory-settings.ts';
import { socketioSettings } from '../../../src/adapters/outbound/socketio/socketio-settings.ts';
import { websocketSettings } from '../../../src/adapters/outbound/websocket/websocket-settings.ts';
import { accessSettings } from '../../../src/adapters/settings-fields.ts';
import { buildAccess } from '../../../src/bootstrap/config/build-access.ts';
import { buildIsolation, buildRouting } from '../../../src/bootstrap/config/build-routing.ts';
import { createConfigCheck } from '../../../src/bootstrap/config/check-config.ts';
import { createConfigSchema } from '../../../src/bootstrap/config/config-schema.ts';
import { describeProblems } from '../../../src/bootstrap/config/describe-problems.ts';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import type { Environment } from '../../../src/bootstrap/config/reference.ts';
import { Event } from '../../../src/domain/event.ts';
import { createPrincipal } from '../../../src/domain/principal.ts';

/** Adapters that are not there yet: the words of every endpoint, and whatever else they will have. */
const endpoint = z.looseObject(accessSettings);

const schema = createConfigSchema({
  sources: {
    memory: memorySettings,
    pubsub: z.looseObject({ project: z.string(), subscriptions: z.array(z.string()).min(1) }),
    amqp: z.looseObject({ url: z.string().optional(), queue: z.string().optional() }),
  },
  endpoints: {
    socketio: socketioSettings,
    websocket: websocketSettings,
    signalr: endpoint.extend({ paths: z.array(z.string()), corsOrigins: z.array(z.string()).default([]) }),
    spaces: endpoint.extend({ history: z.looseObject({ store: z.string().optional() }) }),
  },
  identity: identitySettings.prefault({}),
  checks: checksSettings.default({}),
  permissionSources: permissionSourcesSettings.default({}),
});

const loader = createConfigLoader({
  schema,
  check: createConfigCheck({ compile: compileCondition, publisherKinds: ['memory', 'pubsub', 'amqp'] }),
});

function draft(name: string, environment: Environment) {
  const file = new URL(`drafts/${name}.yaml`, import.meta.url);
  const config = loader(readFileSync(file, 'utf8'), environment);
  if (!config.ok) throw new Error(describeProblems(`${name}.yaml`, config.reason));
  return config.value;
}

const environments = {
  hiiretail: { PUBSUB_PROJECT: 'retail', PUBSUB_SUBSCRIPTIONS: 'che.a.v1:one, che.b.v1:two' },
  brainlife: {
    AMQP_URL: 'amqp://guest:guest@localhost',
    JWT_PUBLIC_KEY_FILE: 'key.pem',
    AMARETTI_URL: 'https://brainlife.example/api/amaretti',
    WAREHOUSE_URL: 'https://brainlife.example/api/warehouse',
  },
  'salto-ks': {
    AMQP_URL: 'amqp://localhost',
    IDENTITY_ISSUER: 'https://identity.example',
    IDENTITY_JWKS_URL: 'https://identity.example/jwks',
    SITE_ROLES_URL: 'https://roles.example/sites/{site_id}',
    CORS_ORIGINS: 'https://a.example, https://b.example',
  },
  'avaya-spaces': {
    JWT_ISSUERS: 'zang.io',
    JWT_JWKS_URL: 'https://accounts.example/jwks',
    ANONYMOUS_JWT_SECRET: 'a secret of thirty-two bytes or more',
    MEMBERSHIP_URL: 'https://spaces.example/api/spaces/{space}/join',
  },
} as const;

test.each(Object.entries(environments))('%s fits into the frame', (name, environment) => {
  const config = draft(name, environment);
  expect(config.listen).toMatchObject({ host: '0.0.0.0', port: 8080 });
  expect(config.development).toBeUndefined();
});

test.each(Object.entries(environments))(
  '%s names every variable that is missing, and no other',
  (name, environment) => {
    const file = new URL(`drafts/${name}.yaml`, import.meta.url);
    const config = loader(readFileSync(file, 'utf8'), {});
    const missing = config.ok
      ? []
      : config.reason.map(({ message }) => /variable (\w+) has no value/.exec(message)?.[1]);
    const needed = Object.keys(environment).filter((variable) => !['CORS_ORIGINS', 'AMQP_URL'].includes(variable));
    const amqp = name === 'brainlife' ? ['AMQP_URL'] : [];
    expect([...new Set(missing.filter((each) => each !== undefined))].sort()).toEqual([...needed, ...amqp].sort());
  },
);

describe('hiiretail', () => {
  const config = draft('hiiretail', environments.hiiretail);
  const [chosen] = config.endpoints;
  const isolation = config.isolation && buildIsolation(config.isolation);
  const roles = ['sio.websocket.connect', 'sio.websocket.read'];

  const ocms = {
    name: 'ocms',
    claims: {},
    roles: [],
    permissions: roles,
    variables: new Map([
      ['tenant', 't1'],
      ['businessUnit', 'b1'],
      ['workstation', '0001'],
    ]),
  };
  const iam = {
    name: 'iam',
    claims: {},
    roles: [],
    permissions: roles,
    variables: new Map([
      ['tenant', 't1'],
      ['user', 'u1'],
    ]),
  };

  function roomsOf(
    credentials: readonly (typeof ocms)[],
    query: Readonly<Record<string, string | readonly string[]>> = {},
  ) {
    const access =
      chosen?.kind === 'socketio' ? buildAccess(chosen.settings, { isolation, compile: compileCondition }) : undefined;
    const principal = createPrincipal(credentials);
    if (!access?.ok || !principal.ok) throw new Error('the draft has no access');
    const variables = new Map(Object.entries({ ...query, connection: 'c1' }));
    const request = { principal: principal.value, variables, checks: new Map() };
    const joined = access.value.mayJoin(request);
    return {
      connects: access.value.mayConnect(request).kind,
      rooms: joined.kind === 'allow' ? [...joined.value.rooms].sort() : [],
    };
  }

  test('section 4, mode 1: an OCMS token', () => {
    expect(roomsOf([ocms])).toEqual({
      connects: 'allow',
      rooms: [
        'tenants/t1',
        'tenants/t1/business-units/b1',
        'tenants/t1/business-units/b1/workstations/0001',
        'tenants/t1/connections/c1',
      ],
    });
  });

  test('section 4, mode 2: an IAM token', () => {
    expect(roomsOf([iam])).toEqual({
      connects: 'allow',
      rooms: ['tenants/t1', 'tenants/t1/connections/c1', 'tenants/t1/users/u1'],
    });
  });

  test('section 4, mode 3: both, and topics', () => {
    const family = [
      '',
      '/tenants/t1',
      '/tenants/t1/business-units/b1',
      '/tenants/t1/business-units/b1/users/u1',
      '/tenants/t1/business-units/b1/workstations/0001',
      '/tenants/t1/connections/c1',
      '/tenants/t1/users/u1',
    ];
    expect(roomsOf([ocms, { ...iam, permissions: [] }], { topics: ['a.v1', 'b.v1'] })).toEqual({
      connects: 'allow',
      rooms: ['a.v1', 'b.v1'].flatMap((topic) => family.map((room) => `topics/${topic}${room}`)).sort(),
    });
  });

  test('section 4: a session has a room below its workstation', () => {
    expect(roomsOf([ocms], { sessionId: 's1' }).rooms).toContain(
      'tenants/t1/business-units/b1/workstations/0001/sessions/s1',
    );
    expect(roomsOf([iam], { sessionId: 's1' })).toEqual(roomsOf([iam]));
  });

  test('section 4, additional rooms: below the own unit, with the permission only', () => {
    const query = { additionalBusinessUnitRooms: ['workstations/002', '../../t2', 'x'] };
    const allowed = { ...ocms, permissions: [...roles, 'sio.bu-rooms.join'] };
    const extra = ['../../t2', 'workstations/002', 'x'].map((room) => `tenants/t1/business-units/b1/${room}`);
    expect(roomsOf([allowed], query).rooms.filter((room) => !roomsOf([ocms]).rooms.includes(room))).toEqual(extra);
    expect(roomsOf([ocms], query)).toEqual(roomsOf([ocms]));
  });

  test('section 8.6: both permissions are needed, and in mode 3 those of the machine', () => {
    expect(roomsOf([{ ...ocms, permissions: ['sio.websocket.connect'] }]).connects).toBe('deny');
    expect(roomsOf([{ ...ocms, permissions: [] }, iam]).connects).toBe('deny');
  });

  const routing = buildRouting(config.routes, config.isolation, compileCondition);
  function targets(attributes: Readonly<Record<string, string>>) {
    if (!routing.ok) throw new Error('the draft has no routing');
    const event = new Event({
      id: '1',
      stream: 'che.a.v1',
      key: '',
      attributes: new Map(Object.entries(attributes)),
      payload: Buffer.from('{}'),
      publishedAt: 0,
      origin: { source: 'pubsub', properties: {} },
    });
    const decision = routing.value.decide(event);
    return decision.kind === 'routed' ? [...decision.rooms] : decision.cause;
  }
  const T = { 'Tenant-Id': 't1' };
  const B = { ...T, 'Business-Unit-Id': 'b1' };
  const unit = 'tenants/t1/business-units/b1';

  test.each([
    [T, ['tenants/t1']],
    [B, [unit]],
    [{ ...B, 'Workstation-Id': '0001' }, [`${unit}/workstations/0001`]],
    [{ ...T, 'User-Id': 'u1' }, ['tenants/t1/users/u1']],
    [{ ...B, 'User-Id': 'u1' }, [`${unit}/users/u1`]],
    [{ ...T, 'Connection-Id': 'c1' }, ['tenants/t1/connections/c1']],
    [{ ...B, 'Workstation-Id': 'w', 'Session-Id': 's' }, [`${unit}/workstations/w/sessions/s`]],
    [
      { ...B, 'Additional-Business-Unit-Rooms': 'workstations/001, workstation-types/scanngo' },
      [`${unit}/workstations/001`, `${unit}/workstation-types/scanngo`],
    ],
    [{ ...T, 'Additional-Business-Unit-Rooms': 'workstations/001' }, ['tenants/t1']],
  ])('sections 5, 8.12 to 8.14: %j goes to its rooms, and to the same below the topic', (attributes, rooms) => {
    expect(targets(attributes)).toEqual([...rooms, ...rooms.map((room) => `topics/che.a.v1/${room}`)]);
  });

  test.each([
    [{}, 'no_template'],
    [{ 'Business-Unit-Id': 'b1' }, 'no_template'],
    [{ ...T, 'Workstation-Id': '0001' }, 'narrowing'],
    [{ ...B, 'Session-Id': 's1' }, 'narrowing'],
  ])('section 8.14: %j reaches nobody', (attributes, cause) => {
    expect(targets(attributes)).toBe(cause);
  });
});

test('brainlife: WF_URL is AMARETTI_URL where it is not set', () => {
  expect(draft('brainlife', environments.brainlife).checks['workflow']?.url).toBe(
    'https://brainlife.example/api/amaretti/event/checkaccess/{key}',
  );
  expect(draft('brainlife', { ...environments.brainlife, WF_URL: 'https://wf.example' }).checks['workflow']?.url).toBe(
    'https://wf.example/event/checkaccess/{key}',
  );
});

test('salto-ks: an event reaches the stream of its site, and that of its user where it names one', () => {
  const config = draft('salto-ks', environments['salto-ks']);
  const routing = buildRouting(config.routes, config.isolation, compileCondition);
  const roomsOf = (key: string) => {
    const event = new Event({
      id: '1',
      stream: 'salto.events',
      key,
      attributes: new Map(),
      payload: Buffer.from('{}'),
      publishedAt: 0,
      origin: { source: 'amqp', properties: {} },
    });
    const decision = routing.ok ? routing.value.decide(event) : undefined;
    return decision?.kind === 'routed' ? [...decision.rooms] : decision?.cause;
  };
  expect(roomsOf('entries.s1.u1')).toEqual(['entries/sites/s1', 'entries/sites/s1/users/u1']);
  expect(roomsOf('entries.s1')).toEqual(['entries/sites/s1']);
  expect(roomsOf('incidents.s1.u1')).toEqual(['incidents/sites/s1', 'incidents/sites/s1/users/u1']);
  expect(roomsOf('entries')).toBe('no_template');
  expect(roomsOf('other.s1')).toBe('no_rule');
});

test.each([
  [{}, ['memory']],
  [{ PUBSUB_PROJECT: 'p' }, ['pubsub']],
  [{ AMQP_URL: 'amqp://localhost' }, ['amqp']],
  [{ AMQP_URL: 'amqp://localhost', PUBSUB_PROJECT: 'p' }, ['amqp']],
])('avaya-spaces: with %j the broker is %j', (more, kinds) => {
  const { sources } = draft('avaya-spaces', { ...environments['avaya-spaces'], ...more });
  expect(sources.map(({ kind }) => kind)).toEqual(kinds);
  expect(sources.map(({ name }) => name)).toEqual(['broker']);
});

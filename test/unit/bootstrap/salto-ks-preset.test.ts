import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { createIdentityVerifier } from '../../../src/adapters/identity/identity-verifier.ts';
import { presentedBy } from '../../../src/adapters/outbound/presented-by.ts';
import { createTopicBindings } from '../../../src/application/topic-bindings.ts';
import { createAdmissions } from '../../../src/bootstrap/admissions.ts';
import { buildRouting } from '../../../src/bootstrap/config/build-routing.ts';
import { describeProblems } from '../../../src/bootstrap/config/describe-problems.ts';
import { type Config, loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';
import type { Environment } from '../../../src/bootstrap/config/reference.ts';
import { allowedValue, eventOf } from '../../support/domain-fixtures.ts';
import { testKey } from '../../support/key-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const text = readFileSync(new URL('../../../presets/salto-ks.yaml', import.meta.url), 'utf8');
const page = readFileSync(new URL('../../../docs/presets/salto-ks.md', import.meta.url), 'utf8');

const needed: Environment = {
  AMQP_URL: 'amqp://localhost',
  IDENTITY_ISSUER: 'https://identity.example',
  IDENTITY_JWKS_URL: 'https://identity.example/jwks',
};

function preset(environment: Environment = {}): Config {
  const config = loadEdgewardConfig(text, { ...needed, ...environment });
  if (!config.ok) throw new Error(describeProblems('salto-ks.yaml', config.reason));
  return config.value;
}

const signalrOf = (config: Config) =>
  config.endpoints.map(({ kind, settings }) => {
    if (kind !== 'signalr') throw new Error('the preset has changed');
    return settings;
  });

describe('the environment', () => {
  test.each([
    [{}, Object.keys(needed)],
    [{ PUBSUB_PROJECT: 'p' }, ['IDENTITY_ISSUER', 'IDENTITY_JWKS_URL', 'PUBSUB_SUBSCRIPTIONS']],
    [{ AMQP_QUEUE: 'q' }, Object.keys(needed)],
  ])('with %j every variable that is missing is named, and no other', (environment, names) => {
    const config = loadEdgewardConfig(text, environment);
    const problems = config.ok ? [] : config.reason;
    const missing = problems.map(({ message }) => /variable (\w+) has no/.exec(message)?.[1] ?? message);
    expect([...new Set(missing)].sort()).toEqual([...names].sort());
  });

  test('every variable that it reads is in the table of its page, and no other', () => {
    const read = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    const [, table = ''] = page.split('## Environment');
    const rows = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| (`.*?) \|/gm)];
    const documented = rows.flatMap(([, names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(new Set(documented)).toEqual(new Set(read));
  });

  test('without a queue there is one for each process, with one its messages are settled, and Pub/Sub may stand there', () => {
    const subscribe = [
      { exchange: 'salto.events', pattern: 'entries.#' },
      { exchange: 'salto.events', pattern: 'incidents.#' },
    ];
    expect(preset().sources).toMatchObject([{ kind: 'amqp', settings: { subscribe, whenMissing: 'wait' } }]);
    const queue = preset({ AMQP_QUEUE: 'q' }).sources;
    expect(queue).toMatchObject([{ kind: 'amqp', settings: { queues: ['q'] } }]);
    const pubsub = preset({ PUBSUB_PROJECT: 'p', PUBSUB_SUBSCRIPTIONS: 'events:events-edge' }).sources;
    expect(pubsub).toMatchObject([{ kind: 'pubsub', settings: { project: 'p' } }]);
  });

  test('what is beyond the original is off, and may be switched on', () => {
    for (const settings of signalrOf(preset())) {
      expect(settings).toMatchObject({
        atTokenExpiry: 'keep',
        subscriptions: false,
        streaming: false,
        corsOrigins: [],
      });
      expect(settings).toMatchObject({ keepAliveMs: 15_000, clientTimeoutMs: 30_000, recordBytesMax: 32_768 });
    }
    const on = {
      AT_TOKEN_EXPIRY: 'close',
      SUBSCRIPTIONS: 'true',
      STREAMING: 'true',
      CORS_ORIGINS: 'https://a.example',
    };
    for (const settings of signalrOf(preset(on))) {
      expect(settings).toMatchObject({
        atTokenExpiry: 'close',
        subscriptions: true,
        streaming: true,
        corsOrigins: ['https://a.example'],
      });
    }
  });

  test('answers about roles count for a minute, and are asked for with the token', () => {
    expect(preset().checks).toEqual({});
    expect(preset({ SITE_ROLES_URL: 'https://roles.example/{site_id}' }).checks).toMatchObject({
      siteRoles: { cacheMs: 60_000, bearer: 'salto', url: 'https://roles.example/{site_id}' },
    });
  });
});

test('the older paths are aliases', () => {
  expect(signalrOf(preset()).map(({ paths }) => paths)).toEqual([
    ['/v1/hub/entries', '/hub/entry'],
    ['/v1/hub/incidents', '/hub/incident'],
  ]);
});

test('an event reaches the stream of its site, and that of its user where it names one', () => {
  const { routes, isolation } = preset();
  const routing = allowedValue(buildRouting(routes, isolation, compileCondition));
  const roomsOf = (key: string, attributes = {}) => {
    const decision = routing.decide(eventOf(attributes, { stream: 'salto.events', key }));
    return decision.kind === 'routed' ? [...decision.rooms] : decision.cause;
  };
  expect(roomsOf('entries.s1.u1')).toEqual(['entries/sites/s1', 'entries/sites/s1/users/u1']);
  expect(roomsOf('entries.s1')).toEqual(['entries/sites/s1']);
  expect(roomsOf('entries.s1.')).toEqual(['entries/sites/s1']);
  expect(roomsOf('entries.s1', { user_id: 'u1', site_id: 's2' })).toEqual(['entries/sites/s1']);
  expect(roomsOf('incidents.s1.u1')).toEqual(['incidents/sites/s1', 'incidents/sites/s1/users/u1']);
  expect(roomsOf('entries.s1.u1.x')).toBe('no_rule');
  expect(roomsOf('entries')).toBe('no_rule');
  expect(roomsOf('entries.')).toBe('no_template');
  expect(roomsOf('other.s1')).toBe('no_rule');
});

const key = await testKey('k');
const now = Date.UTC(2026, 0, 1);

/** What becomes of somebody with these claims who asks for this. */
async function outcome(claims: Record<string, unknown>, query: string, environment: Environment = {}) {
  const observer = recordingObserver();
  const clock = new ManualClock(now);
  const config = preset(environment);
  const tokens = { salto: { ...config.identity.tokens['salto'], jwks: undefined, pem: key.publicPem } };
  const identity = { ...config.identity, tokens } as Config['identity'];
  const verifier = createIdentityVerifier(identity, { clock, observer });
  const admissions = createAdmissions({ config, verifier, bindings: createTopicBindings(() => []), clock, observer });
  const [settings] = signalrOf(config);
  if (!settings) throw new Error('the preset has no hub');
  const usual = { iss: 'https://identity.example', aud: 'user_api', sub: 'ann', scope: 'user_api.full_access' };
  const token = await key.sign({ ...usual, exp: now / 1000 + 60, ...claims });
  const presented = presentedBy({
    url: `/v1/hub/entries?${query}`,
    headers: { authorization: [`Bearer ${token}`] },
    auth: {},
  });
  const admission = admissions.forConnections('entries', settings, 'last');
  const admitted = await admission.admit('c1', presented, new AbortController().signal);
  if (admitted.kind === 'admitted') return admitted.rooms.join();
  return admitted.kind === 'denied' ? admitted.denial.code : admitted.kind;
}

describe('salto-ks 8.5, 8.6, 8.7, 8.8: who may have which stream', () => {
  const roles = (...names: readonly unknown[]) => ({ site_roles: { s: names, other: ['site_admin'] } });

  test.each([
    [roles('site_admin'), 'site_id=s', 'entries/sites/s'],
    [roles('site_super_user'), 'site_id=s', 'entries/sites/s'],
    [roles('site_user'), 'site_id=s', 'room_denied'],
    [roles('site_owner'), 'site_id=s', 'room_denied'],
    [roles(), 'site_id=s', 'room_denied'],
    [roles('Site_Admin', 1, null), 'site_id=s', 'room_denied'],
    [roles('site_admin'), 'site_id=S', 'room_denied'],
    [roles('site_admin'), 'site_id=toString', 'room_denied'],
    [{}, 'site_id=s', 'room_denied'],
    [{ site_roles: 'site_admin' }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: 'site_admin' } }, 'site_id=s', 'room_denied'],
    [{ site_roles: ['s'] }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: { site_admin: false } } }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: { site_admin: true } } }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: { site_user: 0 } } }, 'site_id=s&user_id=ann', 'room_denied'],
    [{ site_roles: { s: [{ site_admin: true }] } }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: [['site_admin']] } }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: null } }, 'site_id=s', 'room_denied'],
    [{ site_roles: { s: 1 } }, 'site_id=s', 'room_denied'],
    [roles('site_admin'), 'site_id=s&user_id=bob', 'entries/sites/s/users/bob'],
    [roles('site_super_user'), 'site_id=s&user_id=a%2Fb', 'entries/sites/s/users/a%2Fb'],
    [roles('site_user'), 'site_id=s&user_id=ann', 'entries/sites/s/users/ann'],
    [roles('site_user'), 'site_id=s&user_id=bob', 'room_denied'],
    [roles('site_owner'), 'site_id=s&user_id=ann', 'room_denied'],
    [roles('site_user', 'site_admin'), 'site_id=s&user_id=bob', 'entries/sites/s/users/bob'],
    [roles('site_user'), 'site_id=s&user_id=', 'room_denied'],
    [roles('site_user'), 'site_id=s&user_id=undefined', 'room_denied'],
    [roles('site_admin'), 'site_id=s&user_id=', 'query_invalid'],
    [roles('site_admin'), 'site_id=s&user_id=null', 'query_invalid'],
    [roles('site_admin'), 'site_id=s&user_id=a&user_id=b', 'query_invalid'],
    [roles('site_admin'), '', 'query_invalid'],
    [roles('site_admin'), 'site_id=', 'query_invalid'],
    [roles('site_admin'), 'site_id=s&site_id=other', 'query_invalid'],
    [roles('site_admin'), 'site_id=s&site_id=', 'query_invalid'],
    [roles('site_admin'), 'site_id=null&site_id=s', 'query_invalid'],
    [roles('site_admin'), 'site_id[]=s', 'query_invalid'],
    [roles('site_admin'), 'site_id=s&user_id=a&user_id=', 'query_invalid'],
    [roles('site_user'), 'site_id=s&user_id[]=ann', 'room_denied'],
    [roles('site_admin'), 'site_id=s&user_id=ann@example.com', 'query_invalid'],
    [{ site_roles: { 's.t': ['site_admin'] } }, 'site_id=s.t', 'query_invalid'],
    [roles('site_admin'), 'site_id=s&user_id=.', 'query_invalid'],
    [{ ...roles('site_user'), sub: undefined }, 'site_id=s&user_id=ann', 'room_denied'],
    [{ ...roles('site_admin'), sub: undefined }, 'site_id=s', 'entries/sites/s'],
    [{ ...roles('site_admin'), scope: 'other' }, '', 'access_denied'],
    [{ ...roles('site_admin'), scope: 'other' }, 'site_id=s&user_id=', 'access_denied'],
  ])('%j with "%s": %s', async (claims, query, expected) => {
    expect(await outcome(claims, query)).toBe(expected);
    // Who says it himself is not asked about, and so it is where somebody else could be asked.
    if (!('site_roles' in claims) || query.includes('toString') || query.includes('site_id=S')) return;
    if (!/^\{"s":(?!null)/.test(JSON.stringify(claims.site_roles))) return;
    expect(await outcome(claims, query, { SITE_ROLES_URL: 'http://127.0.0.1:9/{site_id}' })).toBe(expected);
  });

  test('the owner of a site may what its admin may, where the config says so', async () => {
    const environment = { SITE_OWNER: 'allow' };
    expect(await outcome(roles('site_owner'), 'site_id=s', environment)).toBe('entries/sites/s');
    expect(await outcome(roles('site_owner'), 'site_id=s&user_id=bob', environment)).toBe('entries/sites/s/users/bob');
    for (const SITE_OWNER of ['deny', 'true', "allow' || true || '"]) {
      expect(await outcome(roles('site_owner'), 'site_id=s', { SITE_OWNER })).toBe('room_denied');
    }
  });

  test('who somebody is may stand in another claim', async () => {
    const claims = { ...roles('site_user'), uid: 'u-7' };
    expect(await outcome(claims, 'site_id=s&user_id=u-7', { CALLER_CLAIM: 'uid' })).toBe('entries/sites/s/users/u-7');
    expect(await outcome(claims, 'site_id=s&user_id=ann', { CALLER_CLAIM: 'uid' })).toBe('room_denied');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { buildRouting } from '../../../src/bootstrap/config/build-routing.ts';
import { type Config, loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';
import { Event } from '../../../src/domain/event.ts';

const text = readFileSync(new URL('../../../presets/avaya-spaces.yaml', import.meta.url), 'utf8');
const page = readFileSync(new URL('../../../docs/presets/avaya-spaces.md', import.meta.url), 'utf8');

const environment = {
  JWT_ISSUERS: 'zang.io',
  JWT_JWKS_URL: 'https://accounts.example/jwks',
  ANONYMOUS_JWT_SECRET: 'a secret of thirty-two bytes or more',
};

const problemsOf = (yaml: string, env: Readonly<Record<string, string>> = environment): readonly string[] => {
  const config = loadEdgewardConfig(yaml, env);
  return config.ok ? [] : config.reason.map(({ path, message }) => `${path}: ${message}`);
};

function preset(env: Readonly<Record<string, string>> = {}, change = (yaml: string): string => yaml): Config {
  const config = loadEdgewardConfig(change(text), { ...environment, ...env });
  if (!config.ok) throw new Error(JSON.stringify(config.reason));
  return config.value;
}

const spacesOf = ({ endpoints: [endpoint] }: Config) =>
  endpoint?.kind === 'spaces' ? endpoint.settings : expect.fail('the preset has changed');

test('every variable that must be there is named when it is missing, and no other', () => {
  const missing = problemsOf(text, {}).map((problem) => /variable (\w+) has no/.exec(problem)?.[1] ?? problem);
  expect([...new Set(missing)].sort()).toEqual(Object.keys(environment).sort());
});

test('every variable that it reads is in the table of its page, and no other', () => {
  const read = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
  const [, table = ''] = page.split('## Environment');
  const rows = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| (`.*?) \|/gm)];
  const documented = rows.flatMap(([, names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(new Set(documented)).toEqual(new Set(read));
});

test('every code that its page lists is the one of the config', () => {
  const codes = Object.values(spacesOf(preset()).codes);
  const [, section = ''] = page.split('| `error.code` |');
  const documented = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([\w.]+)`/gm)].map(([, code = '']) => code);
  expect(documented.toSorted()).toEqual(codes.toSorted());
});

test.each([
  [{}, ['memory']],
  [{ PUBSUB_PROJECT: 'project' }, ['pubsub']],
  [{ AMQP_URL: 'amqp://localhost' }, ['amqp']],
  [{ AMQP_URL: 'amqp://localhost', PUBSUB_PROJECT: 'project' }, ['amqp']],
  [{ BACKEND_JWT_SECRET: 'a secret of thirty-two bytes or more' }, ['memory', 'http']],
])('with %j the sources are %j', (env, kinds) => {
  for (const SPACES_ORDER of ['local', 'broker']) {
    expect(preset({ ...env, SPACES_ORDER }).sources.map(({ kind }) => kind)).toEqual(kinds);
  }
});

test('without MEMBERSHIP_URL every space is open; with it the caller is asked about', () => {
  expect(spacesOf(preset()).membership).toBeUndefined();
  const config = preset({ MEMBERSHIP_URL: 'https://spaces.example/api/spaces/{space}/join' });
  expect(spacesOf(config).membership).toMatchObject({ checks: ['membership'] });
  expect(config.checks['membership']).toMatchObject({
    bearer: '*',
    schemes: { user: 'jwt', guest: 'jwt' },
    headers: { 'spaces-x-space-password': '{password}' },
    cacheMs: 0,
  });
});

test.each(['s', 'with.dots', 'a/b', '..', '%2F', 'ä b'])('the space %s has one room, of its own', (key) => {
  const { routes, isolation } = preset();
  const routing = buildRouting(routes, isolation, compileCondition);
  const fields = { id: '1', stream: 'spaces', key, attributes: new Map([['key', 'other']]), payload: new Uint8Array() };
  const event = new Event({ ...fields, publishedAt: 0, origin: { source: 'broker', properties: {} } });
  const decision = routing.ok ? routing.value.decide(event) : expect.fail();
  const segment = key.replaceAll('%', '%25').replaceAll('/', '%2F');
  expect(decision).toMatchObject({ kind: 'routed', rooms: [`spaces/${segment}`] });
});

describe('mistakes that are found before it runs', () => {
  const changed = (from: string | RegExp, to: string, env = {}) =>
    problemsOf(text.replace(from, to), { ...environment, ...env });

  test.each([
    [
      'an unknown broker',
      'publish: { to: broker',
      'publish: { to: broken',
      /publish\.to: "broken" is not in the sources/,
    ],
    [
      'two variables in the room',
      'space: spaces/{space}',
      'space: "{space}/{user}"',
      /space: must have the variable \{space\}/,
    ],
    ['a sender that no token names', 'anonymous: [guest]', 'id: nobody', /sender\.id: nothing gives \{nobody\}/],
    ['a field of it', 'username: username', 'username: nobody', /sender\.fields\.username: nothing gives/],
    ['an empty membership', 'checks: [membership]\n', 'checks: []\n', /membership: says nothing/],
    ['an unknown check', 'checks: [membership]\n', 'checks: [memberchip]\n', /membership\.checks\[0\]: "memberchip"/],
    ['a condition', 'checks: [membership]\n', 'require: spaze == "x"\n', /membership\.require: condition/],
    ['a path of the API that ends in a slash', 'order:', 'api: { path: /x/ }\n      order:', /api\.path: must begin/],
  ] as const)('%s', (_, from, to, problem) => {
    const found = changed(from, to, { MEMBERSHIP_URL: 'https://spaces.example/{space}' });
    expect(found.join('\n')).toMatch(problem);
  });

  test('with the order of the broker a stream that no route leads back', () => {
    const env = { SPACES_ORDER: 'broker' };
    expect(changed('- stream: spaces', '- stream: other', env).join()).toMatch(
      /no route leads events of the stream "spaces"/,
    );
    // A space with a dot in its name would be cut there.
    const byWord = 'keyParts: [space]\n    eachOf: ["spaces/{space}"]\n\nisolation:\n  event: "{space}"';
    const dotted = changed(/eachOf: .*\n\nisolation:\n.*/, byWord, env);
    expect(dotted.join()).toMatch(/no route leads/);
    expect(changed('x', 'x', env)).toEqual([]);
  });

  test('a second endpoint on the path that says something else of the engine, or has the same namespace', () => {
    const second = (more: string) =>
      changed(
        '\n# 4: a room is a space',
        `  - name: second\n    socketio: { allowPolling: true, corsOrigins: ["*"], frameBytesMax: 1048576${more} }\n\n# 4: a room is`,
      );
    expect(second('')).toEqual([]);
    expect(second(', pingIntervalMs: 1000').join()).toMatch(
      /endpoints\[1\]\.socketio\.pingIntervalMs: is not what endpoints\[0\] says/,
    );
    expect(second(', namespace: /chat').join()).toMatch(/endpoints\[1\]\.socketio\.path: is a path of endpoints\[0\]/);
    expect(second(', credentials: [{ from: token.jwt, accepts: [user] }]').join()).toMatch(
      /is for clients that say the type/,
    );
  });
});

test.each(['memory', 'postgres://host/db', 'redis:x', 'file:/var/lib/spaces.db', './spaces.db', 'memory:'])(
  'STORE_URL %s is a store, or is refused with what would be one',
  (STORE_URL) => {
    const isStore = /^(file:|\.\/|memory:)/.test(STORE_URL);
    expect(problemsOf(text, { ...environment, STORE_URL })).toEqual(
      isStore ? [] : [expect.stringMatching(/history\.store: .*(path|file) of .*SQLite/)],
    );
  },
);

test('AT_TOKEN_EXPIRY is `keep`, as in the original, or `close`', () => {
  expect([spacesOf(preset()).atTokenExpiry, spacesOf(preset({ AT_TOKEN_EXPIRY: 'close' })).atTokenExpiry]).toEqual([
    ...['keep', 'close'],
  ]);
});

import { describe, expect, test } from 'vitest';
import { load, problemsOf } from './config-fixture.ts';

const tokens = `
identity:
  tokens:
    ocms: { variables: { tenant: [tid], workstation: [wid] } }
    iam: { variables: { tenant: [t], user: [sub] } }
`;

/** A config with one endpoint, of which the test writes the settings. */
const endpoint = (settings: string, more = '') => `
sources: [{ memory: {} }]
endpoints: [{ socketio: { ${settings} } }]
${tokens}
${more}
`;

const pathsAndMessages = (text: string) => problemsOf(text).map(({ path, message }) => `${path}: ${message}`);

const both = 'credentials: [{ from: auth.token, accepts: [ocms, iam] }]';
const isolation =
  'isolation: { event: "{Tenant-Id}", connection: "{tenant}", rooms: ["tenants/{}", "topics/{topic}/tenants/{}"] }';

describe('names', () => {
  test.each([
    [
      'two sources of one name',
      'sources: [{ memory: {} }, { memory: {} }]\nendpoints: [{ socketio: {} }]',
      'sources[1].name: "memory" is the name of sources[0], too; give one of them another',
    ],
    [
      'two endpoints of one name',
      'sources: [{ memory: {} }]\nendpoints: [{ name: a, socketio: {} }, { name: a, socketio: { path: /b } }]',
      'endpoints[1].name: "a" is the name of endpoints[0], too; give one of them another',
    ],
    [
      'two routes of one name',
      'sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\nroutes: [{ name: r, eachOf: [a] }, { eachOf: [b] }, { name: r, eachOf: [c] }]',
      'routes[2].name: "r" is the name of routes[0], too; give one of them another',
    ],
    [
      'two endpoints of one path, a slash apart',
      'sources: [{ memory: {} }]\nendpoints: [{ socketio: { path: /x } }, { name: b, socketio: { path: /x/ } }]',
      'endpoints[1].socketio.path: is a path of endpoints[0], too, or stands above one; choose another',
    ],
    [
      'a kind of token by a name that conditions read otherwise',
      'sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\nidentity: { tokens: { claims: {} } }',
      'identity.tokens.claims: conditions read something else by this name; give it another',
    ],
  ])('%s', (_, text, line) => {
    expect(pathsAndMessages(text)).toEqual([line]);
  });

  test('a source and an endpoint may have one name, and routes none', () => {
    const text =
      'sources: [{ name: a, memory: {} }]\nendpoints: [{ name: a, socketio: {} }]\nroutes: [{ eachOf: [a] }, { eachOf: [b] }]';
    expect(pathsAndMessages(text)).toEqual([]);
  });

  test.each(['', ' ', 'a b', 'a/b', '-a', 'a'.repeat(64), 'ü'])('%j is no name of an adapter', (name) => {
    expect(pathsAndMessages(`sources: [{ name: "${name}", memory: {} }]\nendpoints: [{ socketio: {} }]`)).toEqual([
      'sources[0].name: must be 1 to 63 letters, digits, "_", "." or "-"',
    ]);
  });
});

describe('paths', () => {
  const config = (source: string, ...endpoints: readonly string[]) => `
development: true
sources: [{ memory: {} }, { http: { path: ${source} } }]
endpoints: [${endpoints.map((path, index) => `{ name: e${index}, socketio: { path: ${path} } }`).join(', ')}]
`;

  test.each([
    ['/v1/events', ['/socket.io/', '/chat', '/'], []],
    ['/v1/events', ['/socket.io', '/socket.io/'], [['endpoints[1].socketio.path', 'endpoints[0]']]],
    ['/v1/events', ['/socket.io', '/socket.io/below'], []],
    ['/v1/events', ['/v1/events/'], [['endpoints[0].socketio.path', 'sources[1]']]],
    ['/v1/events', ['/v1'], [['endpoints[0].socketio.path', 'the gateway itself']]],
    ['/events', ['/healthz'], [['endpoints[0].socketio.path', 'the gateway itself']]],
    ['/events/in', ['/events'], [['endpoints[0].socketio.path', 'sources[1]']]],
    ['/metrics', ['/x'], [['sources[1].http.path', 'the gateway itself']]],
  ])('source %s and endpoints %s', (source, endpoints, findings) => {
    const message = (by: string) => `is a path of ${by}, too, or stands above one; choose another`;
    expect(pathsAndMessages(config(source, ...endpoints))).toEqual(
      findings.map(([path, by = '']) => `${path}: ${message(by)}`),
    );
  });
});

describe('adapters', () => {
  test.each([
    ['endpoints: [{ socketio: {} }]', 'sources: is required'],
    ['sources: []\nendpoints: [{ socketio: {} }]', 'sources: must have at least 1 item'],
    ['sources: [{ memory: {} }]', 'endpoints: is required'],
    [
      'sources: [{ name: a }]\nendpoints: [{ socketio: {} }]',
      'sources[0]: needs exactly one adapter, and has none; the known ones are memory, http',
    ],
    [
      'sources: [{ memory: {}, http: { credentials: [{ from: auth.t, accepts: [a] }] } }]\nendpoints: [{ socketio: {} }]',
      'sources[0]: needs exactly one adapter, and has memory, http; the known ones are memory, http',
    ],
    [
      'sources: [{ memory: {} }]\nendpoints: [{ signalr: {} }]',
      'endpoints[0].signalr: unknown adapter; the known ones are socketio',
    ],
    [
      'sources: [{ memory: {} }]\nendpoints: [{ memory: {} }]',
      'endpoints[0].memory: unknown adapter; the known ones are socketio',
    ],
  ])('%s', (text, line) => {
    expect(pathsAndMessages(text)).toEqual([line]);
  });
});

describe('access', () => {
  test.each([
    ['all that it refers to is there', `${both}, rooms: [{ templates: ["t/{tenant}/{user}/{connection}"] }]`, []],
    [
      'a kind of token that is not there',
      'credentials: [{ from: auth.token, accepts: [ocms, imm] }]',
      ['endpoints[0].socketio.credentials[0].accepts[1]: "imm" is not in identity.tokens; there are ocms, iam'],
    ],
    [
      'a companion that no credential before it accepts',
      'credentials: [{ from: auth.token, accepts: [iam] }, { from: query.user, accepts: [iam], with: ocms }]',
      ['endpoints[0].socketio.credentials[1].with: no credential before this one accepts "ocms"; they accept iam'],
    ],
    [
      'a companion with none before it',
      'credentials: [{ from: auth.token, accepts: [iam], with: iam }]',
      ['endpoints[0].socketio.credentials[0].with: no credential before this one accepts "iam"; there is none'],
    ],
    [
      'checks that are not there',
      'checks: [membrship], rooms: [{ templates: [a], checks: [member, membership] }]',
      [
        'endpoints[0].socketio.checks[0]: "membrship" is not in checks; there are membership',
        'endpoints[0].socketio.rooms[0].checks[0]: "member" is not in checks; there are membership',
        'endpoints[0].socketio.rooms[0].checks[1]: nothing gives {space}; there is connection',
      ],
    ],
    ['a variable that a check asks about and the query gives', 'query: { space: {} }, checks: [membership]', []],
    [
      'a template whose variable nothing gives',
      `${both}, query: { topics: { list: "," } }, rooms: [{ templates: ["t/{tenant}", "t/{tennant}"], under: "x/{topic}" }]`,
      [
        'endpoints[0].socketio.rooms[0].templates[1]: nothing gives {tennant}; there are connection, tenant, workstation, user, topics',
        'endpoints[0].socketio.rooms[0].under: nothing gives {topic}; there are connection, tenant, workstation, user, topics',
      ],
    ],
    [
      'a variable of a kind of token that is not accepted here',
      'credentials: [{ from: auth.token, accepts: [ocms] }], rooms: [{ templates: ["u/{user}"] }]',
      ['endpoints[0].socketio.rooms[0].templates[0]: nothing gives {user}; there are connection, tenant, workstation'],
    ],
    [
      'query variables that would never be read',
      `${both}, query: { user: {}, connection: {}, other: { field: tenant } }`,
      [
        'endpoints[0].socketio.query.user: tokens of the kind iam give {user} already; give it another name',
        'endpoints[0].socketio.query.connection: every connection has {connection} already; give it another name',
      ],
    ],
    [
      'conditions that cannot be read',
      `${both}, require: "ocms.present && (", rooms: [{ templates: [a], when: "iam.present" }, { templates: [b], when: "event.id == 'a'" }, { templates: [c], when: "has(" }]`,
      [
        expect.stringMatching(/^endpoints\[0\].socketio.require: condition: /),
        expect.stringMatching(/^endpoints\[0\].socketio.rooms\[1\].when: condition: there is no "event" here/),
        expect.stringMatching(/^endpoints\[0\].socketio.rooms\[2\].when: condition: /),
      ],
    ],
    [
      'a credential that this endpoint does not accept',
      `credentials: [{ from: auth.token, accepts: [iam] }], require: "ocms.present"`,
      [expect.stringContaining('there is no "ocms" here')],
    ],
  ])('%s', (_, settings, lines) => {
    const checks = 'checks: { membership: { url: "https://example.com/spaces/{space}" } }';
    expect(pathsAndMessages(endpoint(settings, checks))).toEqual(lines);
  });

  test('without identity there is no kind of token', () => {
    expect(
      pathsAndMessages(
        'sources: [{ memory: {} }]\nendpoints: [{ socketio: { credentials: [{ from: auth.t, accepts: [a] }] } }]',
      ),
    ).toEqual(['endpoints[0].socketio.credentials[0].accepts[0]: "a" is not in identity.tokens; there are none']);
  });

  test('where identity is wrong by itself, nothing is said about its names', () => {
    const text =
      'sources: [{ memory: {} }]\nendpoints: [{ socketio: { credentials: [{ from: auth.t, accepts: [a] }] } }]\nidentity: { tokens: { b: { jwks: x } } }';
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['identity.tokens.b.jwks']);
  });

  test('checks and permission sources refer to kinds of token', () => {
    const more = `
checks: { c: { url: "https://example.com/", bearer: omcs } }
permissionSources: { p: { url: "https://example.com/", credential: imm } }
`;
    expect(problemsOf(endpoint('', more)).map(({ path, suggestion }) => [path, suggestion])).toEqual([
      ['checks.c.bearer', 'ocms'],
      ['permissionSources.p.credential', 'iam'],
    ]);
  });
});

describe('publishing', () => {
  const source = (settings: string, more = '') => `
sources: [{ name: broker, memory: {} }, { http: { ${settings} } }]
endpoints: [{ socketio: {} }]
${tokens}
${more}
`;
  const anyToken = 'credentials: [{ from: header.authorization, accepts: [ocms] }]';
  const credentials = `${anyToken}, require: "'publish' in permissions"`;

  test.each([
    [
      'an event and the token’s variables can be read',
      `${anyToken}, require: "event.attributes['T'] == variables.tenant"`,
      [],
    ],
    ['it goes to a source that takes it', `${credentials}, publishTo: broker`, []],
    [
      'it goes to a source that is not there',
      `${credentials}, publishTo: brokr`,
      ['sources[1].http.publishTo: "brokr" is not in the sources that can publish; there are broker'],
    ],
    [
      'it goes to itself',
      `${credentials}, publishTo: http`,
      ['sources[1].http.publishTo: "http" is not in the sources that can publish; there are broker'],
    ],
    [
      'nobody says who may',
      '',
      [
        'sources[1].http.credentials: without credentials everybody could publish; name some, or say `development: true` on your own machine',
      ],
    ],
    [
      'nobody says what a token is good for',
      anyToken,
      [
        'sources[1].http.require: without a condition every token could publish anything; name one, or say `development: true` on your own machine',
      ],
    ],
    [
      'its condition is no text',
      `${anyToken}, require: 5`,
      ['sources[1].http.require: expected text, found a whole number; put it in quotes'],
    ],
    [
      'its condition cannot be read',
      `${anyToken}, require: "nobody.present"`,
      [expect.stringContaining('sources[1].http.require: condition: ')],
    ],
    [
      'a check asks about what a publisher does not have',
      `${credentials}, checks: [c]`,
      ['sources[1].http.checks[0]: nothing gives {connection}; there are tenant, workstation'],
    ],
  ])('%s', (_, settings, lines) => {
    expect(pathsAndMessages(source(settings, 'checks: { c: { url: "https://example.com/{connection}" } }'))).toEqual(
      lines,
    );
  });

  test('in development everybody may', () => {
    expect(load(source('', 'development: true')).ok).toBe(true);
  });
});

describe('development', () => {
  const config = (more: string) => `sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\n${more}`;

  test.each([
    ['development: true', true],
    ['development: true\nlisten: { host: "::1" }', true],
    ['development: true\nlisten: { host: localhost }', true],
    ['development: { exposed: false }\nlisten: { host: 127.0.0.2 }', true],
    ['development: { exposed: true }\nlisten: { host: 0.0.0.0 }', true],
    ['development: false\nlisten: { host: 0.0.0.0 }', true],
    ['listen: { host: 0.0.0.0 }', true],
    ['development: true\nlisten: { host: 0.0.0.0 }', false],
    ['development: { exposed: false }\nlisten: { host: "::" }', false],
    ['development: true\nlisten: { host: gateway.example.com }', false],
  ])('%s', (more, ok) => {
    expect(pathsAndMessages(config(more))).toEqual(
      ok
        ? []
        : [
            'development: is for loopback, and listen.host is not; where that is meant, say development: { exposed: true }',
          ],
    );
  });

  test('tokens of the development issuer need it', () => {
    const token = 'identity: { tokens: { dev: { development: true } } }';
    expect(pathsAndMessages(config(token))).toEqual([
      'identity.tokens.dev.development: the development issuer exists only with `development: true` at the top of the file',
    ]);
    expect(pathsAndMessages(config(`${token}\ndevelopment: true`))).toEqual([]);
    expect(pathsAndMessages(config(`${token}\ndevelopment: maybe`))).toEqual([
      expect.stringMatching(/^development: expected/),
    ]);
  });
});

describe('routes and isolation', () => {
  const config = (routes: string, more = isolation) => `
sources: [{ memory: {} }]
endpoints: [{ socketio: {} }]
routes: [${routes}]
${more}
`;

  test.each([
    [
      'a tenant’s rooms',
      '{ firstOf: ["tenants/{Tenant-Id}/users/{User-Id}", "tenants/{Tenant-Id}"], alsoUnder: "topics/{stream}" }',
      [],
    ],
    ['another tenant’s', '{ eachOf: ["tenants/{Other}"] }', [/^routes\[0\].eachOf\[0\]: .*another tenant/]],
    ['one tenant’s, spelled out', '{ eachOf: ["tenants/42"] }', [/^routes\[0\].eachOf\[0\]: .*another tenant/]],
    ['everybody’s', '{ eachOf: ["news"] }', [/^routes\[0\].eachOf\[0\]: .*withoutTenant/]],
    ['everybody’s on purpose', '{ eachOf: ["news"], withoutTenant: true }', []],
    [
      'a tenant’s for events without one',
      '{ eachOf: ["tenants/{Tenant-Id}"], withoutTenant: true }',
      [/^routes\[0\].eachOf\[0\]: .*marked withoutTenant/],
    ],
    [
      'below a prefix that hides the tenant',
      '{ eachOf: ["tenants/{Tenant-Id}"], alsoUnder: [elsewhere] }',
      [/^routes\[0\].alsoUnder\[0\]: /],
    ],
    [
      'a template that is never reached',
      '{ firstOf: ["tenants/{Tenant-Id}", "tenants/{Tenant-Id}/a"] }',
      [/^routes\[0\].firstOf\[1\]: .*never chosen/],
    ],
    [
      'narrowing that no template uses',
      '{ eachOf: ["tenants/{Tenant-Id}"], narrowing: [User-Id] }',
      [/^routes\[0\].narrowing\[0\]: /],
    ],
    [
      'a condition over what a route does not have',
      '{ eachOf: ["tenants/{Tenant-Id}"], when: "claims.a == 1" }',
      [/^routes\[0\].when: condition: there is no "claims"/],
    ],
    ['neither firstOf nor eachOf', '{ stream: a }', [/^routes\[0\]: needs either firstOf or eachOf$/]],
    ['both firstOf and eachOf', '{ firstOf: [a], eachOf: [a] }', [/^routes\[0\]: needs either firstOf or eachOf$/]],
    [
      'a pattern with too many #',
      '{ stream: "#.#.#.#.#", eachOf: ["tenants/{Tenant-Id}"] }',
      [/^routes\[0\].stream: /],
    ],
    [
      'the tenant as a list',
      '{ eachOf: ["tenants/{Tenant-Id}"], lists: { Tenant-Id: "," } }',
      [/^routes\[0\].lists: /],
    ],
    [
      'a wrong one between right ones',
      '{ eachOf: ["tenants/{Tenant-Id}"] }, { eachOf: ["a//b"] }, { eachOf: ["tenants/{Other}"] }',
      [/^routes\[1\].eachOf\[0\]: .*empty segment/, /^routes\[2\].eachOf\[0\]: .*another tenant/],
    ],
  ])('%s', (_, routes, lines) => {
    expect(pathsAndMessages(config(routes))).toEqual(lines.map((line) => expect.stringMatching(line)));
  });

  test('without isolation no room is anybody’s', () => {
    expect(pathsAndMessages(config('{ eachOf: ["tenants/42", news] }', ''))).toEqual([]);
  });

  test.each([
    [
      'event: Tenant-Id, connection: "{t}", rooms: ["t/{}"]',
      'isolation.event: must be one variable in braces, such as {tenant}',
    ],
    [
      'event: "{T}", connection: "{a}/{b}", rooms: ["t/{}"]',
      'isolation.connection: must be one variable in braces, such as {tenant}',
    ],
    [
      'event: "{T}", connection: "{t}", rooms: ["t/{x}"]',
      'isolation.rooms[0]: "t/{x}" must name the tenant\'s segment {} exactly once',
    ],
    ['event: "{T}", connection: "{t}", rooms: []', 'isolation.rooms: must have at least 1 item'],
  ])('isolation: { %s }', (fields, line) => {
    expect(pathsAndMessages(config('', `isolation: { ${fields} }`))).toEqual([line]);
  });

  test('rooms of connections keep it, too', () => {
    const text = endpoint(
      `${both}, query: { site: {} }, rooms: [{ templates: ["tenants/{tenant}", "tenants/{site}", "news"], under: "tenants/{user}" }]`,
      isolation,
    );
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      'endpoints[0].socketio.rooms[0].templates[0]',
      'endpoints[0].socketio.rooms[0].templates[1]',
      'endpoints[0].socketio.rooms[0].templates[2]',
    ]);
  });
});

test('contradictions are found in what is right of a config that is wrong elsewhere', () => {
  const text = `
log: { level: loud }
sources: [{ memory: { inFlightMax: none } }, { name: memory, memory: {} }]
endpoints:
  - socketio:
      roomsPerConnectionMax: many
      require: "nobody.present"
routes:
  - eachOf: ["a//b"]
  - eachOf: ["tenants/{Other}"]
${isolation}
`;
  expect(problemsOf(text).map(({ path }) => path)).toEqual([
    'log.level',
    'sources[0].memory.inFlightMax',
    'sources[1].name',
    'endpoints[0].socketio.roomsPerConnectionMax',
    'endpoints[0].socketio.require',
    'routes[0].eachOf[0]',
    'routes[1].eachOf[0]',
  ]);
});

test('delivery cannot wait at least longer than at most', () => {
  expect(
    pathsAndMessages(
      'sources: [{ memory: {} }]\nendpoints: [{ socketio: {} }]\ndelivery: { backOffMsMin: 20, backOffMsMax: 10 }',
    ),
  ).toEqual(['delivery.backOffMsMin: must be at most backOffMsMax']);
});

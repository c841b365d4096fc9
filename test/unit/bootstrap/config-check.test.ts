import { describe, expect, test } from 'vitest';
import { load, minimal, pathsAndMessages, problemsOf, tenants, tokens } from './config-fixture.ts';

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
      `${minimal}routes: [{ name: r, eachOf: [a] }, { eachOf: [b] }, { name: r, eachOf: [c] }]`,
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
    const adapters = 'sources: [{ name: a, memory: {} }]\nendpoints: [{ name: a, socketio: {} }]';
    const text = `${adapters}\nroutes: [{ eachOf: [a] }, { eachOf: [b] }]`;
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

describe('dead letters', () => {
  test.each([
    ['unroutable: dead-letter', 'memory: {}', []],
    ['unroutable: accept', 'memory: { onDeadLetter: discard }', []],
    [
      'unroutable: dead-letter',
      'memory: { onDeadLetter: discard }',
      [
        'unroutable: contradicts onDeadLetter: discard of sources[1]; ' +
          'give that source a place for dead letters, or accept what no route leads anywhere',
      ],
    ],
  ])('%s with %s', (unroutable, source, lines) => {
    const sources = `sources: [{ memory: {} }, { name: second, ${source} }]`;
    expect(pathsAndMessages(`${sources}\nendpoints: [{ socketio: {} }]\n${unroutable}`)).toEqual(lines);
  });
});

describe('the operations listener', () => {
  test.each([
    ['{ port: 9000, operations: { port: 9000 } }', false],
    ['{ operations: { port: 8080 } }', false],
    ['{ host: 0.0.0.0, port: 9000, operations: { host: 0.0.0.0, port: 9000 } }', false],
    ['{ port: 9000, operations: { port: 9001 } }', true],
    ['{ host: 10.0.0.1, port: 9000, operations: { port: 9000 } }', true],
    ['{ port: 0, operations: { port: 0 } }', true],
  ])('listen: %s', (listen, ok) => {
    const message = 'is the port of listen, on the same host; the operations listener needs one of its own';
    expect(pathsAndMessages(`${minimal}listen: ${listen}`)).toEqual(ok ? [] : [`listen.operations.port: ${message}`]);
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
      'sources: [{ memory: {}, http: { require: "true" } }]\nendpoints: [{ socketio: {} }]',
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

describe('items that the environment chooses', () => {
  const text = `
sources:
  - { name: broker, onlyIf: "\${FIRST}", memory: { password: "\${FIRST}-password" } }
  - name: broker
    onlyIf: ["\${SECOND}", "\${THIRD:-}"]
    unless: "\${FIRST}"
    memory: { password: "\${SECOND}-password" }
  - { name: broker, unless: ["\${FIRST}", "\${SECOND}"], memory: {} }
endpoints: [{ socketio: {} }]
`;
  test.each([
    [{}, [undefined]],
    [{ FIRST: 'a' }, ['a-password']],
    [{ FIRST: 'a', SECOND: 'b', THIRD: 'c' }, ['a-password']],
    [{ SECOND: 'b', THIRD: 'c' }, ['b-password']],
    [{ FIRST: '' }, [undefined]],
  ])('%j', (environment, passwords) => {
    const config = load(text, environment);
    const sources = config.ok ? config.value.sources : [];
    const settings = sources.map((source) => (source.kind === 'memory' ? source.settings.password : undefined));
    expect(settings).toEqual(passwords.map((each) => each && expect.stringMatching(each)));
    expect(sources.map(({ name }) => name)).toEqual(['broker']);
  });

  test('none left is none at all, and those that are left out are not looked at', () => {
    const config = (more: string) =>
      `sources: [{ onlyIf: "\${NONE}", nonsense: {} }${more}]\nendpoints: [{ socketio: {} }]`;
    const why = 'left out by onlyIf or unless; set the variables of one, or give one that needs none';
    expect(pathsAndMessages(config(''))).toEqual([`sources: the only item is ${why}`]);
    expect(pathsAndMessages(config(', { unless: given, memory: {} }'))).toEqual([`sources: all 2 items are ${why}`]);
    expect(pathsAndMessages(config(', { memory: {} }'))).toEqual([]);
  });

  test('of sections by name, and whole sections', () => {
    const more = `
checks:
  asked: { onlyIf: "\${ASK_URL}", url: "\${ASK_URL}" }
  always: { url: "https://example.com/" }
permissionSources:
  roles: { unless: "\${ASK_URL}", credential: ocms, url: "https://\${OTHER}/" }
listen:
  operations: { onlyIf: "\${OPERATIONS_PORT}", port: "\${OPERATIONS_PORT}" }
${tokens}
`;
    const left = (environment: Record<string, string>) => {
      const config = load(minimal + more, environment);
      if (!config.ok) return config.reason.map(({ path }) => path);
      const { checks, permissionSources, listen } = config.value;
      return [...Object.keys(checks), ...Object.keys(permissionSources), listen.operations?.port];
    };
    expect(left({ OTHER: 'a.example' })).toEqual(['always', 'roles', undefined]);
    expect(left({ ASK_URL: 'https://b.example/', OPERATIONS_PORT: '9' })).toEqual(['asked', 'always', 9]);
    expect(left({})).toEqual(['permissionSources.roles.url']);
    expect(left({ ASK_URL: 'http://b.example/', OPERATIONS_PORT: 'x' })).toEqual([
      'checks.asked.url',
      'listen.operations.port',
    ]);
  });

  test('what asks for one that is left out is told so', () => {
    const text = `
sources: [{ memory: {} }]
endpoints: [{ socketio: { checks: [asked] } }]
checks: { asked: { onlyIf: "\${NONE}", url: "https://example.com/" } }
`;
    expect(pathsAndMessages(text)).toEqual([
      'endpoints[0].socketio.checks[0]: "asked" is not in checks; there are none',
    ]);
  });

  test('a reference that is none leaves nothing out unsaid', () => {
    const problems = problemsOf(
      `${minimal}permissionSources: { roles: { unless: "\${A", credential: ocms, url: "https://example.com/" } }\n${tokens}`,
    );
    expect(problems).toMatchObject([
      {
        path: 'permissionSources.roles.unless',
        line: 4,
        message: expect.stringContaining('does not begin a reference'),
      },
    ]);
  });

  test('elsewhere these are no keys', () => {
    const text =
      'sources: [{ memory: { onlyIf: a } }]\nendpoints: [{ socketio: {} }]\nroutes: [{ unless: a, eachOf: [b] }]';
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['sources[0].memory.onlyIf', 'routes[0].unless']);
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
${tenants}
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

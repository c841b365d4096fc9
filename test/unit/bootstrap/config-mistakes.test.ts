import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { describeProblems } from '../../../src/bootstrap/config/describe-problems.ts';
import { createConfigLoader } from '../../../src/bootstrap/config/load-config.ts';
import { described, load, minimal, problemsOf } from './config-fixture.ts';

test('a config with ten mistakes has exactly ten problems, each at its line', () => {
  const text = `
listen: { prot: 8080 }
log:
  level: verbos
development: "yes"
sources:
  - memroy: {}
  - memory:
      inFlightMax: "64"
identity:
  tokens:
    ocms: { variables: { tenant: [tid] } }
endpoints:
  - socketio:
      pingIntervalMs: 5
      credentials: [{ from: auth.token, accepts: [omcs] }]
      require: "'read' in permisions"
      rooms:
        - templates: ["tenants/{tenant}"]
routes:
  - firstOf: ["tenants/{Tenant-Id}", "tenants/{Tenant-Id}/users/{User-Id}"]
  - eachOf: ["spaces//{space}"]
`;
  expect(described(text).split('\n')).toEqual([
    'edgeward.yaml:2:11  listen.prot: unknown key (did you mean "port"?)',
    'edgeward.yaml:4:10  log.level: must be one of debug, info, warn, error, silent',
    'edgeward.yaml:5:14  development: expected true or false or an object, found text',
    'edgeward.yaml:7:5  sources[0].memroy: unknown adapter; the known ones are memory, http (did you mean "memory"?)',
    'edgeward.yaml:9:20  sources[1].memory.inFlightMax: expected a number, found text',
    expect.stringMatching(
      /^edgeward.yaml:15:7 {2}endpoints\[0\].socketio.pingIntervalMs: unknown key; known here are .*rooms/,
    ),
    'edgeward.yaml:16:51  endpoints[0].socketio.credentials[0].accepts[0]: "omcs" is not in identity.tokens; ' +
      'there are ocms (did you mean "ocms"?)',
    expect.stringMatching(
      /^edgeward.yaml:17:16 {2}endpoints\[0\].socketio.require: condition: there is no "permisions"/,
    ),
    'edgeward.yaml:21:38  routes[0].firstOf[1]: "tenants/{Tenant-Id}/users/{User-Id}" is never chosen: ' +
      '"tenants/{Tenant-Id}" stands before it and needs no variable more',
    'edgeward.yaml:22:14  routes[1].eachOf[0]: "spaces//{space}" has an empty segment ' +
      '(a leading, trailing or double "/")',
  ]);
});

describe('one mistake is one problem', () => {
  const one = (text: string) => {
    const problems = problemsOf(text);
    expect(problems, describeProblems('', problems)).toHaveLength(1);
    return problems[0];
  };

  test('a required key that is written wrong is not also missing', () => {
    expect(one(`${minimal}isolation: { evnt: "{t}", connection: "{t}", rooms: ["t/{}"] }`)).toMatchObject({
      path: 'isolation.evnt',
      message: 'unknown key',
      suggestion: 'event',
    });
  });

  test('a key that is written wrong does not also break the rule of its object', () => {
    expect(one(`${minimal}routes: [{ firstof: [a] }]`)).toMatchObject({
      path: 'routes[0].firstof',
      suggestion: 'firstOf',
    });
  });

  test('an unset variable is not also a missing value', () => {
    expect(one(`${minimal}isolation: { event: "\${NONE}", connection: "{t}", rooms: ["t/{}"] }`)).toMatchObject({
      path: 'isolation.event',
      message: expect.stringContaining('NONE has no value'),
    });
  });

  test('a misspelt kind of token is not also an unknown name in conditions and an absent variable', () => {
    const text = `
sources: [{ memory: {} }]
identity: { tokens: { ocms: { variables: { tenant: [tid] } } } }
endpoints:
  - socketio:
      credentials: [{ from: auth.token, accepts: [omcs] }]
      require: "ocms.present"
      rooms: [{ templates: ["t/{tenant}"] }]
isolation: { event: "{T}", connection: "{tenant}", rooms: ["t/{}"] }
`;
    expect(one(text)).toMatchObject({ path: 'endpoints[0].socketio.credentials[0].accepts[0]', suggestion: 'ocms' });
  });

  test('where credentials are wrong, nothing is said about what they would give', () => {
    const text = `
sources: [{ memory: {} }]
identity: { tokens: { ocms: { variables: { tenant: [tid] } } } }
endpoints:
  - socketio:
      credentials: [{ from: token, accepts: [ocms] }]
      require: "ocms.present"
      rooms: [{ templates: ["t/{tenant}"] }]
`;
    expect(one(text)).toMatchObject({ path: 'endpoints[0].socketio.credentials[0].from' });
  });

  test('a variable that nothing gives does not also cross the isolation', () => {
    const text = `
sources: [{ memory: {} }]
identity: { tokens: { ocms: { variables: { tenant: [tid] } } } }
endpoints:
  - socketio:
      credentials: [{ from: auth.token, accepts: [ocms] }]
      rooms: [{ templates: ["t/{tenat}"] }]
isolation: { event: "{T}", connection: "{tenant}", rooms: ["t/{}"] }
`;
    expect(one(text)).toMatchObject({
      path: 'endpoints[0].socketio.rooms[0].templates[0]',
      message: 'nothing gives {tenat}; there are connection, tenant',
      suggestion: 'tenant',
    });
  });

  test('a template that crosses the isolation does not also cross it below a prefix', () => {
    const text = `${minimal}
routes: [{ eachOf: ["t/{Other}"], alsoUnder: ["x/{stream}", "y"] }]
isolation: { event: "{T}", connection: "{tenant}", rooms: ["t/{}", "x/{n}/t/{}", "y/t/{}"] }
`;
    expect(one(text)).toMatchObject({ path: 'routes[0].eachOf[0]', line: 5 });
  });
});

describe('what is wrong is said in words', () => {
  const schema = z.strictObject({
    url: z.url().optional(),
    short: z.string().max(3).optional(),
    few: z.array(z.string()).min(2).max(3).optional(),
    above: z.number().gt(0).optional(),
    even: z.number().multipleOf(2).optional(),
    whole: z.int().optional(),
    one: z.literal('a').optional(),
    names: z.record(z.string().regex(/^[a-z]+$/, 'must be lower case'), z.string()).optional(),
    union: z.union([z.string(), z.array(z.string())]).optional(),
    kinds: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('file'), path: z.string() }),
        z.strictObject({ kind: z.literal('url'), url: z.string() }),
      ])
      .optional(),
    alternatives: z
      .union([z.strictObject({ claim: z.string() }), z.strictObject({ static: z.array(z.string()) })])
      .optional(),
  });
  const loader = createConfigLoader({ schema, check: () => [] });
  const lines = (text: string) => {
    const config = loader(text, {});
    return config.ok
      ? []
      : describeProblems('f', config.reason)
          .replaceAll(/^f:\d+:\d+ {2}/gm, '')
          .split('\n');
  };

  test.each([
    ['url: nowhere', 'url: must be a URL'],
    ['short: abcd', 'short: must have at most 3 characters'],
    ['few: [a]', 'few: must have at least 2 items'],
    ['few: [a, b, c, d]', 'few: must have at most 3 items'],
    ['above: 0', 'above: must be more than 0'],
    ['even: 3', 'even: must be a multiple of 2'],
    ['whole: 1.5', 'whole: expected a whole number, found a number'],
    ['whole: .inf', 'whole: expected a number, found Infinity'],
    ['whole: .nan', 'whole: expected a number, found NaN'],
    ['one: b', 'one: must be a (did you mean "a"?)'],
    ['names: { Ab: x }', 'names.Ab: its name must be lower case'],
    ['short: 12', 'short: expected text, found a whole number; put it in quotes'],
    ['short: true', 'short: expected text, found true or false; put it in quotes'],
    ['short:', 'short: expected text, found nothing; leave the key out for its default'],
    ['short: [a]', 'short: expected text, found a list'],
    ['kinds:', 'kinds: expected an object, found nothing; write {} where all defaults are meant'],
    ['union: 1', 'union: expected text or a list, found a whole number'],
    ['union: [1]', 'union[0]: expected text, found a whole number; put it in quotes'],
    ['kinds: { kind: fil, path: a }', 'kinds.kind: must be one of file, url'],
    ['kinds: { kind: file, pth: a }', 'kinds.pth: unknown key (did you mean "path"?)'],
    ['alternatives: { claim: 1 }', 'alternatives.claim: expected text, found a whole number; put it in quotes'],
    ['alternatives: { statc: [a] }', 'alternatives.statc: unknown key (did you mean "static"?)'],
    ['alternatives: {}', 'alternatives: give exactly one of claim, static; none is given'],
    [
      'alternatives: { static: [a], claim: b }',
      'alternatives: give exactly one of claim, static; given are static and claim',
    ],
    ['alternatives: { claim: a, other: b }', 'alternatives.other: unknown key; known here are claim, static'],
    ['alternatives: 1', 'alternatives: expected an object, found a whole number'],
    ['"a b": 1', expect.stringMatching(/^\["a b"\]: unknown key; known here are url, short, .*, alternatives$/)],
  ])('%s', (text, line) => {
    expect(lines(text)).toEqual([line]);
  });
});

test('a config that is right is given with its defaults', () => {
  const config = load(minimal);
  expect(config.ok && config.value).toMatchObject({
    listen: { host: '127.0.0.1', port: 8080 },
    development: undefined,
    log: { level: 'info', format: 'auto' },
    sources: [{ name: 'memory', kind: 'memory', settings: { inFlightMax: 64 } }],
    endpoints: [{ name: 'socketio', kind: 'socketio', settings: { path: '/socket.io/', rooms: [] } }],
    routes: [],
    unroutable: 'accept',
    delivery: { attemptsMax: 5, backOffMsMin: 100, backOffMsMax: 10_000 },
    drainDeadlineMs: 8000,
    limits: { sendQueuesBytesMax: 268_435_456 },
  });
});

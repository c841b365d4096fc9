import { describe, expect, test } from 'vitest';
import { bindableStreams } from '../../../src/bootstrap/config/bindable-streams.ts';
import { type Config, loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';

type Exchange = Record<string, unknown>;

function load(exchanges: Readonly<Record<string, Exchange>>, more: Record<string, unknown> = {}, whole = {}) {
  const config = {
    sources: [{ memory: { onDeadLetter: 'discard' } }],
    identity: { tokens: { ocms: { issuers: ['i'], jwks: 'https://i.example/keys', variables: { tenant: ['t'] } } } },
    checks: { crm: { url: 'https://crm.example/{project}/{key}/{stream}', bearer: 'ocms' } },
    endpoints: [{ websocket: { credentials: [{ from: 'query.jwt', accepts: ['ocms'] }], exchanges, ...more } }],
    ...whole,
  };
  return loadEdgewardConfig(JSON.stringify(config), {});
}

function problemsOf(...given: Parameters<typeof load>): readonly string[] {
  const config = load(...given);
  return config.ok ? [] : config.reason.map(({ path, message }) => `${path}: ${message}`);
}

const at = 'endpoints[0].websocket.exchanges';

describe('what an exchange refers to', () => {
  test.each([
    ['is there', { keyParts: ['project'], checks: ['crm'], require: 'bind.project == "a" && ocms.present' }, []],
    ['is a check that is not', { checks: ['crn'] }, [`${at}.orders.checks[0]: "crn" is not in checks; there are crm`]],
    [
      'is a part that a check asks about and no key has',
      { keyParts: ['projekt'], checks: ['crm'] },
      [`${at}.orders.checks[0]: nothing gives {project}; there are connection, tenant, stream, key, projekt`],
    ],
    [
      'is a name that a token gives already',
      { keyParts: ['tenant'], public: true },
      [
        `${at}.orders.keyParts[0]: there is a {tenant} already, of a token, the query or the connection; give the part another name`,
      ],
    ],
    [
      'is no name at all',
      { require: 'bnd.project == "a"' },
      [
        `${at}.orders.require: condition: there is no "bnd" here; it may read bind, check, claims, connection, ocms, permissions, query, roles, values, variables`,
      ],
    ],
  ])('%s', (_, exchange, problems) => {
    expect(problemsOf({ orders: exchange })).toEqual(problems);
  });

  test('only conditions of exchanges read `bind`, and no kind of token is called so', () => {
    expect(problemsOf({}, { require: 'bind.key == "a"' })).toEqual([
      expect.stringContaining('endpoints[0].websocket.require: condition: there is no "bind" here'),
    ]);
    const tokens = { bind: { issuers: ['i'], jwks: 'https://i.example/keys' } };
    expect(problemsOf({}, { credentials: [] }, { identity: { tokens }, checks: {} })).toEqual([
      'identity.tokens.bind: conditions read something else by this name; give it another',
    ]);
  });
});

test('paths and health are paths like any other', () => {
  expect(problemsOf({}, { paths: ['/a', '/a/'], health: { paths: ['/healthz'] } })).toEqual([
    'endpoints[0].websocket.paths[1]: is a path of endpoints[0], too, or stands above one; choose another',
    'endpoints[0].websocket.health.paths[0]: is a path of the gateway itself, too, or stands above one; choose another',
  ]);
});

test('a stream that several sources bind is matched in one way', () => {
  const amqp = (bindings: object) => ({ amqp: { urls: ['amqp://127.0.0.1'], bindings } });
  const memory = { memory: { onDeadLetter: 'discard' } };
  const sourcesOf = (...sources: readonly object[]) =>
    problemsOf({}, {}, { sources: sources.map((each, index) => ({ name: `s${index}`, ...each })) });
  expect(sourcesOf(amqp({ a: 'topic', b: 'fanout' }), amqp({ a: 'topic', c: 'fanout', toString: 'direct' }))).toEqual(
    [],
  );
  expect(sourcesOf(memory, amqp({ a: 'topic' }))).toEqual([]);
  const contradiction = (index: number, stream: string, other: number, type: string) =>
    `sources[${index}].amqp.bindings.${stream}: contradicts sources[${other}], which matches this stream as ${type}; ` +
    'use the same type, or another name for the stream';
  expect(sourcesOf(amqp({ a: 'topic', b: 'topic' }), amqp({ b: 'fanout' }), amqp({ a: 'direct' }))).toEqual([
    contradiction(1, 'b', 0, 'topic'),
    contradiction(2, 'a', 0, 'topic'),
  ]);
  expect(sourcesOf(memory, amqp({ a: 'fanout' }))).toEqual([contradiction(1, 'a', 0, 'topic')]);
  expect(sourcesOf(amqp({ a: 'fanout' }), memory)).toEqual([contradiction(0, 'a', 1, 'topic')]);
});

test('a rule about keys is refused where a key chooses nothing', () => {
  const sources = [{ amqp: { urls: ['amqp://127.0.0.1'], bindings: { 'a.all': 'fanout', 'a.some': 'topic' } } }];
  const problems = (exchange: string, type = 'fanout') => {
    const amqp = { ...sources[0]?.amqp, bindings: { ...sources[0]?.amqp.bindings, 'a.all': type } };
    return problemsOf({ [exchange]: { keyParts: ['who'], require: 'bind.who == "me"' } }, {}, { sources: [{ amqp }] });
  };
  const refused = (exchange: string, type = 'fanout') => [
    `${at}["${exchange}"].keyParts: "a.all" is of the type ${type}, which delivers every key to whoever has bound any; ` +
      'leave the key out, and say who may have all of it',
  ];
  expect(problems('a.all')).toEqual(refused('a.all'));
  expect(problems('a.all', 'headers')).toEqual(refused('a.all', 'headers'));
  expect(problems('a.*')).toEqual(refused('a.*'));
  expect([problems('a.some'), problems('a.all', 'direct'), problems('b.#')]).toEqual([[], [], []]);
  expect(problemsOf({ 'a.all': { require: 'ocms.present' } }, {}, { sources })).toEqual([]);
  expect(problemsOf({ 'a.all': { require: 'bind.key == "a"' } }, {}, { sources })).toEqual([
    expect.stringContaining(`${at}["a.all"].require: "a.all" is of the type fanout`),
  ]);
});

test('what may be bound at any endpoint is bindable', () => {
  const config = load({ 'orders.*': { public: true }, 'a.b': { public: true } });
  const isBindable = bindableStreams((config.ok ? config.value : undefined)?.endpoints as Config['endpoints']);
  expect(['orders.x', 'a.b', 'orders', 'a', 'toString'].map(isBindable)).toEqual([true, true, false, false, false]);
});

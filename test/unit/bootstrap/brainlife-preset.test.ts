import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/adapters/access/cel-condition.ts';
import { buildAccess } from '../../../src/bootstrap/config/build-access.ts';
import { type Config, loadEdgewardConfig } from '../../../src/bootstrap/config/edgeward-config.ts';
import { credentialOf, principalOf } from '../../support/domain-fixtures.ts';

const text = readFileSync(new URL('../../../presets/brainlife.yaml', import.meta.url), 'utf8');
const page = readFileSync(new URL('../../../docs/presets/brainlife.md', import.meta.url), 'utf8');

const environment = {
  AMQP_URL: 'amqp://guest:guest@localhost',
  JWT_PUBLIC_KEY_FILE: 'key.pem',
  AMARETTI_URL: 'https://brainlife.example/api/amaretti',
  WAREHOUSE_URL: 'https://brainlife.example/api/warehouse',
};

function preset(env: Readonly<Record<string, string>> = environment): Config {
  const config = loadEdgewardConfig(text, env);
  if (!config.ok) throw new Error(JSON.stringify(config.reason));
  return config.value;
}

test('every variable that must be there is named when it is missing, and no other', () => {
  const config = loadEdgewardConfig(text, {});
  const problems = config.ok ? [] : config.reason;
  const missing = problems.map(({ message }) => /variable (\w+) has no/.exec(message)?.[1] ?? message);
  expect([...new Set(missing)].sort()).toEqual(Object.keys(environment).sort());
});

test('every variable that it reads is in the table of its page, and no other', () => {
  const read = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
  const [, table = ''] = page.split('## Environment');
  const rows = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| (`.*?) \|/gm)];
  const documented = rows.flatMap(([, names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(new Set(documented)).toEqual(new Set(read));
});

test('WF_URL is AMARETTI_URL where it is not set', () => {
  const urlOf = (env: Readonly<Record<string, string>>) => preset({ ...environment, ...env }).checks['workflow']?.url;
  expect(urlOf({})).toBe('https://brainlife.example/api/amaretti/event/checkaccess/{key}');
  expect(urlOf({ WF_URL: 'https://wf.example' })).toBe('https://wf.example/event/checkaccess/{key}');
});

test('what clients may bind is what the source binds', () => {
  const { sources, endpoints } = preset();
  const [source, endpoint] = [sources[0], endpoints[0]];
  if (source?.kind !== 'amqp' || endpoint?.kind !== 'websocket') throw new Error('the preset has changed');
  expect(Object.keys(endpoint.settings.exchanges).sort()).toEqual(Object.keys(source.settings.bindings ?? {}).sort());
});

describe('brainlife 5: who may bind what', () => {
  const [endpoint] = preset().endpoints;
  const access =
    endpoint?.kind === 'websocket'
      ? buildAccess(endpoint.settings, { isolation: undefined, compile: compileCondition })
      : undefined;
  const token = (claims: Record<string, unknown>) => [credentialOf('brainlife', {}, { claims })];

  function decide(exchange: string, key: string, credentials = token({ gids: [5, 0, 71] }), checks = {}) {
    if (!access?.ok) throw new Error('the preset has no access');
    const request = {
      principal: principalOf(...credentials),
      variables: new Map(),
      checks: new Map<string, boolean>(Object.entries(checks)),
    };
    const decision = access.value.mayBind(request, { stream: exchange, key });
    if (decision.kind === 'ask') return `ask ${decision.checks.join()}`;
    return decision.kind === 'allow' ? 'allow' : decision.code;
  }

  test.each([
    ['wf.task', 'i1.#', 'ask instance'],
    ['wf.task', 'i1', 'ask instance'],
    ['wf.task', '#', 'ask instance'],
    ['wf.task', '', 'bind_invalid'],
    ['wf.instance', '5.#', 'allow'],
    ['wf.instance', '0', 'allow'],
    ['wf.instance', 'na.i', 'allow'],
    ['wf.instance', '6.#', 'bind_denied'],
    ['wf.instance', '5x', 'bind_denied'],
    ['wf.instance', ' 5', 'bind_denied'],
    ['wf.instance', '-5', 'bind_denied'],
    ['wf.instance', '#', 'bind_denied'],
    ['warehouse', 'dataset.update.*.p1.#', 'ask project'],
    ['warehouse', 'project.update.*.p1', 'ask project'],
    ['warehouse', 'rule.*.*.p1.r1', 'ask project'],
    ['warehouse', 'dataset.update.u', 'bind_invalid'],
    ['warehouse', 'dataset.update.u.', 'bind_invalid'],
    ['warehouse', 'dataset.#.u.p1', 'bind_invalid'],
    ['warehouse', 'comment_project.*.*.p1', 'bind_invalid'],
    ['warehouse', 'toString.*.*.p1', 'bind_invalid'],
    ['warehouse', '*.*.*.p1', 'bind_invalid'],
    ['warehouse.dataset', 'p1.d1', 'ask project'],
    ['wf', 'anything.#', 'ask workflow'],
    ['public', '#', 'allow'],
    ['amaretti', '#', 'stream_unknown'],
    ['toString', 'a', 'stream_unknown'],
  ])('%s %s: %s', (exchange, key, outcome) => {
    expect(decide(exchange, key)).toBe(outcome);
    const anonymous = ['public', 'amaretti', 'toString'].includes(exchange) ? outcome : 'bind_denied';
    expect(decide(exchange, key, [])).toBe(anonymous);
  });

  test.each([
    [{}, 'bind_denied'],
    [{ gids: [] }, 'bind_denied'],
    [{ gids: ['5'] }, 'bind_denied'],
    [{ gids: 'no list' }, 'bind_invalid'],
    [{ gids: [5] }, 'allow'],
  ])('wf.instance 5 with the claims %j: %s', (claims, outcome) => {
    expect(decide('wf.instance', '5', token(claims))).toBe(outcome);
    expect(decide('wf.instance', 'na', token(claims))).toBe('allow');
  });

  test('the check decides', () => {
    expect(decide('wf.task', 'i1', undefined, { instance: true })).toBe('allow');
    expect(decide('wf.task', 'i1', undefined, { instance: false })).toBe('bind_denied');
  });
});

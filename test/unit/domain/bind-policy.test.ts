import { describe, expect, test } from 'vitest';
import { type AccessPolicy, createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { StreamRule } from '../../../src/domain/bind-policy.ts';
import type { Condition } from '../../../src/domain/condition.ts';
import type { Isolation } from '../../../src/domain/isolation.ts';
import type { Credential } from '../../../src/domain/principal.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import {
  allowedValue,
  credentialOf,
  eventOf,
  isolationOf,
  patternOf,
  principalOf,
} from '../../support/domain-fixtures.ts';

const present: Condition = (scope) =>
  (scope['brainlife'] as { present: boolean }).present
    ? allowed(true)
    : refused({ error: false, text: 'there is no token' });
const broken: Condition = () => refused({ error: true, text: 'what it reads is absent' });

const streamOf = (stream: string, given: Partial<StreamRule> = {}): StreamRule => ({
  stream: patternOf(stream),
  keyParts: [],
  rule: { checks: [] },
  narrowing: [],
  withoutTenant: false,
  ...given,
});

const token = credentialOf('brainlife', { user: 'u1' });

function policyOf(streams: readonly StreamRule[], isolation?: Isolation, more: Partial<AccessPolicy> = {}) {
  const control = allowedValue(
    createAccessPolicy(
      {
        connect: { checks: [] },
        publish: { checks: [] },
        rooms: [],
        roomsPerConnectionMax: 1,
        credentialNames: ['brainlife'],
        streams,
        ...more,
      },
      isolation,
    ),
  );
  const requestOf = (credentials: readonly Credential[], checks: Readonly<Record<string, boolean>>) => ({
    principal: principalOf(...credentials),
    variables: new Map([['connection', 'c1']]),
    checks: new Map(Object.entries(checks)),
  });
  return {
    control,
    connect: (credentials: readonly Credential[] = [token]) => control.mayConnect(requestOf(credentials, {})),
    bind: (
      stream: string,
      key: string,
      checks: Readonly<Record<string, boolean>> = {},
      credentials: readonly Credential[] = [token],
    ) => control.mayBind(requestOf(credentials, checks), { stream, key }),
  };
}

describe('a stream', () => {
  const { bind } = policyOf([
    streamOf('wf.task'),
    streamOf('wf.*', { rule: { when: broken, checks: [] } }),
    streamOf('public', { rule: 'public' }),
  ]);

  test.each(['wf', 'wf.task.x', '', 'toString', '__proto__', 'constructor', '#', 'w*'])('"%s" is unknown', (stream) => {
    expect(bind(stream, 'a')).toMatchObject({ kind: 'deny', code: 'stream_unknown' });
  });

  test('has the first rule that its name matches', () => {
    expect(bind('wf.task', 'a.#')).toEqual({
      kind: 'allow',
      value: { stream: 'wf.task', pattern: patternOf('a.#'), filter: undefined },
      reason: 'the rule of the stream allows it',
    });
    expect(bind('wf.other', 'a')).toMatchObject({ kind: 'deny', code: 'bind_invalid' });
  });

  test('that is public is for everybody', () => {
    expect(bind('public', '#', {}, [])).toMatchObject({ kind: 'allow' });
  });

  test.each([
    ['too long', 'x'.repeat(1025)],
    ['with too many #', '#.#.#.#.#'],
    ['of a megabyte', 'a.'.repeat(500_000)],
  ])('refuses a key %s, and does not quote it', (_, key) => {
    const decision = bind('wf.task', key);
    expect(decision).toMatchObject({ kind: 'deny', code: 'bind_invalid' });
    expect(JSON.stringify(decision)).not.toContain(key);
  });
});

describe('a rule', () => {
  const { bind } = policyOf([
    streamOf('both', { keyParts: ['project'], rule: { when: present, checks: ['crm'] } }),
    streamOf('own', { rule: { when: ({ check }) => verdictOf(check), checks: ['crm'], readsChecks: true } }),
    streamOf('broken', { rule: { when: broken, checks: ['crm'] } }),
  ]);
  const verdictOf = (check: unknown): ReturnType<Condition> =>
    (check as ReadonlyMap<string, boolean>).get('crm') === false
      ? allowed(true)
      : refused({ error: false, text: 'the check must deny' });

  test('10.6: whose condition does not hold denies, and no check is asked', () => {
    expect(bind('both', 'p1', {}, [])).toEqual({ kind: 'deny', code: 'bind_denied', reason: 'there is no token' });
  });

  test('whose condition holds asks its checks', () => {
    expect(bind('both', 'p1')).toEqual({ kind: 'ask', checks: ['crm'] });
    expect(bind('both', 'p1', { crm: true })).toMatchObject({ kind: 'allow' });
    expect(bind('both', 'p1', { crm: false })).toEqual({
      kind: 'deny',
      code: 'bind_denied',
      reason: 'denied by the check crm',
    });
  });

  test('that reads checks decides alone what they mean', () => {
    expect(bind('own', 'p1')).toEqual({ kind: 'ask', checks: ['crm'] });
    expect(bind('own', 'p1', { crm: false })).toMatchObject({ kind: 'allow' });
    expect(bind('own', 'p1', { crm: true })).toMatchObject({ code: 'bind_denied' });
  });

  test('10.7: that cannot be evaluated is another thing than one that says no', () => {
    expect(bind('broken', 'p1')).toEqual({ kind: 'deny', code: 'bind_invalid', reason: 'what it reads is absent' });
  });

  test.each(['', '.x', '..'])(
    '10.7: a key "%s" without the part that checks may need is invalid, and none is asked',
    (key) => {
      expect(bind('both', key)).toMatchObject({ code: 'bind_invalid', reason: expect.stringContaining('"project"') });
      expect(bind('both', key, {}, [])).toMatchObject({ code: 'bind_denied' });
    },
  );
});

describe('brainlife 5: the parts of a key are variables', () => {
  const { control, bind } = policyOf([
    streamOf('warehouse', { keyParts: ['collection', '', 'sub', 'project'], rule: { checks: ['project'] } }),
    streamOf('wf.task', { keyParts: ['instance'] }),
  ]);
  const variables = (stream: string, key: string) => Object.fromEntries(control.bindVariables({ stream, key }));

  test.each([
    ['dataset.update.u.p.d', { collection: 'dataset', sub: 'u', project: 'p' }],
    ['dataset.update.*.p.#', { collection: 'dataset', sub: '*', project: 'p' }],
    ['dataset.update.u', { collection: 'dataset', sub: 'u' }],
    ['dataset.update.u.', { collection: 'dataset', sub: 'u' }],
    ['dataset.#.u.p', { collection: 'dataset' }],
    ['dataset.update.#.p', { collection: 'dataset', sub: '#' }],
    ['#', { collection: '#' }],
    ['', {}],
    ['__proto__.x.constructor.y', { collection: '__proto__', sub: 'constructor', project: 'y' }],
  ])('%s', (key, parts) => {
    expect(variables('warehouse', key)).toEqual({ ...parts, stream: 'warehouse', key });
  });

  test('each stream has its own', () => {
    expect(variables('wf.task', 'i.t')).toEqual({ instance: 'i', stream: 'wf.task', key: 'i.t' });
    expect(variables('other', 'i.t')).toEqual({ stream: 'other', key: 'i.t' });
  });

  test('after a # no word has a known place: nobody binds past the part that is checked', () => {
    expect(bind('warehouse', 'dataset.#.mine.p1', { project: true })).toMatchObject({ code: 'bind_invalid' });
  });

  test('conditions read them as `bind`', () => {
    const seen: unknown[] = [];
    const when: Condition = (scope) => {
      seen.push(scope['bind']);
      return allowed(true);
    };
    policyOf([streamOf('s', { keyParts: ['a'], rule: { when, checks: [] } })]).bind('s', 'x.y');
    expect(seen).toEqual([
      new Map([
        ['a', 'x'],
        ['stream', 's'],
        ['key', 'x.y'],
      ]),
    ]);
  });
});

describe('a connection without a token', () => {
  const closed = streamOf('closed');
  const open = streamOf('open', { rule: 'public' });

  test.each([
    ['is for what is public', [closed, open], {}, 'allow'],
    ['is for nothing where nothing is', [closed], {}, 'deny'],
    [
      'is for rooms',
      [closed],
      { rooms: [{ templates: [], rule: { checks: [] }, otherwise: 'ignore' as const }] },
      'allow',
    ],
    ['is all there is where no token is accepted', [closed], { credentialNames: [] }, 'allow'],
    ['is no matter where nothing can be bound', [], {}, 'allow'],
  ])('%s', (_, streams, more, kind) => {
    const decision = policyOf(streams, undefined, more).connect([]);
    expect(decision).toMatchObject(kind === 'deny' ? { kind, code: 'token_missing' } : { kind });
    expect(policyOf(streams, undefined, more).connect()).toMatchObject({ kind: 'allow' });
  });
});

describe('tenants', () => {
  const isolation = isolationOf('Tenant-Id', 'tenant', 'tenants/{}');
  const streams = [
    streamOf('by-attribute'),
    streamOf('by-key', { keyParts: ['', 'Tenant-Id'] }),
    streamOf('common', { withoutTenant: true }),
    streamOf('open', { rule: 'public' }),
  ];
  const { bind } = policyOf(streams, isolation);
  const of = (tenant: string) => [credentialOf('brainlife', { tenant })];
  const filterOf = (stream: string, credentials: readonly Credential[]) => {
    const decision = bind(stream, '#', {}, credentials);
    if (decision.kind !== 'allow' || !decision.value.filter) throw new Error(JSON.stringify(decision));
    return decision.value.filter;
  };
  const admits = (stream: string, tenant: string, attributes: Record<string, string>, key = '') =>
    filterOf(stream, of(tenant)).admits(eventOf(attributes, { stream, key }));

  test('a bind gets the events of its own tenant only', () => {
    expect(admits('by-attribute', '1', { 'Tenant-Id': '1' })).toBe(true);
    expect(admits('by-attribute', '1', { 'Tenant-Id': '2' })).toBe(false);
    expect(admits('by-attribute', '1', {})).toBe(false);
    expect(admits('by-key', '1', {}, 'x.1')).toBe(true);
    expect(admits('by-key', '1', {}, 'x.2')).toBe(false);
    expect(admits('by-key', '1', {}, 'x')).toBe(false);
    expect(admits('by-key', '1', { 'Tenant-Id': '1' }, 'x')).toBe(true);
    expect(admits('by-key', '1', { 'Tenant-Id': '2' }, 'x.1')).toBe(false);
  });

  test('or those without a tenant, where that is meant', () => {
    expect(admits('common', '1', {})).toBe(true);
    expect(admits('common', '1', { 'Tenant-Id': '1' })).toBe(false);
    expect(filterOf('common', []).admits(eventOf({}))).toBe(true);
  });

  test('an event whose tenant is no text is for nobody', () => {
    const event = eventOf({}, { key: 'x.1', unreadable: new Set(['Tenant-Id']) });
    for (const stream of ['by-attribute', 'by-key', 'common'])
      expect(filterOf(stream, of('1')).admits(event)).toBe(false);
  });

  test.each(['by-attribute', 'open'])('who has none binds nothing of "%s"', (stream) => {
    expect(bind(stream, '#', {}, [])).toMatchObject({ kind: 'deny', code: 'bind_denied' });
    expect(bind(stream, '#', {}, [credentialOf('brainlife', { tenant: ['1', '2'] })])).toMatchObject({ kind: 'deny' });
  });

  test('filters of one tenant are the same, of two are not', () => {
    expect(filterOf('by-attribute', of('1')).id).toBe(filterOf('by-attribute', of('1')).id);
    const ids = [
      filterOf('by-attribute', of('1')),
      filterOf('by-attribute', of('2')),
      filterOf('by-key', of('1')),
      filterOf('common', of('1')),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });
});

test('an event that names a narrower target is for no bind', () => {
  const { bind } = policyOf([streamOf('s', { narrowing: ['User-Id', 'Site'] })]);
  const decision = bind('s', '#');
  const filter = decision.kind === 'allow' ? decision.value.filter : undefined;
  expect(filter?.admits(eventOf({ Other: 'x' }))).toBe(true);
  expect(filter?.admits(eventOf({ Site: '' }))).toBe(false);
  expect(filter?.admits(eventOf({}, { unreadable: new Set(['Site']) }))).toBe(false);
});

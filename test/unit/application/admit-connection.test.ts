import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type AdmissionDependencies, createConnectionAdmission } from '../../../src/application/admit-connection.ts';
import { type AccessPolicy, createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { Condition } from '../../../src/domain/condition.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import { allowedValue, credentialOf, templatesOf } from '../../support/domain-fixtures.ts';
import { fakeCheck, fakeVerifier, presentedOf } from '../../support/fake-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const ocms = credentialOf('ocms', { tenant: '42' }, { permissions: ['connect'], expiresAt: 5000 });
const connectPermission: Condition = ({ permissions }) =>
  (permissions as readonly string[]).includes('connect')
    ? allowed(true)
    : refused({ error: false, text: 'needs connect' });
const never: Condition = () => refused({ error: false, text: 'not for you' });

const policy: AccessPolicy = {
  connect: { when: connectPermission, checks: [] },
  publish: { checks: [] },
  rooms: [
    {
      templates: templatesOf('tenants/{tenant}', 'tenants/{tenant}/connections/{connection}', 'topics/{topics}'),
      rule: { checks: [] },
      otherwise: 'ignore',
    },
  ],
  roomsPerConnectionMax: 10,
  credentialNames: ['ocms'],
};

function admissionOf(given: Partial<AdmissionDependencies> = {}, changed: Partial<AccessPolicy> = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const verifier = fakeVerifier({ good: ocms, weak: { ...ocms, permissions: [] }, expired: 'token_expired' });
  const admission = createConnectionAdmission({
    endpoint: 'socketio',
    rules: [{ from: 'auth.token', accepts: ['ocms'], optional: false }],
    verifier,
    permissionSources: [],
    query: [{ variable: 'topics', field: 'topics', list: ',', required: false }],
    access: allowedValue(createAccessPolicy({ ...policy, ...changed })),
    checks: new Map(),
    atTokenExpiry: 'keep',
    clock,
    random: () => 0,
    holdMsMax: 3000,
    observer,
    ...given,
  });
  const gone = new AbortController();
  const admit = (token: string, query: Readonly<Record<string, string>> = {}) =>
    admission.admit('c-1', presentedOf({ 'auth.token': token, ...query }), gone.signal);
  return { admit, clock, observer, verifier, gone };
}

const checksOf = (...checks: readonly ReturnType<typeof fakeCheck>[]) => ({
  checks: new Map(checks.map((each) => [each.name, each])),
});

describe('admitted', () => {
  test('with the principal and the rooms of tokens, query and connection', async () => {
    const { admit, observer, clock } = admissionOf();
    expect(await admit('good', { 'query.topics': 'a,b', 'query.connection': 'forged' })).toEqual({
      kind: 'admitted',
      session: {
        connection: 'c-1',
        principal: { credentials: [ocms], variables: ocms.variables, expiresAt: 5000 },
        variables: new Map<string, unknown>([
          ['topics', ['a', 'b']],
          ['connection', 'c-1'],
        ]),
        tokens: new Map(),
      },
      rooms: ['tenants/42', 'tenants/42/connections/c-1', 'topics/a', 'topics/b'],
      closesAt: undefined,
    });
    expect(observer.observations).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('the id of the connection stands above a query field of that name', async () => {
    const query = [{ variable: 'connection', field: 'id', required: false }];
    expect(await admissionOf({ query }).admit('good', { 'query.id': 'forged' })).toMatchObject({
      rooms: ['tenants/42', 'tenants/42/connections/c-1'],
    });
  });

  test.each([
    ['keep', 5000, undefined],
    ['close', 5000, 5000],
    ['close', undefined, undefined],
  ] as const)('atTokenExpiry %s with a token that ends at %s closes at %s', async (atTokenExpiry, expiresAt, end) => {
    const verifier = fakeVerifier({ good: { ...ocms, expiresAt } });
    expect(await admissionOf({ atTokenExpiry, verifier }).admit('good')).toMatchObject({ closesAt: end });
  });

  test('rooms that are asked for and not granted are observed, one by one', async () => {
    const rooms = [
      ...policy.rooms,
      { templates: templatesOf('x/{topics}', 'y'), rule: { when: never, checks: [] }, otherwise: 'ignore' as const },
    ];
    const { admit, observer } = admissionOf({}, { rooms });
    expect(await admit('good', { 'query.topics': 'a' })).toMatchObject({ kind: 'admitted' });
    const about = { kind: 'rooms-ignored', endpoint: 'socketio', connection: 'c-1', reason: 'not for you' };
    expect(observer.observations).toEqual([
      { ...about, template: 'x/{topics}' },
      { ...about, template: 'y' },
    ]);
  });
});

describe('denied', () => {
  test.each([
    ['expired', {}, {}, { code: 'token_expired', reason: 'refused with token_expired' }],
    ['', {}, {}, { code: 'token_missing', reason: 'there is no token at auth.token' }],
    ['weak', {}, {}, { code: 'access_denied', reason: 'needs connect' }],
    [
      'good',
      { 'query.topics': Array.from({ length: 20 }, (_, index) => index).join(',') },
      {},
      { code: 'rooms_too_many', reason: 'the connection asks for more than 10 rooms' },
    ],
    [
      'good',
      {},
      {
        rooms: policy.rooms.map((group) => ({
          ...group,
          rule: { when: never, checks: [] },
          otherwise: 'refuse' as const,
        })),
      },
      { code: 'room_denied', reason: 'not for you' },
    ],
  ])('the token "%s" with %o', async (token, query, changed, denial) => {
    const { admit, observer, clock } = admissionOf({}, changed);
    expect(await admit(token, query)).toEqual({ kind: 'denied', denial });
    expect(observer.observations).toEqual([
      { kind: 'access-denied', endpoint: 'socketio', connection: 'c-1', ...denial },
    ]);
    expect(clock.pending).toBe(0);
  });

  test('a query that cannot be is refused before any key is fetched', async () => {
    const query = [{ variable: 'site', field: 'site', required: true }];
    const { admit, verifier } = admissionOf({ query });
    expect(await admit('good')).toMatchObject({ kind: 'denied', denial: { code: 'query_invalid' } });
    expect(verifier.calls).toEqual([]);
  });
});

describe('checks', () => {
  test.each([
    ['are handed the tokens later, too', checksOf(fakeCheck('crm', true)), new Map([['ocms', 'good']])],
    ['that are not there keep no token', {}, new Map()],
  ])('%s', async (_, own, tokens) => {
    expect(await admissionOf(own).admit('good')).toMatchObject({ session: { tokens } });
  });

  const both = {
    connect: { checks: ['crm'] },
    rooms: policy.rooms.map((group) => ({ ...group, rule: { checks: ['crm', 'sites'] } })),
  };

  test('are asked once for the connection and its rooms, with variables and tokens', async () => {
    const [crm, sites] = [fakeCheck('crm', true), fakeCheck('sites', true)];
    expect(await admissionOf(checksOf(crm, sites), both).admit('good', { 'query.topics': 'a' })).toMatchObject({
      kind: 'admitted',
    });
    const question = {
      variables: new Map<string, unknown>([
        ['topics', ['a']],
        ['connection', 'c-1'],
        ['tenant', '42'],
      ]),
      tokens: new Map([['ocms', 'good']]),
      expiresAt: 5000,
    };
    expect(crm.questions).toEqual([question]);
    expect(sites.questions).toEqual([question]);
  });

  test('a variable of a token stands above one of the query in what they are asked, too', async () => {
    const crm = fakeCheck('crm', true);
    const query = [{ variable: 'tenant', field: 'tenant', required: false }];
    await admissionOf({ ...checksOf(crm), query }, { connect: { checks: ['crm'] } }).admit('good', {
      'query.tenant': '43',
    });
    expect(crm.questions[0]?.variables.get('tenant')).toBe('42');
  });

  test('that deny the connection end it: those of the rooms are not asked', async () => {
    const [crm, sites] = [fakeCheck('crm', false), fakeCheck('sites', true)];
    expect(await admissionOf(checksOf(crm, sites), both).admit('good')).toMatchObject({
      denial: { code: 'access_denied', reason: 'denied by the check crm' },
    });
    expect(sites.questions).toEqual([]);
  });
});

describe('there is no telling now', () => {
  test('design.md 4: a client is held, and admitted when the key server is back in time', async () => {
    const { admit, verifier, clock, observer } = admissionOf();
    verifier.away = true;
    const admission = admit('good');
    await nextTurn();
    verifier.away = false;
    clock.advance(50);
    expect(await admission).toMatchObject({ kind: 'admitted' });
    expect(observer.observations).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('design.md 4: after the hold it is told to come back, and nothing but that is said', async () => {
    const { admit, verifier, clock, observer } = admissionOf({ holdMsMax: 40 });
    verifier.away = true;
    const admission = admit('good');
    await nextTurn();
    clock.advance(40);
    expect(await admission).toEqual({ kind: 'try-later', retryAfterMs: 1000 });
    expect(observer.observations).toEqual([
      {
        kind: 'access-unknown',
        endpoint: 'socketio',
        connection: 'c-1',
        error: expect.objectContaining({ code: 'test_away' }),
      },
    ]);
  });

  test('a client that has gone is held no longer', async () => {
    const { admit, verifier, gone, clock } = admissionOf();
    verifier.away = true;
    const admission = admit('good');
    await nextTurn();
    gone.abort();
    expect(await admission).toMatchObject({ kind: 'try-later' });
    expect(clock.pending).toBe(0);
  });

  test('a check that cannot tell holds as well, and its answers are asked anew', async () => {
    const crm = fakeCheck('crm', 'away');
    const { admit, clock } = admissionOf(checksOf(crm), { connect: { checks: ['crm'] } });
    const admission = admit('good');
    await nextTurn();
    crm.answer = true;
    clock.advance(50);
    expect(await admission).toMatchObject({ kind: 'admitted' });
    expect(crm.questions).toHaveLength(2);
  });
});

describe('with the query judged last', () => {
  const query = [{ variable: 'topics', field: 'topics', required: true }];

  test.each([
    ['expired', 'token_expired'],
    ['weak', 'access_denied'],
    ['good', 'query_invalid'],
  ])('the token "%s" without what must be there is refused with %s', async (token, code) => {
    expect(await admissionOf({ query, queryJudged: 'last' }).admit(token)).toMatchObject({ denial: { code } });
    expect(await admissionOf({ query }).admit(token)).toMatchObject({ denial: { code: 'query_invalid' } });
  });
});

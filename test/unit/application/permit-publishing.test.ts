import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPublishAdmission, type PublishingDependencies } from '../../../src/application/permit-publishing.ts';
import { createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { AccessRule } from '../../../src/domain/access-rule.ts';
import type { Condition } from '../../../src/domain/condition.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import { allowedValue, credentialOf, eventOf } from '../../support/domain-fixtures.ts';
import { fakeCheck, fakeVerifier, presentedOf } from '../../support/fake-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const app = credentialOf('app', { tenant: '42' }, { permissions: ['orders', 'stock'], expiresAt: 5000 });

/** Streams by permission, so that events of one request differ. */
const ownStreams: Condition = (scope) => {
  const { event, permissions } = scope as { event?: { stream: string }; permissions: readonly string[] };
  if (permissions.length === 0) return refused({ error: false, text: 'no stream is yours' });
  if (!event) return refused({ error: true, text: 'there is no event' });
  return permissions.includes(event.stream) ? allowed(true) : refused({ error: false, text: 'not your stream' });
};

function permissionOf(publish: AccessRule, given: Partial<PublishingDependencies> = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const verifier = fakeVerifier({ good: app, idle: { ...app, permissions: [] }, expired: 'token_expired' });
  const access = createAccessPolicy({
    connect: { checks: ['must-not-be-asked'] },
    publish,
    rooms: [],
    roomsPerConnectionMax: 1,
    credentialNames: ['app'],
  });
  const admission = createPublishAdmission({
    source: 'http',
    rules: [{ from: 'header.authorization', accepts: ['app'], optional: false }],
    verifier,
    permissionSources: [],
    access: allowedValue(access),
    checks: new Map(),
    clock,
    random: () => 0,
    holdMsMax: 3000,
    observer,
    ...given,
  });
  const gone = new AbortController();
  const mayPublish = (token: string, ...streams: readonly string[]) =>
    admission.mayPublish(
      presentedOf({ 'header.authorization': `Bearer ${token}` }),
      streams.map((stream) => eventOf({}, { stream })),
      gone.signal,
    );
  return { mayPublish, clock, observer, verifier, gone };
}

test.each([[[]], [['orders']], [['orders', 'stock', 'orders']]])('%o may be published', async (streams) => {
  const { mayPublish, observer, clock } = permissionOf({ when: ownStreams, checks: [] });
  expect(await mayPublish('good', ...streams)).toEqual({ kind: 'allowed' });
  expect(observer.observations).toEqual([]);
  expect(clock.pending).toBe(0);
});

test.each([
  [['others'], 0],
  [['orders', 'others', 'stock'], 1],
  [['orders', 'stock', 'others'], 2],
])('all or nothing: %o is refused for the event %i', async (streams, index) => {
  const { mayPublish, observer } = permissionOf({ when: ownStreams, checks: [] });
  const denial = { code: 'access_denied', reason: `event ${index}: not your stream` };
  expect(await mayPublish('good', ...streams)).toEqual({ kind: 'denied', denial });
  expect(observer.observations).toEqual([{ kind: 'access-denied', endpoint: 'http', ...denial }]);
});

test('a token that is refused refuses the request, whatever is in it', async () => {
  const { mayPublish, observer } = permissionOf({ checks: [] });
  const denial = { code: 'token_expired', reason: 'refused with token_expired' };
  expect(await mayPublish('expired')).toEqual({ kind: 'denied', denial });
  expect(observer.observations).toEqual([{ kind: 'access-denied', endpoint: 'http', ...denial }]);
});

test('a check is asked once for the request, however many events are in it', async () => {
  const quota = fakeCheck('quota', true);
  const { mayPublish } = permissionOf({ checks: ['quota'] }, { checks: new Map([['quota', quota]]) });
  expect(await mayPublish('good', 'a', 'b', 'c')).toEqual({ kind: 'allowed' });
  expect(quota.questions).toEqual([{ variables: app.variables, tokens: new Map([['app', 'good']]), expiresAt: 5000 }]);
});

test('a key server that is back in time is not noticed', async () => {
  const { mayPublish, verifier, clock, observer } = permissionOf({ checks: [] });
  verifier.away = true;
  const permission = mayPublish('good', 'a');
  await nextTurn();
  verifier.away = false;
  clock.advance(50);
  expect(await permission).toEqual({ kind: 'allowed' });
  expect(observer.observations).toEqual([]);
});

test('one that is not is a reason to come back later', async () => {
  const { mayPublish, verifier, clock, observer } = permissionOf({ checks: [] }, { holdMsMax: 40 });
  verifier.away = true;
  const permission = mayPublish('good', 'a');
  await nextTurn();
  clock.advance(40);
  expect(await permission).toEqual({ kind: 'try-later', retryAfterMs: 1000 });
  expect(observer.observations).toEqual([
    { kind: 'access-unknown', endpoint: 'http', error: expect.objectContaining({ code: 'test_away' }) },
  ]);
});

test('a client that has gone is not waited for', async () => {
  const { mayPublish, verifier, gone, clock } = permissionOf({ checks: [] });
  verifier.away = true;
  const permission = mayPublish('good', 'a');
  await nextTurn();
  gone.abort();
  expect(await permission).toMatchObject({ kind: 'try-later' });
  expect(clock.pending).toBe(0);
});

test('without an event, only who could publish none at all is refused', async () => {
  const { mayPublish } = permissionOf({ when: ownStreams, checks: [] });
  expect(await mayPublish('good')).toEqual({ kind: 'allowed' });
  const denial = { code: 'access_denied', reason: 'no stream is yours' };
  expect(await mayPublish('idle')).toEqual({ kind: 'denied', denial });
});

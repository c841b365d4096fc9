import { describe, expect, test } from 'vitest';
import { createRoomAdmission, type JoiningDependencies } from '../../../src/application/join-rooms.ts';
import { createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { Principal } from '../../../src/domain/principal.ts';
import { allowedValue, credentialOf, principalOf, templatesOf } from '../../support/domain-fixtures.ts';
import { fakeCheck, presentedOf } from '../../support/fake-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

function admissionOf(answer: boolean | 'away' = true, given: Partial<Principal> = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const check = fakeCheck('member', answer);
  const policy = {
    connect: { checks: [] },
    publish: { checks: [] },
    rooms: [
      { templates: templatesOf('sites/{site}/{user}'), rule: { checks: ['member'] }, otherwise: 'refuse' as const },
    ],
    roomsPerConnectionMax: 10,
    credentialNames: ['t'],
  };
  const dependencies: JoiningDependencies = {
    endpoint: 'hub',
    query: [{ variable: 'site', field: 'site_id', required: true }],
    access: allowedValue(createAccessPolicy(policy)),
    checks: new Map([['member', check]]),
    clock,
    random: () => 0,
    holdMsMax: 0,
    observer,
  };
  const principal = { ...principalOf(credentialOf('t', { user: 'u' })), ...given };
  const session = {
    connection: 'c',
    principal,
    // Of the first query, which is not to count any more.
    variables: new Map([['site', 'first']]),
    tokens: new Map([['t', 'token']]),
  };
  const gone = new AbortController();
  const join = (query: Readonly<Record<string, string>>) =>
    createRoomAdmission(dependencies).join(session, presentedOf(query), gone.signal);
  return { join, clock, observer, check, gone };
}

describe('further rooms of a connection', () => {
  test('are those of what is presented now, with the token that it has', async () => {
    const { join, check, clock } = admissionOf();
    expect(await join({ 'query.site_id': 's' })).toEqual({ kind: 'joined', rooms: ['sites/s/u'] });
    expect(check.questions).toMatchObject([{ tokens: new Map([['t', 'token']]) }]);
    expect(check.questions[0]?.variables.get('site')).toBe('s');
    expect(clock.pending).toBe(0);
  });

  test.each([
    [false, {}, { 'query.site_id': 's' }, 'room_denied'],
    [true, {}, {}, 'query_invalid'],
    [true, { expiresAt: 5 }, { 'query.site_id': 's' }, 'token_expired'],
  ])('are denied, and that is observed', async (answer, given, query, code) => {
    const { join, observer } = admissionOf(answer, given);
    expect(await join(query)).toMatchObject({ kind: 'denied', denial: { code } });
    expect(observer.of('access-denied')).toMatchObject([{ endpoint: 'hub', connection: 'c', code }]);
  });

  test('of a token that ends later are had until then', async () => {
    const { join, clock } = admissionOf(true, { expiresAt: Date.UTC(2026, 0, 1) + 1000 });
    expect(await join({ 'query.site_id': 's' })).toMatchObject({ kind: 'joined' });
    clock.advance(1000);
    expect(await join({ 'query.site_id': 's' })).toMatchObject({ kind: 'denied' });
  });

  test('where nobody can tell, are for later; who has gone hears nothing, and nothing is observed', async () => {
    const { join, clock, observer, gone } = admissionOf('away');
    const answer = join({ 'query.site_id': 's' });
    clock.advance(1);
    expect(await answer).toMatchObject({ kind: 'try-later' });
    expect(observer.of('access-unknown')).toHaveLength(1);
    gone.abort();
    expect(await join({ 'query.site_id': 's' })).toMatchObject({ kind: 'try-later' });
    expect(observer.of('access-unknown')).toHaveLength(1);
  });
});

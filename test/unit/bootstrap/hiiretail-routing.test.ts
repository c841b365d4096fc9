import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alsoUnderTopic, needed, presetWith, problemsWith, targetsOf } from '../../support/hiiretail-preset.ts';

const T = { 'Tenant-Id': 't1' };
const B = { ...T, 'Business-Unit-Id': 'b1' };
const W = { ...B, 'Workstation-Id': '0001' };
const extra = { 'Additional-Business-Unit-Rooms': 'workstations/001, workstation-types/scanngo,' };
const unit = 'tenants/t1/business-units/b1';

describe('hiiretail 8.12 to 8.14: the first target that is complete gets a message, and its twin below the topic', () => {
  test.each([
    [{ ...W, ...extra, 'User-Id': 'u', 'Session-Id': 's', 'Connection-Id': 'c' }, ['tenants/t1/connections/c']],
    [{ ...W, ...extra, 'User-Id': 'u', 'Session-Id': 's' }, [`${unit}/workstations/0001/sessions/s`]],
    [{ ...W, ...extra, 'User-Id': 'u' }, [`${unit}/users/u`]],
    [{ ...T, ...extra, 'User-Id': 'u' }, ['tenants/t1/users/u']],
    [{ ...W, ...extra }, [`${unit}/workstations/001`, `${unit}/workstation-types/scanngo`]],
    [{ ...B, ...extra }, [`${unit}/workstations/001`, `${unit}/workstation-types/scanngo`]],
    [W, [`${unit}/workstations/0001`]],
    [{ ...B, 'Additional-Business-Unit-Rooms': ' ,' }, [unit]],
    [B, [unit]],
    [{ ...T, ...extra }, ['tenants/t1']],
    [T, ['tenants/t1']],
  ])('%o', (attributes, rooms) => {
    expect(targetsOf(attributes)).toEqual(alsoUnderTopic(rooms));
  });

  test.each([
    [{}, 'no_template'],
    [{ 'Tenant-Id': '' }, 'no_template'],
    [{ ...extra, 'Business-Unit-Id': 'b1' }, 'no_template'],
    [{ 'Connection-Id': 'c' }, 'narrowing'],
    [{ ...T, 'Workstation-Id': '0001' }, 'narrowing'],
    [{ ...T, ...extra, 'Workstation-Id': '0001' }, 'narrowing'],
    [{ ...B, 'Session-Id': 's' }, 'narrowing'],
    [{ ...T, 'Session-Id': 's', 'User-Id': 'u' }, 'narrowing'],
    [{ ...T, 'User-Id': '' }, 'narrowing'],
    [{ ...T, 'Connection-Id': '' }, 'narrowing'],
  ])('%o reaches nobody', (attributes, cause) => {
    expect(targetsOf(attributes)).toBe(cause);
  });

  test('names of attributes have the capitals that they have', () => {
    expect(targetsOf({ ...T, 'user-id': 'u' })).toEqual(alsoUnderTopic(['tenants/t1']));
    expect(targetsOf({ 'tenant-id': 't1' })).toBe('no_template');
  });
});

describe('hiiretail 8.12: the names that are inferred can be others', () => {
  const environment = {
    CONNECTION_ID_ATTRIBUTE: 'Socket',
    SESSION_ID_ATTRIBUTE: 'Sale',
    USER_ID_ATTRIBUTE: 'user_profile_id',
    WORKSTATION_ID_ATTRIBUTE: 'Till',
  };

  test.each([
    [{ ...T, Socket: 'c' }, ['tenants/t1/connections/c']],
    [{ ...B, Till: '1', Sale: 's' }, [`${unit}/workstations/1/sessions/s`]],
    [{ ...B, user_profile_id: 'u' }, [`${unit}/users/u`]],
    [{ ...T, user_profile_id: 'u' }, ['tenants/t1/users/u']],
    [{ ...B, Till: '1' }, [`${unit}/workstations/1`]],
    // The usual names are then attributes like any other.
    [{ ...B, 'Workstation-Id': '1', 'User-Id': 'u', 'Session-Id': 's', 'Connection-Id': 'c' }, [unit]],
  ])('%o', (attributes, rooms) => {
    expect(targetsOf(attributes, environment)).toEqual(alsoUnderTopic(rooms));
  });

  test.each([
    { ...T, Till: '1' },
    { ...B, Sale: 's' },
    { ...T, Socket: '' },
  ])('%o reaches nobody', (attributes) => {
    expect(targetsOf(attributes, environment)).toBe('narrowing');
  });

  test.each([
    ['USER_ID_ATTRIBUTE', 'Business-Unit-Id'],
    ['USER_ID_ATTRIBUTE', 'Tenant-Id'],
    ['SESSION_ID_ATTRIBUTE', 'a}/{b'],
    ['CONNECTION_ID_ATTRIBUTE', 'a/b'],
    ['WORKSTATION_ID_ATTRIBUTE', 'x*'],
  ])('%s=%s is refused, naming the variable', (name, value) => {
    const problems = problemsWith({ ...needed, [name]: value });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toContain(name);
  });
});

test('hiiretail section 7 item 8: nothing is ever sent to all tenants', () => {
  const names = ['Tenant-Id', 'Business-Unit-Id', 'Workstation-Id', 'User-Id', 'Session-Id', 'Connection-Id'];
  const attributes = fc.dictionary(
    fc.constantFrom(...names, 'Additional-Business-Unit-Rooms', 'stream', 'topic'),
    fc.constantFrom('', 'a', '..', 'a/tenants/b', '{Tenant-Id}', ',', 'x,y'),
  );
  let routed = 0;
  fc.assert(
    fc.property(attributes, (given) => {
      const targets = targetsOf(given);
      if (typeof targets === 'string') return;
      routed += 1;
      const tenant = given['Tenant-Id']?.replaceAll('/', '%2F');
      const place = [`tenants/${tenant}`, `topics/che.a.v1/tenants/${tenant}`];
      for (const room of targets) {
        expect(place.some((each) => room === each || room.startsWith(`${each}/`))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
  expect(routed).toBeGreaterThan(20);
});

test('hiiretail 8.14: what leads nowhere is accepted, or a dead letter where there is a place for those', () => {
  expect(presetWith().unroutable).toBe('accept');
  expect(problemsWith({ ...needed, UNROUTABLE: 'dead-letter' })).toEqual([
    expect.stringMatching(/^unroutable: contradicts onDeadLetter: discard of sources\[0\]/),
  ]);
  const environment = { UNROUTABLE: 'dead-letter', PUBSUB_DEAD_LETTER_TOPIC: 'dead' };
  expect(presetWith(environment).unroutable).toBe('dead-letter');
});

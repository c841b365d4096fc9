import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/application/fault.ts';
import { createSpaceAdmission } from '../../../src/application/join-space.ts';
import type { AccessCheck, CheckQuestion } from '../../../src/application/ports/access-check.ts';
import type { Session } from '../../../src/application/ports/admission.ts';
import type { MembershipPolicy } from '../../../src/domain/membership-policy.ts';
import type { SpaceId } from '../../../src/domain/space.ts';
import { credentialOf, principalOf } from '../../support/domain-fixtures.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const session: Session = {
  connection: 'c',
  principal: principalOf(credentialOf('user', { member: 'ann' })),
  variables: new Map([['connection', 'c']]),
  tokens: new Map([['user', 'T0ken']]),
};
const space = 's' as SpaceId;
const open = new AbortController().signal;

/** Members of `open` are all, of `closed` nobody; of others those whom the check lets in. */
const policy = {
  mayJoin({ checks }: { readonly checks: ReadonlyMap<string, boolean> }, asked: SpaceId) {
    const answer = asked === 'open' ? true : asked === 'closed' ? false : checks.get('membership');
    if (answer === undefined) return { kind: 'ask', checks: ['membership'] };
    return answer ? { kind: 'allow', value: true } : { kind: 'deny', code: 'room_denied', reason: 'no member' };
  },
} as unknown as MembershipPolicy;

function admissionWith(check: AccessCheck['check']) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const asked: CheckQuestion[] = [];
  const counted: AccessCheck = {
    name: 'membership',
    check(question, signal) {
      asked.push(question);
      return check(question, signal);
    },
  };
  const admission = createSpaceAdmission({
    ...{ endpoint: 'spaces', policy, checks: new Map([['membership', counted]]), observer, clock },
    ...{ random: () => 0, holdMsMax: 3000 },
  });
  return { admission, observer, asked, clock };
}

describe('whether a client may join', () => {
  test('is known at once where nobody else is to be asked', () => {
    const { admission, observer, asked } = admissionWith(async () => true);
    const answerOf = (id: string) => admission.mayJoin(session, { space: id as SpaceId, password: undefined }, open);
    expect(answerOf('open')).toEqual({ kind: 'member' });
    const denial = { code: 'room_denied', reason: 'no member' };
    expect(answerOf('closed')).toEqual({ kind: 'denied', denial });
    expect(observer.of('access-denied')).toMatchObject([{ endpoint: 'spaces', connection: 'c', ...denial }]);
    expect(asked).toEqual([]);
  });

  test.each([
    [true, 'member'],
    [false, 'denied'],
  ])('is asked about with the space, the password and the token: %s is %s', async (answer, kind) => {
    const { admission, asked } = admissionWith(async () => answer);
    const request = { space, password: 'p', fresh: true };
    expect(await admission.mayJoin(session, request, open)).toMatchObject({ kind });
    expect(asked).toMatchObject([{ fresh: true, tokens: session.tokens }]);
    expect(Object.fromEntries(asked[0]?.variables ?? [])).toMatchObject({ space: 's', password: 'p', member: 'ann' });
  });

  test('is asked anew each time, and without a password there is none', async () => {
    const { admission, asked } = admissionWith(async () => true);
    for (let count = 0; count < 2; count += 1) await admission.mayJoin(session, { space, password: undefined }, open);
    expect(asked.map(({ variables }) => variables.has('password'))).toEqual([false, false]);
  });

  test('is to be asked later when nobody can tell, and who has answered is not asked again', async () => {
    const { admission, asked, observer, clock } = admissionWith(async () => {
      throw new Fault('check_unavailable', 'retry', 'no answer', undefined, 1000);
    });
    expect(await admission.mayJoin(session, { space, password: undefined }, open)).toEqual({
      kind: 'try-later',
      retryAfterMs: 1000,
    });
    expect([asked.length, observer.of('access-unknown').length, clock.pending]).toEqual([1, 1, 0]);
  });

  test('means nothing once the client has gone, and is not told', async () => {
    const { admission, observer } = admissionWith(() => new Promise(() => {}));
    const gone = new AbortController();
    const answer = admission.mayJoin(session, { space, password: undefined }, gone.signal);
    gone.abort();
    expect(await answer).toMatchObject({ kind: 'try-later' });
    expect(observer.observations).toEqual([]);
  });
});

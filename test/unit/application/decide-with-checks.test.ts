import { expect, test } from 'vitest';
import { decideWithChecks } from '../../../src/application/decide-with-checks.ts';
import type { AccessDecision } from '../../../src/domain/ports/access-control.ts';
import { fakeCheck } from '../../support/fake-ports.ts';

const question = { variables: new Map([['tenant', '42']]), tokens: new Map([['ocms', 'o']]) };
const { signal } = new AbortController();
const mapOf = (...checks: readonly ReturnType<typeof fakeCheck>[]) => new Map(checks.map((each) => [each.name, each]));

test('a decision that needs no check is the answer', async () => {
  const check = fakeCheck('crm', true);
  const allow: AccessDecision<string> = { kind: 'allow', value: 'x', reason: 'free' };
  expect(await decideWithChecks(() => allow, new Map(), mapOf(check), question, signal)).toBe(allow);
  const deny: AccessDecision<string> = { kind: 'deny', code: 'access_denied', reason: 'no' };
  expect(await decideWithChecks(() => deny, new Map(), mapOf(check), question, signal)).toBe(deny);
  expect(check.questions).toEqual([]);
});

test('rounds of checks are asked until there is an answer, each check with the question', async () => {
  const [a, b, c] = [fakeCheck('a', true), fakeCheck('b', false), fakeCheck('c', true)];
  const answers = new Map<string, boolean>();
  const decide = (): AccessDecision<string> => {
    if (!answers.has('a')) return { kind: 'ask', checks: ['a', 'b'] };
    if (!answers.has('c')) return { kind: 'ask', checks: ['c'] };
    return { kind: 'allow', value: JSON.stringify([...answers]), reason: 'asked' };
  };
  expect(await decideWithChecks(decide, answers, mapOf(a, b, c), question, signal)).toMatchObject({
    value: '[["a",true],["b",false],["c",true]]',
  });
  for (const check of [a, b, c]) expect(check.questions).toEqual([question]);
});

test('answers are kept for the next question', async () => {
  const check = fakeCheck('a', true);
  const answers = new Map<string, boolean>();
  const decide = (): AccessDecision<true> =>
    answers.has('a') ? { kind: 'allow', value: true, reason: '' } : { kind: 'ask', checks: ['a'] };
  await decideWithChecks(decide, answers, mapOf(check), question, signal);
  await decideWithChecks(decide, answers, mapOf(check), question, signal);
  expect(check.questions).toHaveLength(1);
});

test('checks of one round run side by side, and get the signal', async () => {
  const answers = new Map<string, boolean>();
  let running = 0;
  let together = 0;
  const slow = (name: string) => ({
    name,
    async check(_question: unknown, given: AbortSignal) {
      running += 1;
      together = Math.max(together, running);
      await Promise.resolve();
      running -= 1;
      return given === signal;
    },
  });
  const checks = new Map(['a', 'b', 'c'].map((name) => [name, slow(name)]));
  const decide = (): AccessDecision<true> =>
    answers.size < 3 ? { kind: 'ask', checks: ['a', 'b', 'c'] } : { kind: 'allow', value: true, reason: '' };
  await decideWithChecks(decide, answers, checks, question, signal);
  expect(together).toBe(3);
  expect([...answers.values()]).toEqual([true, true, true]);
});

test('a check that does not exist denies', async () => {
  const answers = new Map<string, boolean>();
  const decide = (): AccessDecision<true> =>
    answers.has('nobody') ? { kind: 'allow', value: true, reason: '' } : { kind: 'ask', checks: ['nobody'] };
  await decideWithChecks(decide, answers, new Map(), question, signal);
  expect(answers).toEqual(new Map([['nobody', false]]));
});

test('a check that cannot tell leaves no telling, and no answer', async () => {
  const answers = new Map<string, boolean>();
  const decide = (): AccessDecision<true> => ({ kind: 'ask', checks: ['a'] });
  const asked = decideWithChecks(decide, answers, mapOf(fakeCheck('a', 'away')), question, signal);
  await expect(asked).rejects.toMatchObject({ code: 'test_away' });
  expect(answers.size).toBe(0);
});

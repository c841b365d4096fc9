import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { brainlife, checkOf, open, questionOf, startBackend, status } from './access-fixture.ts';

describe('the memory of a check', () => {
  test('keeps yes and no for `cacheMs`, each for its own URL and token', async () => {
    const backend = await startBackend((response, { url }) =>
      status(url?.endsWith('/p') ? 200 : 403)(response, {} as never),
    );
    const { outcome, outcomes, clock } = checkOf(backend, { cacheMs: 1000 });
    for (let round = 0; round < 3; round += 1) {
      expect(await outcome(questionOf('p'))).toBe(true);
      expect(await outcome(questionOf('q'))).toBe(false);
    }
    expect(backend.asked).toHaveLength(2);
    expect(outcomes()).toEqual(['allow', 'deny', 'cached', 'cached', 'cached', 'cached']);
    await outcome(questionOf('p', { tokens: new Map([['brainlife', 'another']]) }));
    expect(backend.asked).toHaveLength(3);
    clock.advance(1001);
    backend.answerWith(status(403));
    expect(await outcome(questionOf('p'))).toBe(false);
    expect(backend.asked).toHaveLength(4);
  });

  test('never outlives the token', async () => {
    const backend = await startBackend(status(200));
    const { outcome, clock } = checkOf(backend, { cacheMs: 60_000 });
    const expiresAt = clock.now() + 500;
    expect(await outcome(questionOf('p', { expiresAt }))).toBe(true);
    clock.advance(499);
    expect(await outcome(questionOf('p', { expiresAt }))).toBe(true);
    expect(backend.asked).toHaveLength(1);
    clock.advance(2);
    expect(await outcome(questionOf('p', { expiresAt }))).toBe(true);
    expect(await outcome(questionOf('p', { expiresAt }))).toBe(true);
    expect(backend.asked).toHaveLength(3);
  });

  test('holds at most `cacheEntriesMax` answers, and none at all when `cacheMs` is 0', async () => {
    const backend = await startBackend(status(200));
    const small = checkOf(backend, { cacheEntriesMax: 2 });
    for (const project of ['a', 'b', 'c', 'b', 'c', 'a']) await small.outcome(questionOf(project));
    expect(backend.asked.map(({ url }) => url.at(-1))).toEqual(['a', 'b', 'c', 'a']);
    const none = checkOf(backend, { cacheMs: 0 });
    await none.outcome(questionOf('z'));
    await none.outcome(questionOf('z'));
    expect(backend.asked).toHaveLength(6);
  });

  test('keeps no answer that means nothing', async () => {
    const backend = await startBackend(status(500));
    const { outcome } = checkOf(backend, brainlife);
    expect(await outcome(questionOf('p'))).toBe(false);
    backend.answerWith(status(200, '{"status":"ok"}'));
    expect(await outcome(questionOf('p'))).toBe(true);
  });
});

describe('many who ask', () => {
  test('the same share one request, which none of them can end', async () => {
    const waiting: ServerResponse[] = [];
    const backend = await startBackend((response) => waiting.push(response));
    const { outcome, outcomes } = checkOf(backend);
    const controller = new AbortController();
    const impatient = outcome(questionOf('p'), controller.signal);
    const patient = [outcome(questionOf('p')), outcome(questionOf('p'))];
    await eventually(() => expect(waiting).toHaveLength(1));
    controller.abort();
    expect(await impatient).toContain('it did not answer in time');
    waiting[0]?.end();
    expect(await Promise.all(patient)).toEqual([true, true]);
    expect(backend.asked).toHaveLength(1);
    expect(outcomes()).toEqual(['allow']);
  });

  test('and go before it is their turn are not asked about, unless somebody asks anew', async () => {
    const waiting: ServerResponse[] = [];
    const backend = await startBackend((response) => waiting.push(response));
    const { outcome, outcomes } = checkOf(backend, { concurrencyMax: 1, waitingMax: 1000, failuresMax: 2 });
    const gone = new AbortController();
    const first = outcome(questionOf('first'));
    const left = Array.from({ length: 500 }, (_, index) => outcome(questionOf(`left-${index}`), gone.signal));
    const again = outcome(questionOf('again'), gone.signal);
    const last = outcome(questionOf('last'));
    await eventually(() => expect(waiting).toHaveLength(1));
    gone.abort();
    for (const each of [...left, again]) expect(await each).toContain('it did not answer in time');
    const anew = outcome(questionOf('again'));
    for (const [index, each] of [first, anew, last].entries()) {
      await eventually(() => expect(waiting).toHaveLength(index + 1));
      waiting[index]?.end();
      expect(await each).toBe(true);
    }
    expect(backend.asked.map(({ url }) => url.split('/').at(-1))).toEqual(['first', 'again', 'last']);
    expect(outcomes()).toEqual(['allow', 'allow', 'allow']);
  });

  test('different things make at most `concurrencyMax` requests; beyond `waitingMax` there is no telling', async () => {
    const waiting: ServerResponse[] = [];
    const backend = await startBackend((response) => waiting.push(response));
    const { outcome } = checkOf(backend, { concurrencyMax: 2, waitingMax: 1 });
    const answers = ['a', 'b', 'c', 'd'].map((project) => outcome(questionOf(project)));
    expect(await answers[3]).toContain('too many requests wait for it');
    await eventually(() => expect(waiting).toHaveLength(2));
    for (const response of waiting.splice(0)) response.end();
    await eventually(() => expect(waiting).toHaveLength(1));
    for (const response of waiting) response.end();
    expect(await Promise.all(answers.slice(0, 3))).toEqual([true, true, true]);
  });
});

describe('a back-end that fails', () => {
  test('is left alone after some failures in a row, then asked once, then by everybody again', async () => {
    const backend = await startBackend(status(500));
    const { outcome, outcomes } = checkOf(backend, { failuresMax: 3, pauseMs: 100 });
    for (let count = 0; count < 3; count += 1) await outcome(questionOf('p'));
    expect(backend.asked).toHaveLength(3);
    for (let count = 0; count < 5; count += 1) {
      expect(await outcome(questionOf('p'))).toContain('it failed too often, so it is left alone for a while');
    }
    expect(backend.asked).toHaveLength(3);
    expect(outcomes()).toEqual([...Array(3).fill('failed'), ...Array(5).fill('open-circuit')]);
    backend.answerWith(status(200));
    await eventually(async () => expect(await outcome(questionOf('p'))).toBe(true));
    expect(backend.asked).toHaveLength(4);
    expect(await outcome(questionOf('q'))).toBe(true);
  });

  test.each([400, 302, 409, 422])('that has no word for one question (%i) is asked the others', async (code) => {
    const backend = await startBackend((response, request) =>
      status(request.url?.endsWith('/odd') ? code : 200)(response, request),
    );
    const { outcome, outcomes } = checkOf(backend, { failuresMax: 2, pauseMs: 60_000, cacheMs: 0 });
    for (let count = 0; count < 5; count += 1) expect(await outcome(questionOf('odd'))).toContain('neither yes nor no');
    expect(await outcome(questionOf('p'))).toBe(true);
    expect(outcomes()).toEqual([...Array(5).fill('failed'), 'allow']);
  });

  test.each([
    [400, 1000],
    [429, 1000],
    [500, 1000],
    [503, undefined],
  ])('and answers %i is not asked the same at once: %s ms', async (code, retryAfterMs) => {
    const { check } = checkOf(await startBackend(status(code)));
    await expect(check.check(questionOf('p'), open)).rejects.toMatchObject({ retryAfterMs });
  });

  test('a no is no failure, and neither is a question that nobody put', async () => {
    const backend = await startBackend(status(403));
    const { outcome } = checkOf(backend, { failuresMax: 1, cacheMs: 0 });
    for (let count = 0; count < 3; count += 1) expect(await outcome(questionOf('p'))).toBe(false);
    expect(await outcome(questionOf(undefined))).toBe(false);
    expect(backend.asked).toHaveLength(3);
  });

  test('`otherwise: deny` means no while nobody is asked, too', async () => {
    const backend = await startBackend(status(500));
    const { outcome } = checkOf(backend, { ...brainlife, failuresMax: 1, pauseMs: 60_000 });
    expect(await outcome(questionOf('p'))).toBe(false);
    expect(await outcome(questionOf('p'))).toBe(false);
    expect(backend.asked).toHaveLength(1);
  });
});

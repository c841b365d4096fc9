import { describe, expect, test } from 'vitest';
import { type Answer, brainlife, checkOf, questionOf, startBackend, status, token } from './access-fixture.ts';

describe('an HTTP check', () => {
  test('brainlife 8.9: relays the token to the URL of the variable', async () => {
    const backend = await startBackend(status(200, '{"status":"ok"}'));
    const { outcome, outcomes } = checkOf(backend, { ...brainlife, headers: { 'x-caller': 'edgeward' } });
    expect(await outcome(questionOf('a/b c'))).toBe(true);
    expect(backend.asked).toMatchObject([
      {
        url: '/event/checkaccess/project/a%2Fb%20c',
        headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'x-caller': 'edgeward' },
      },
    ]);
    expect(outcomes()).toEqual(['allow']);
  });

  test.each<[string, Answer, boolean]>([
    ['ok with status 200', status(200, '{"status":"ok","admin":true}'), true],
    ['ok with status 500', status(500, '{"status":"ok"}'), true],
    ['another word', status(200, '{"status":"no"}'), false],
    ['a body that is not JSON', status(401, 'no such instance or you don’t have access to it'), false],
    ['an error', status(500, '{"message":"UnauthorizedError"}'), false],
    ['JSON that is null', status(200, 'null'), false],
    ['JSON that is a list', status(200, '["ok"]'), false],
    ['nothing', status(204), false],
    ['a cut', (response) => response.destroy(), false],
  ])('brainlife 8.9: %s', async (_, answer, expected) => {
    const backend = await startBackend(answer);
    const { outcome } = checkOf(backend, brainlife);
    expect(await outcome(questionOf('p'))).toBe(expected);
  });

  test('brainlife 8.9: a back-end that is away means no', async () => {
    const backend = await startBackend(status(200));
    await backend.stop();
    const { outcome, outcomes } = checkOf(backend, brainlife);
    expect(await outcome(questionOf('p'))).toBe(false);
    expect(outcomes()).toEqual(['failed']);
  });

  test.each<[Answer, boolean | string]>([
    [status(200), true],
    [status(401), false],
    [status(403), false],
    [status(404), false],
    [status(500), 'the check "warehouse" has no answer: its answer with status 500 means neither yes nor no'],
    [status(302), 'its answer with status 302 means neither yes nor no'],
    [(response) => response.destroy(), 'the answer of "warehouse" cannot be had: UND_ERR_SOCKET'],
    [status(200, 'x'.repeat(70_000)), 'the answer has more than 65536 bytes'],
  ])('by default, answer %#: %j', async (answer, expected) => {
    const backend = await startBackend(answer);
    const { outcome } = checkOf(backend);
    const got = await outcome(questionOf('p'));
    if (typeof expected === 'boolean') expect(got).toBe(expected);
    else expect(got).toContain(expected);
  });

  test('says no without asking when a variable or the token is absent', async () => {
    const backend = await startBackend(status(200));
    const { outcome, outcomes } = checkOf(backend);
    for (const project of [undefined, '', ['a', 'b'], '.', '..'])
      expect(await outcome(questionOf(project))).toBe(false);
    expect(await outcome(questionOf('p', { tokens: new Map() }))).toBe(false);
    expect(backend.asked).toEqual([]);
    expect(outcomes()).toEqual(Array.from({ length: 6 }, () => 'deny'));
  });

  test('never follows a redirect, so that the token goes nowhere else', async () => {
    const elsewhere = await startBackend(status(200));
    const backend = await startBackend((response) =>
      response.writeHead(307, { location: `${elsewhere.origin}/` }).end(),
    );
    const { outcome } = checkOf(backend);
    expect(await outcome(questionOf('p'))).toContain('means neither yes nor no');
    expect(elsewhere.asked).toEqual([]);
  });

  test('fails at its time limit, in the middle of the body too', async () => {
    const backend = await startBackend((response) => response.writeHead(200).write('{'));
    const { outcome } = checkOf(backend, { timeoutMs: 50 });
    expect(await outcome(questionOf('p'))).toContain('no answer within 50 ms');
  });

  test('puts its question again when a kept-alive connection turns out to be closed', async () => {
    const backend = await startBackend((response) => response.destroy());
    const { outcome } = checkOf(backend);
    backend.answerWith((response) => {
      backend.answerWith(status(200));
      response.destroy();
    });
    expect(await outcome(questionOf('p'))).toBe(true);
    expect(backend.asked).toHaveLength(2);
  });

  test('nothing of the token or the variables is observed or thrown', async () => {
    const backend = await startBackend(status(500, token));
    const { outcome, observer } = checkOf(backend);
    const message = await outcome(questionOf('hunter2'));
    await backend.stop();
    const away = await outcome(questionOf('hunter2'));
    const told = JSON.stringify([
      message,
      away,
      observer.observations.map((each) => ('error' in each ? [each.kind, String(each.error)] : each)),
    ]);
    expect(told).not.toContain('hunter2');
    expect(told).not.toContain('eyJ');
  });
});

describe('a check with a list', () => {
  const list = { list: 'body.roles' };

  test.each<[Answer, readonly string[] | string]>([
    [status(200, '{"roles":["a","b"]}'), ['a', 'b']],
    [status(200, '{"roles":[]}'), []],
    [status(401), []],
    [status(403, '{"roles":["a"]}'), []],
    [status(404), []],
    [status(200, '{"roles":[1]}'), 'what `list` makes is no list of text'],
    [status(200, '{"roles":"a"}'), 'what `list` makes is no list of text'],
    [status(200, '{"roles":{"a":true}}'), 'what `list` makes is no list of text'],
    [status(200, '{}'), 'what it reads is absent'],
    [status(200, 'no JSON'), 'has no answer'],
    [status(500, '{"roles":["a"]}'), 'means neither yes nor no'],
  ])('answers with it, or with nothing, or cannot tell', async (answer, expected) => {
    const { outcome } = checkOf(await startBackend(answer), list);
    const answered = await outcome(questionOf('p'));
    if (typeof expected === 'string') expect(answered).toContain(expected);
    else expect(answered).toEqual(expected);
  });

  test('is asked once in the time that an answer counts, for each token and question', async () => {
    const backend = await startBackend(status(200, '{"roles":["a"]}'));
    const { outcome, clock } = checkOf(backend, { ...list, cacheMs: 60_000 });
    for (let count = 0; count < 3; count += 1) expect(await outcome(questionOf('p'))).toEqual(['a']);
    await outcome(questionOf('q'));
    expect(backend.asked).toHaveLength(2);
    clock.advance(60_001);
    await outcome(questionOf('p'));
    expect(backend.asked).toHaveLength(3);
  });

  test('without a token to relay is empty, and nobody is asked', async () => {
    const backend = await startBackend(status(200, '{"roles":["a"]}'));
    const { outcome } = checkOf(backend, list);
    expect(await outcome({ ...questionOf('p'), tokens: new Map() })).toEqual([]);
    expect(backend.asked).toEqual([]);
  });
});

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type BindingDependencies, createBindAdmission } from '../../../src/application/bind-topic.ts';
import { Fault } from '../../../src/application/fault.ts';
import type { TopicBindings } from '../../../src/application/topic-bindings.ts';
import { createAccessPolicy } from '../../../src/domain/access-policy.ts';
import type { PatternId } from '../../../src/domain/stream-index.ts';
import { allowed, refused } from '../../../src/domain/verdict.ts';
import { allowedValue, credentialOf, patternOf, principalOf } from '../../support/domain-fixtures.ts';
import { fakeCheck } from '../../support/fake-ports.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const token = credentialOf('brainlife', { user: 'u1', instance: 'forged' }, { expiresAt: 9000 });
const session = {
  connection: 'c1',
  principal: principalOf(token),
  variables: new Map([['connection', 'c1']]),
  tokens: new Map([['brainlife', 'secret-token']]),
};
const access = allowedValue(
  createAccessPolicy({
    connect: { checks: [] },
    publish: { checks: [] },
    rooms: [],
    roomsPerConnectionMax: 1,
    credentialNames: ['brainlife'],
    streams: [
      {
        stream: patternOf('wf.task'),
        keyParts: ['instance'],
        rule: { checks: ['instance'] },
        narrowing: [],
        withoutTenant: false,
      },
    ],
  }),
);
const binding = { pattern: 7 as PatternId, release: () => undefined };

function admissionOf(given: Partial<BindingDependencies> = {}, bind?: TopicBindings['bind']) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const gone = new AbortController();
  const check = fakeCheck('instance', true);
  const admission = createBindAdmission({
    endpoint: 'relay',
    access,
    checks: new Map([['instance', check]]),
    bindings: { bind: bind ?? (async () => allowed(binding)) },
    clock,
    random: () => 0,
    holdMsMax: 3000,
    observer,
    ...given,
  });
  const ask = (stream = 'wf.task', key = 'i1.#') => admission.bind(session, { stream, key }, gone.signal);
  return { ask, clock, observer, gone, check };
}

test('a bind that is granted is observed, without its key', async () => {
  const { ask, observer, check, clock } = admissionOf();
  expect(await ask()).toEqual({ kind: 'bound', ...binding });
  expect(observer.observations).toEqual([
    { kind: 'topic-bound', endpoint: 'relay', connection: 'c1', stream: 'wf.task' },
  ]);
  // What the key says of itself stands above a token's variable of that name: the check is about the key.
  expect(check.questions).toEqual([
    {
      variables: new Map([
        ['connection', 'c1'],
        ['user', 'u1'],
        ['instance', 'i1'],
        ['stream', 'wf.task'],
        ['key', 'i1.#'],
      ]),
      tokens: session.tokens,
      expiresAt: 9000,
    },
  ]);
  expect(clock.pending).toBe(0);
});

describe('denied', () => {
  test.each([
    ['other', 'a', 'stream_unknown'],
    ['wf.task', '', 'bind_invalid'],
    ['wf.task', 'i1', 'bind_denied'],
  ])('%s "%s": %s', async (stream, key, code) => {
    const { ask, observer, check } = admissionOf();
    check.answer = false;
    expect(await ask(stream, key)).toMatchObject({ kind: 'denied', denial: { code } });
    expect(observer.observations).toMatchObject([{ kind: 'access-denied', endpoint: 'relay', connection: 'c1', code }]);
    expect(JSON.stringify(observer.observations)).not.toContain('secret');
  });

  test('by the broker', async () => {
    const denial = { code: 'stream_unknown', reason: 'there is no exchange' } as const;
    const { ask, observer } = admissionOf({}, async () => refused(denial));
    expect(await ask()).toEqual({ kind: 'denied', denial });
    expect(observer.of('access-denied')).toHaveLength(1);
  });
});

test('while a check is away a client is held, then told to come back', async () => {
  const { ask, clock, check, observer } = admissionOf();
  check.answer = 'away';
  const asked = ask();
  await turn();
  clock.advance(3000);
  expect(await asked).toEqual({ kind: 'try-later', retryAfterMs: 1000 });
  expect(observer.of('access-unknown')).toHaveLength(1);
});

describe('a broker that cannot bind now', () => {
  const away = new Fault('test_away', 'retry', 'the channel was closed');

  test('is asked again, with a longer delay each time, for as long as the client is there', async () => {
    let tries = 0;
    const { ask, clock } = admissionOf({}, async () => {
      tries += 1;
      if (tries < 4) throw away;
      return allowed(binding);
    });
    const asked = ask();
    for (const delayMs of [100, 200, 400]) {
      await turn();
      clock.advance(delayMs - 1);
      await turn();
      const before = tries;
      clock.advance(1);
      await turn();
      expect(tries).toBe(before + 1);
    }
    expect(await asked).toEqual({ kind: 'bound', ...binding });
  });

  test('is not, when the client has gone', async () => {
    let tries = 0;
    const { ask, gone, clock, observer } = admissionOf({}, async () => {
      tries += 1;
      throw away;
    });
    const asked = ask();
    await turn();
    gone.abort();
    await asked;
    expect([tries, clock.pending, observer.observations.length]).toEqual([1, 0, 0]);
  });

  test('and never will, is an answer at once', async () => {
    const stop = new Fault('test_stop', 'stop', 'it is closing');
    const { ask, observer } = admissionOf({}, async () => Promise.reject(stop));
    expect(await ask()).toMatchObject({ kind: 'try-later' });
    expect(observer.of('access-unknown')).toMatchObject([{ error: stop }]);
  });
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/application/fault.ts';
import type { DeliveryChannel, DeliveryTarget } from '../../../src/application/ports/delivery-channel.ts';
import { createRelayEvent, type RelayBindings, type RelayDependencies } from '../../../src/application/relay-event.ts';
import type { Event } from '../../../src/domain/event.ts';
import type { PatternId } from '../../../src/domain/stream-index.ts';
import { eventOf, isolationOf, routingOf, ruleOf, templatesOf } from '../../support/domain-fixtures.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const broken = new Error('the channel is broken');
const raise = (error: Error): never => {
  throw error;
};

/** Takes what it is given, or throws as long as `failures` last. */
function channelOf(name: string, failures = 0, count = { queued: 1, dropped: 0 }) {
  const delivered: { event: Event; target: DeliveryTarget }[] = [];
  let left = failures;
  let tries = 0;
  const channel: DeliveryChannel = {
    name,
    deliver(event, target) {
      tries += 1;
      left -= 1;
      if (left >= 0) throw broken;
      delivered.push({ event, target });
      return count;
    },
  };
  return { channel, delivered, tries: () => tries };
}

const nothingBound: RelayBindings = { match: () => [], isBindable: () => false };
const routing = routingOf([ruleOf({ name: 'users', templates: templatesOf('users/{user}', 'all') })]);

function relayOf(given: Partial<RelayDependencies>, ...channels: readonly { readonly channel: DeliveryChannel }[]) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const stopping = new AbortController();
  const handle = createRelayEvent({
    source: 'memory',
    leaseMs: Number.POSITIVE_INFINITY,
    routing,
    bindings: nothingBound,
    channels: channels.map(({ channel }) => channel),
    policy: { unroutable: 'accept', attemptsMax: 4, backOff: { delayMsMin: 100, delayMsMax: 1000 } },
    clock,
    observer,
    random: () => 1,
    stopping: stopping.signal,
    ...given,
  });
  const advance = async (byMs: number) => {
    await nextTurn();
    clock.advance(byMs);
    await nextTurn();
  };
  return { clock, observer, stopping, handle, advance };
}

const event = eventOf(
  { user: 'secret-user' },
  { stream: 'orders', payload: new TextEncoder().encode('secret-payload') },
);
const message = { event, attempt: 3 };
const rooms = ['users/secret-user'];
const rules = [{ rule: 'users', kind: 'contributed', templates: ['users/{user}'] }];

describe('delivery', () => {
  test('every channel is tried, in order, with the same event and rooms, and all of it is observed', async () => {
    const one = channelOf('one', 0, { queued: 2, dropped: 1 });
    const two = channelOf('two', 0, { queued: 0, dropped: 0 });
    const three = channelOf('three', 0, { queued: 5, dropped: 3 });
    const { handle, observer, clock } = relayOf({}, one, two, three);
    expect(await handle(message)).toEqual({ kind: 'accept' });
    for (const { delivered } of [one, two, three]) {
      expect(delivered).toEqual([{ event, target: { rooms, patterns: [] } }]);
      expect(delivered[0]?.event).toBe(event);
    }
    expect(observer.observations).toStrictEqual([
      { kind: 'event-taken', source: 'memory', stream: 'orders', eventId: 'event-1' },
      { kind: 'event-delivered', endpoint: 'one', eventId: 'event-1', queued: 2, dropped: 1 },
      { kind: 'event-delivered', endpoint: 'two', eventId: 'event-1', queued: 0, dropped: 0 },
      { kind: 'event-delivered', endpoint: 'three', eventId: 'event-1', queued: 5, dropped: 3 },
      {
        kind: 'event-routed',
        source: 'memory',
        stream: 'orders',
        eventId: 'event-1',
        rooms: 1,
        patterns: 0,
        queued: 7,
        dropped: 4,
        rules,
      },
      { kind: 'message-settled', source: 'memory', eventId: 'event-1', settlement: 'accept', attempt: 3 },
    ]);
    expect(clock.pending).toBe(0);
  });

  test('hiiretail 8.21: with nobody there, and with no channel at all, it is accepted', async () => {
    const nobody = channelOf('nobody', 0, { queued: 0, dropped: 0 });
    expect(await relayOf({}, nobody).handle(message)).toEqual({ kind: 'accept' });
    const { handle, observer } = relayOf({});
    expect(await handle(message)).toEqual({ kind: 'accept' });
    expect(observer.of('event-routed')).toMatchObject([{ queued: 0, dropped: 0, rooms: 1 }]);
  });

  test.each([[[1, 0, 0]], [[0, 1, 0]], [[0, 0, 1]], [[1, 1, 0]], [[0, 1, 1]]])(
    'a channel that throws keeps no other from delivering, and nothing is tried again (%o)',
    async (failures) => {
      const channels = failures.map((count, index) => channelOf(`${index}`, count));
      const { handle, observer } = relayOf({}, ...channels);
      expect(await handle(message)).toEqual({ kind: 'accept' });
      expect(channels.map(({ tries }) => tries())).toEqual([1, 1, 1]);
      const failing = failures.flatMap((count, index) => (count > 0 ? [`${index}`] : []));
      expect(observer.of('endpoint-failed')).toEqual(
        failing.map((endpoint) => ({ kind: 'endpoint-failed', endpoint, eventId: 'event-1', error: broken })),
      );
      expect(observer.of('event-routed')).toMatchObject([{ queued: 3 - failing.length }]);
    },
  );
});

describe('when all channels fail', () => {
  test('they are all tried again after growing delays, until one takes it', async () => {
    const one = channelOf('one', 2);
    const two = channelOf('two', 3);
    const { handle, advance, observer, clock } = relayOf({}, one, two);
    const settled = handle(message);
    await advance(99);
    expect([one.tries(), two.tries()]).toEqual([1, 1]);
    await advance(1);
    expect([one.tries(), two.tries()]).toEqual([2, 2]);
    await advance(199);
    expect([one.tries(), two.tries()]).toEqual([2, 2]);
    expect(observer.of('event-routed')).toEqual([]);
    await advance(1);
    expect(await settled).toEqual({ kind: 'accept' });
    expect([one.delivered.length, two.delivered.length]).toEqual([1, 0]);
    expect(observer.of('endpoint-failed')).toHaveLength(5);
    expect(observer.of('event-routed')).toHaveLength(1);
    expect(observer.of('message-settled')).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('after attemptsMax tries it is dead-lettered, and it is said why', async () => {
    const one = channelOf('one', 9);
    const { handle, advance, observer, clock } = relayOf({}, one);
    const settled = handle(message);
    for (const delayMs of [100, 200, 400]) await advance(delayMs);
    const cause = 'no endpoint took the event in 4 attempts';
    expect(await settled).toEqual({ kind: 'dead-letter', cause });
    expect(one.tries()).toBe(4);
    expect(clock.pending).toBe(0);
    expect(observer.observations.at(-1)).toEqual({
      kind: 'message-settled',
      source: 'memory',
      eventId: 'event-1',
      settlement: 'dead-letter',
      attempt: 3,
      cause,
    });
  });

  test('an event that every channel says it can never deliver is dead-lettered at once', async () => {
    const refusing = (name: string, ...errors: readonly Error[]): { readonly channel: DeliveryChannel } => {
      const left = [...errors];
      return { channel: { name, deliver: () => raise(left.shift() ?? broken) } };
    };
    const never = new Fault('event_name_reserved', 'dead-letter', 'no client can be sent it');
    const relay = relayOf({}, refusing('one', never), refusing('two', never));
    expect(await relay.handle(message)).toEqual({
      kind: 'dead-letter',
      cause: 'no endpoint can ever deliver the event',
    });
    expect(relay.clock.pending).toBe(0);

    // One that may yet deliver it is worth another try.
    const mixed = relayOf({}, refusing('one', never), refusing('two', broken));
    const settlement = mixed.handle(message);
    await nextTurn();
    expect(mixed.clock.pending).toBe(1);
    mixed.stopping.abort();
    expect(await settlement).toMatchObject({ kind: 'retry' });
  });

  test('with attemptsMax 1 there is one try', async () => {
    const one = channelOf('one', 9);
    const policy = { unroutable: 'accept', attemptsMax: 1, backOff: { delayMsMin: 100, delayMsMax: 100 } } as const;
    expect(await relayOf({ policy }, one).handle(message)).toMatchObject({ kind: 'dead-letter' });
    expect(one.tries()).toBe(1);
  });

  test.each([
    [375, 2],
    [374, 1],
    [124, 0],
    [125, 1],
  ])('within a lease of %i ms there is time for %i delays of 100 and 200 ms', async (leaseMs, delays) => {
    const one = channelOf('one', 9);
    const { handle, advance, clock } = relayOf({ leaseMs }, one);
    const settled = handle(message);
    for (const delayMs of [100, 200].slice(0, delays)) await advance(delayMs);
    expect(await settled).toEqual({ kind: 'retry', cause: 'no endpoint took the event within the lease' });
    expect(one.tries()).toBe(delays + 1);
    expect(clock.pending).toBe(0);
  });

  test('what waits is given back at once when the process stops', async () => {
    const one = channelOf('one', 9);
    const { handle, stopping, observer, clock } = relayOf({}, one);
    const settled = handle(message);
    await nextTurn();
    expect(clock.pending).toBe(1);
    stopping.abort();
    expect(await settled).toEqual({ kind: 'retry', cause: 'the process stops' });
    expect(one.tries()).toBe(1);
    expect(clock.pending).toBe(0);
    expect(observer.of('message-settled')).toMatchObject([{ settlement: 'retry', cause: 'the process stops' }]);
  });

  test('while the process stops, what can be delivered still is', async () => {
    const [failing, one] = [channelOf('failing', 9), channelOf('one')];
    const stopped = AbortSignal.abort();
    expect(await relayOf({ stopping: stopped }, one).handle(message)).toEqual({ kind: 'accept' });
    expect(await relayOf({ stopping: stopped }, failing).handle(message)).toMatchObject({ kind: 'retry' });
    expect(failing.tries()).toBe(1);
  });
});

describe('what clients have bound', () => {
  const patterns = [3, 4] as unknown as readonly PatternId[];
  const bound: RelayBindings = { match: () => patterns, isBindable: (stream) => stream === 'orders' };
  const noRule = routingOf([]);
  const noTemplate = routingOf([ruleOf({ templates: templatesOf('sites/{site}') })]);
  const policy = { unroutable: 'dead-letter', attemptsMax: 1, backOff: { delayMsMin: 1, delayMsMax: 1 } } as const;

  test('is delivered beside the rooms', async () => {
    const one = channelOf('one', 0, { queued: 3, dropped: 0 });
    const { handle, observer } = relayOf({ bindings: bound }, one);
    expect(await handle(message)).toEqual({ kind: 'accept' });
    expect(one.delivered).toEqual([{ event, target: { rooms, patterns } }]);
    expect(observer.of('event-routed')).toMatchObject([{ rooms: 1, patterns: 2, queued: 3 }]);
  });

  test.each([
    ['no rule', noRule],
    ['no complete template', noTemplate],
  ])('stands in for %s', async (_, table) => {
    const one = channelOf('one');
    const { handle, observer } = relayOf({ bindings: bound, routing: table, policy }, one);
    expect(await handle(message)).toEqual({ kind: 'accept' });
    expect(one.delivered).toEqual([{ event, target: { rooms: [], patterns } }]);
    expect(observer.of('event-unroutable')).toEqual([]);
  });

  test('or nothing at all: an event that clients may bind and nobody has is no mistake', async () => {
    const nobody = { ...bound, match: () => [] };
    const { handle, observer } = relayOf({ bindings: nobody, routing: noRule, policy }, channelOf('one'));
    expect(await handle(message)).toEqual({ kind: 'accept' });
    expect(observer.of('event-routed')).toMatchObject([{ rooms: 0, patterns: 0 }]);
    expect(observer.of('event-unroutable')).toEqual([]);
  });

  test('another stream is as unroutable as ever', async () => {
    const one = channelOf('one');
    const { handle } = relayOf({ bindings: bound, routing: noRule, policy }, one);
    expect(await handle({ event: eventOf({}, { stream: 'other' }), attempt: 1 })).toMatchObject({
      kind: 'dead-letter',
    });
    expect(one.tries()).toBe(0);
  });

  test('does not get what the rules withhold from everybody', async () => {
    const narrowing = routingOf([ruleOf({ templates: templatesOf('{user}/{site}', 'all'), narrowing: ['user'] })]);
    const one = channelOf('one');
    const { handle, observer } = relayOf({ bindings: bound, routing: narrowing, policy }, one);
    expect(await handle(message)).toMatchObject({ kind: 'dead-letter' });
    expect(observer.of('event-unroutable')).toMatchObject([{ cause: 'narrowing' }]);
    expect(one.tries()).toBe(0);
  });
});

describe('an event that leads nowhere', () => {
  const nowhere = routingOf([ruleOf({ name: 'sites', templates: templatesOf('sites/{site}') })]);
  const skipped = [{ rule: 'sites', kind: 'skipped', reason: '"sites/{site}" lacks {site}', error: false }];
  const policyOf = (unroutable: 'accept' | 'dead-letter') => ({
    unroutable,
    attemptsMax: 4,
    backOff: { delayMsMin: 100, delayMsMax: 100 },
  });

  test('is accepted and counted where the config says so; no channel sees it', async () => {
    const one = channelOf('one');
    const { handle, observer } = relayOf({ routing: nowhere, policy: policyOf('accept') }, one);
    expect(await handle(message)).toEqual({ kind: 'accept' });
    expect(one.tries()).toBe(0);
    expect(observer.observations).toStrictEqual([
      { kind: 'event-taken', source: 'memory', stream: 'orders', eventId: 'event-1' },
      {
        kind: 'event-unroutable',
        source: 'memory',
        stream: 'orders',
        eventId: 'event-1',
        cause: 'no_template',
        reason: 'sites: "sites/{site}" lacks {site}',
        rules: skipped,
      },
      { kind: 'message-settled', source: 'memory', eventId: 'event-1', settlement: 'accept', attempt: 3 },
    ]);
  });

  test('is dead-lettered where the config says so', async () => {
    const { handle, observer } = relayOf({ routing: nowhere, policy: policyOf('dead-letter') }, channelOf('one'));
    const cause = 'unroutable (no_template): sites: "sites/{site}" lacks {site}';
    expect(await handle(message)).toEqual({ kind: 'dead-letter', cause });
    expect(observer.of('message-settled')).toMatchObject([{ settlement: 'dead-letter', cause }]);
  });
});

describe('no observation and no settlement ever holds a payload or the value of an attribute', () => {
  const isolation = isolationOf('user', 'user', 'users/{}');
  const disagreeing = [
    ruleOf({ templates: templatesOf('users/{user}') }),
    ruleOf({ keyParts: ['user'], templates: templatesOf('users/{user}') }),
  ];
  const tooMany = ruleOf({ lists: new Map([['list', ',']]), templates: templatesOf('all/{list}') });
  const list = Array.from({ length: 10_001 }, (_, index) => `secret${index}`).join(',');

  test.each([
    ['routed', [routing]],
    ['no_rule', [routingOf([])]],
    ['no_template', [routingOf([ruleOf({ templates: templatesOf('sites/{site}') })])]],
    ['narrowing', [routingOf([ruleOf({ templates: templatesOf('{user}/{site}', 'all'), narrowing: ['user'] })])]],
    ['isolation', [routingOf(disagreeing, isolation)]],
    ['rooms_too_many', [routingOf([tooMany])]],
  ])('%s', async (result, [table]) => {
    const given = eventOf({ user: 'secret-user', list }, { key: 'other', payload: event.payload });
    const failing = channelOf('failing', 1);
    for (const unroutable of ['accept', 'dead-letter'] as const) {
      const policy = { unroutable, attemptsMax: 1, backOff: { delayMsMin: 1, delayMsMax: 1 } };
      const { handle, observer } = relayOf({ routing: table ?? routing, policy }, failing, channelOf('one'));
      const settlement = await handle({ event: given, attempt: 1 });
      expect(observer.of('event-unroutable').map(({ cause }) => cause)).toEqual(result === 'routed' ? [] : [result]);
      expect(JSON.stringify([settlement, ...observer.observations])).not.toContain('secret');
    }
  });
});

test('answers in the same call unless there is another try to be waited for', async () => {
  const event = eventOf({ user: '7' });
  const at = relayOf({}, channelOf('one'));
  expect(at.handle({ event, attempt: 1 })).toEqual({ kind: 'accept' });
  expect(at.observer.observations.map(({ kind }) => kind).at(-1)).toBe('message-settled');
  const later = relayOf({}, channelOf('broken', 1));
  const answer = later.handle({ event, attempt: 1 });
  expect(answer).toBeInstanceOf(Promise);
  await later.advance(1000);
  await expect(answer).resolves.toEqual({ kind: 'accept' });
});

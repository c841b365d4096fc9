import { describe, expect, test } from 'vitest';
import { pubsubSettings } from '../../../src/adapters/inbound/pubsub/pubsub-settings.ts';
import { fullName, parseSubscriptionName, parseTopicName } from '../../../src/adapters/inbound/pubsub/resource-name.ts';
import { subscriberOptions, subscribersOf } from '../../../src/adapters/inbound/pubsub/subscriber-options.ts';

const given = { project: 'shop-1', subscriptions: ['orders.v1:orders'], onDeadLetter: 'discard' };

const issuesOf = (settings: object): readonly string[] =>
  pubsubSettings
    .safeParse({ ...given, ...settings })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('names', () => {
  test.each([
    ['orders', { id: 'orders' }],
    ['che.public.event.session-changed.v1+iam~a_b%c', { id: 'che.public.event.session-changed.v1+iam~a_b%c' }],
    ['orders.v1:orders', { id: 'orders', topic: { id: 'orders.v1' } }],
    ['projects/other/subscriptions/orders', { id: 'orders', project: 'other' }],
    [
      'projects/other/topics/orders.v1:projects/shop-1/subscriptions/orders',
      { id: 'orders', project: 'shop-1', topic: { id: 'orders.v1', project: 'other' } },
    ],
  ])('subscription %s', (text, value) => {
    expect(parseSubscriptionName(text)).toEqual({ ok: true, value });
  });

  test.each([
    ['', 'must be 3 to 255 letters'],
    ['ab', 'must be 3 to 255 letters'],
    ['1orders', 'begin with a letter'],
    ['google-orders', 'not with `goog`'],
    [`o${'x'.repeat(255)}`, 'must be 3 to 255 letters'],
    ['orders v1', 'must be 3 to 255 letters'],
    ['a:b:c', 'must be subscription or topic:subscription'],
    ['ab:orders', 'topic must be 3 to 255 letters'],
    ['projects/other/topics/orders', 'projects/PROJECT/subscriptions/ID'],
    ['projects/subscriptions/orders', 'projects/PROJECT/subscriptions/ID'],
    ['projects/other/subscriptions/', 'must be 3 to 255 letters'],
  ])('no subscription: %j', (text, reason) => {
    expect(parseSubscriptionName(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  test('in full, of the own project unless they say another', () => {
    expect(fullName('topics', { id: 'orders.v1' }, 'shop-1')).toBe('projects/shop-1/topics/orders.v1');
    expect(fullName('subscriptions', { id: 'orders', project: 'other' }, 'shop-1')).toBe(
      'projects/other/subscriptions/orders',
    );
    expect(parseTopicName('projects/other/topics/orders.v1')).toEqual({
      ok: true,
      value: { id: 'orders.v1', project: 'other' },
    });
  });
});

describe('settings', () => {
  test('have their defaults', () => {
    expect(pubsubSettings.parse(given)).toEqual({
      project: 'shop-1',
      subscriptions: ['orders.v1:orders'],
      onDeadLetter: 'discard',
      perInstance: false,
      perInstanceExpiryMs: 86_400_000,
      ordered: false,
      inFlightMax: 1000,
      inFlightBytesMax: 33_554_432,
      streamsPerSubscription: 2,
      leaseMsMax: 600_000,
      whenMissing: 'fail',
      startTimeoutMs: 5000,
      reconnectMsMin: 200,
      reconnectMsMax: 5000,
      publish: { pendingMax: 10_000, pendingBytesMax: 67_108_864, confirmTimeoutMs: 10_000 },
      reopenAfterIdleMs: 600_000,
    });
  });

  test.each([
    [{ onDeadLetter: undefined }, 'onDeadLetter: say where dead letters go (deadLetter), or onDeadLetter: discard'],
    [{ deadLetter: { topic: 'dead' } }, 'onDeadLetter: deadLetter and onDeadLetter: discard contradict each other'],
    [{ emulator: 'localhost:8085', apiEndpoint: 'a.example' }, 'apiEndpoint: contradicts `emulator`'],
    [{ emulator: 'localhost:8085', credentialsFile: 'key.json' }, 'credentialsFile: contradicts `emulator`'],
    [{ emulator: 'http://localhost:8085' }, 'emulator: must be host:port, without a scheme'],
    [{ subscriptions: [] }, 'subscriptions: '],
    [
      { subscriptions: ['orders', 'other.v1:projects/shop-1/subscriptions/orders'] },
      'subscriptions.1: is the subscription of [0], too',
    ],
    [{ subscriptions: ['ok-one', 'x'] }, 'subscriptions.1: must be 3 to 255 letters'],
    [
      { perInstance: true, subscriptions: ['orders'] },
      'subscriptions.0: must be topic:subscription, because perInstance',
    ],
    [
      { perInstance: true, onDeadLetter: undefined, deadLetter: { topic: 'dead', by: 'policy' } },
      'deadLetter.by: must be edgeward with perInstance',
    ],
    [
      { ordered: true, onDeadLetter: undefined, deadLetter: { topic: 'dead', by: 'policy' } },
      'deadLetter.by: must be edgeward with ordered',
    ],
    [
      { onDeadLetter: undefined, deadLetter: { topic: 'dead', by: 'policy', deliveriesMax: 4 } },
      'deadLetter.deliveriesMax: ',
    ],
    [{ reconnectMsMin: 1000, reconnectMsMax: 999 }, 'reconnectMsMax: must not be shorter than `reconnectMsMin`'],
    [{ project: 'Shop 1' }, 'project: must be the id of a Google Cloud project'],
  ])('are refused with a reason: %j', (settings, issue) => {
    expect(issuesOf(settings)).toEqual([expect.stringContaining(issue)]);
  });
});

describe('subscribers', () => {
  const backOff = { delayMsMin: 200, delayMsMax: 2500 };
  const limits = (settings: object) => {
    const parsed = pubsubSettings.parse({ ...given, ...settings });
    const { flowControl, streamingOptions } = subscriberOptions(parsed, backOff);
    return { subscribers: subscribersOf(parsed), streams: streamingOptions?.maxStreams, ...flowControl };
  };

  test.each([
    [{}, { subscribers: 2, maxMessages: 500, maxBytes: 16_777_216 }],
    [
      { streamsPerSubscription: 3, inFlightMax: 10 },
      { subscribers: 3, maxMessages: 4, maxBytes: 11_184_811 },
    ],
    [
      { streamsPerSubscription: 20, inFlightMax: 1 },
      { subscribers: 1, maxMessages: 1, maxBytes: 33_554_432 },
    ],
    [{ ordered: true }, { subscribers: 1, maxMessages: 1000, maxBytes: 33_554_432 }],
    // An emulator keeps to no limit: what it sends is read, so that its lease goes on.
    [
      { emulator: 'localhost:8085', inFlightMax: 4 },
      { subscribers: 2, maxMessages: 10_000, maxBytes: 67_108_864 },
    ],
  ])('share the limits, one stream each: %j', (settings, shares) => {
    expect(limits(settings)).toEqual({ ...shares, streams: 1, allowExcessMessages: true });
  });

  test('wait for what is in hand when they close, for as long as its lease lasts', () => {
    const options = subscriberOptions(pubsubSettings.parse({ ...given, leaseMsMax: 30_000 }), backOff);
    expect(options.closeOptions?.behavior).toBe('WAIT');
    expect(options.closeOptions?.timeout?.milliseconds).toBe(30_000);
    expect(options.maxExtensionTime?.milliseconds).toBe(30_000);
  });
});

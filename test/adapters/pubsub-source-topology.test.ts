import { Subscription } from '@google-cloud/pubsub';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import { handlerProbe } from '../contracts/handler-probe.ts';
import { neverAborts, outcomeOf, textOf } from '../contracts/test-data.ts';
import { eventually } from '../support/eventually.ts';
import { pubsubProject } from '../support/pubsub-broker.ts';
import { consumableFixture, pubsubFixture } from '../support/pubsub-source.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

describeWithPubSub('the subscriptions of a Pub/Sub source', () => {
  test('are any number, and each message says the topic and the subscription that it came by', async () => {
    await using one = await consumableFixture();
    await using two = await consumableFixture();
    // The first with its topic looked up, the other in full.
    const source = one.createSource({
      subscriptions: [one.subscription, `projects/${pubsubProject}/topics/${two.topic}:${two.subscription}`],
    });
    const probe = handlerProbe();
    await source.start(probe.handler);
    await one.publish('from one');
    await two.publish('from two');
    await eventually(() => expect(probe.messages).toHaveLength(2));
    const byText = new Map(probe.messages.map((message) => [textOf(message), message.event]));
    expect(byText.get('from one')).toMatchObject({
      stream: one.topic,
      origin: { source: 'shop', properties: { subscription: one.subscription } },
    });
    expect(byText.get('from two')).toMatchObject({
      stream: two.topic,
      origin: { source: 'shop', properties: { subscription: two.subscription } },
    });
  });

  test('of which one is deleted: the others go on, and it is consumed from as soon as it is there again', async () => {
    await using one = await consumableFixture();
    await using two = await consumableFixture();
    const source = one.createSource({ subscriptions: [one.subscription, two.subscription] });
    const probe = handlerProbe();
    await source.start(probe.handler);
    await one.broker.deleteSubscription(one.subscription);
    await eventually(() => expect(source.state.kind).toBe('waiting'));
    expect(source.state).toHaveProperty('reason', expect.stringContaining(`"${one.subscription}" does not exist`));
    await two.publish('meanwhile');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['meanwhile']));
    await one.broker.createSubscription(one.topic, one.subscription);
    await one.publish('again');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['meanwhile', 'again']));
    await eventually(() => expect(source.state.kind).toBe('consuming'));
    const codes = one.observer.of('source-fault').map(({ error }) => error instanceof Fault && error.code);
    expect(codes).toEqual(['pubsub_missing']);
  });

  test('that are missing are waited for where the config says so', async () => {
    await using fixture = await pubsubFixture();
    const { broker, topic, subscription } = fixture;
    const source = fixture.createSource({ subscriptions: [subscription], whenMissing: 'wait' });
    const probe = handlerProbe();
    await source.start(probe.handler);
    expect(source.state).toEqual({
      kind: 'waiting',
      reason: expect.stringContaining(`"${subscription}" does not exist`),
      isConnected: true,
    });
    await broker.createTopic(topic);
    await broker.createSubscription(topic, subscription);
    await fixture.publish('m0');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0']));
    expect(probe.messages[0]?.event.stream).toBe(topic);
    await eventually(() => expect(source.state.kind).toBe('consuming'));
  });

  test('that are waited for do not keep a drain', async () => {
    await using fixture = await pubsubFixture();
    const source = fixture.createSource({ whenMissing: 'wait' });
    await source.start(handlerProbe().handler);
    expect(await source.drain(neverAborts())).toEqual({ settled: 0, abandoned: 0 });
    expect(source.state.kind).toBe('stopped');
  });

  test.each([
    ['has no message ordering', {}, { ordered: true }],
    ['has no dead letter policy', {}, { deadLetter: { topic: 'dead', by: 'policy' } }],
    [
      `has a dead letter policy with projects/${pubsubProject}/topics/other-dead`,
      {
        deadLetterPolicy: {
          deadLetterTopic: `projects/${pubsubProject}/topics/other-dead`,
          maxDeliveryAttempts: 5,
        },
      },
      { deadLetter: { topic: 'dead-letters', by: 'policy' } },
    ],
    ['pushes its messages', { pushConfig: { pushEndpoint: 'http://127.0.0.1:9/push' } }, {}],
  ])('that do not fit make the start fail: %s', async (reason, made, settings) => {
    await using fixture = await pubsubFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createTopic(topic);
    await broker.createTopic('other-dead').catch(() => {});
    await broker.createSubscription(topic, subscription, made);
    const source = fixture.createSource(settings);
    const outcome = await outcomeOf(source.start(handlerProbe().handler));
    expect(outcome).toHaveProperty('rejected.code', 'pubsub_subscription_unfit');
    expect(outcome).toHaveProperty('rejected.message', expect.stringContaining(`"${subscription}" ${reason}`));
    expect(source.state.kind).toBe('stopped');
  });

  test('that belong to another topic than the config says make the start fail', async () => {
    await using fixture = await consumableFixture();
    const source = fixture.createSource({ subscriptions: [`another-topic:${fixture.subscription}`] });
    const outcome = await outcomeOf(source.start(handlerProbe().handler));
    expect(outcome).toHaveProperty('rejected.message', expect.stringContaining(`/topics/${fixture.topic}, and not to`));
  });
});

/** The emulator knows no permissions. */
describeWithPubSub('a Pub/Sub source that may not look at its subscription', () => {
  const denied = Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7, details: 'no', metadata: new Map() });
  beforeEach(() => {
    vi.spyOn(Subscription.prototype, 'getMetadata').mockImplementation(() => {
      throw denied;
    });
  });
  afterEach(() => void vi.restoreAllMocks());

  test('consumes when the topic is named, and says what it has not looked at', async () => {
    await using fixture = await consumableFixture();
    const source = fixture.createSource();
    const probe = handlerProbe();
    await source.start(probe.handler);
    await fixture.publish('m0');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0']));
    const [told] = fixture.observer.of('source-fault').map(({ error }) => error);
    expect(told).toMatchObject({
      code: 'pubsub_subscription_unchecked',
      message: expect.stringContaining('lack pubsub.subscriptions.get'),
    });
  });

  test('does not start when the topic is not named, and says how to name it', async () => {
    await using fixture = await consumableFixture();
    const source = fixture.createSource({ subscriptions: [fixture.subscription] });
    const outcome = await outcomeOf(source.start(handlerProbe().handler));
    expect(outcome).toHaveProperty('rejected.code', 'pubsub_permission_missing');
    expect(outcome).toHaveProperty('rejected.message', expect.stringContaining('lack pubsub.subscriptions.get'));
    expect(outcome).toHaveProperty('rejected.message', expect.stringContaining(`TOPIC:${fixture.subscription}`));
  });
});

describeWithPubSub('a Pub/Sub source that cannot reach its broker', () => {
  test.each(['cut', 'stall'] as const)('says where that should be, in time (%s)', async (trouble) => {
    await using fixture = await consumableFixture();
    await using proxy = await createTcpProxy(Number(fixture.broker.host.split(':').at(-1)));
    proxy[trouble]();
    const source = fixture.createSource({ emulator: proxy.host, startTimeoutMs: 1000 });
    const begin = performance.now();
    const outcome = await outcomeOf(source.start(handlerProbe().handler));
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(outcome).toHaveProperty('rejected.code', 'pubsub_unreachable');
    expect(outcome).toHaveProperty('rejected.message', expect.stringContaining(proxy.host));
    expect(source.state.kind).toBe('stopped');
  });

  test('starts all the same when it can be reached in time', async () => {
    await using fixture = await consumableFixture();
    await using proxy = await createTcpProxy(Number(fixture.broker.host.split(':').at(-1)));
    proxy.cut();
    const source = fixture.createSource({ emulator: proxy.host });
    const start = source.start(handlerProbe().handler);
    await eventually(() => expect(source.state.kind).toBe('starting'));
    proxy.restore();
    await start;
    expect(source.state.kind).toBe('consuming');
  });

  test('can be drained while it starts', async () => {
    await using fixture = await consumableFixture();
    await using proxy = await createTcpProxy(Number(fixture.broker.host.split(':').at(-1)));
    proxy.cut();
    const source = fixture.createSource({ emulator: proxy.host });
    const started = outcomeOf(source.start(handlerProbe().handler));
    expect(await source.drain(neverAborts())).toEqual({ settled: 0, abandoned: 0 });
    expect(await started).toEqual({ rejected: expect.any(Fault) });
    expect(source.state.kind).toBe('stopped');
    const kinds = fixture.observer.of('source-state').map(({ state }) => state.kind);
    expect(kinds).toEqual(['starting', 'draining', 'stopped']);
  });
});

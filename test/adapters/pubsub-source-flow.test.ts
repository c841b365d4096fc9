import { setTimeout as wait } from 'node:timers/promises';
import { PubSub } from '@google-cloud/pubsub';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Clock } from '../../src/application/ports/clock.ts';
import { accept, handlerProbe, holdingProbe, retry } from '../contracts/handler-probe.ts';
import { neverAborts, textOf } from '../contracts/test-data.ts';
import { eventually } from '../support/eventually.ts';
import { pubsubProject } from '../support/pubsub-broker.ts';
import { consumableFixture, pubsubFixture } from '../support/pubsub-source.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

/** Less than the ack deadline, after which everything comes again by itself. */
const soonMs = 5000;
const ackDeadlineMs = 10_000;

describeWithPubSub('what a Pub/Sub source takes', () => {
  test('is bounded by bytes, and a message of more than that is taken and does not keep the others', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic } = fixture;
    const source = fixture.createSource({ inFlightBytesMax: 100_000 });
    const probe = handlerProbe(async () => {
      await wait(5);
      return accept;
    });
    let bytes = 0;
    let bytesMax = 0;
    source.pause('to be there at once');
    await source.start(async (message) => {
      const { length } = message.event.payload;
      bytes += length;
      bytesMax = Math.max(bytesMax, bytes);
      const settlement = await probe.handler(message);
      bytes -= length;
      return settlement;
    });
    const sizes = [300_000, 40_000, 40_000, 40_000, 10, 300_000, 10];
    for (const size of sizes) await broker.publish(topic, { payload: Buffer.alloc(size, 'x') });
    source.resume();
    await eventually(() => expect(probe.messages).toHaveLength(sizes.length), soonMs);
    expect(bytesMax).toBe(300_000);
  });

  test('and has not handed over goes to another one at once when it is drained', async () => {
    await using fixture = await consumableFixture();
    const first = fixture.createSource({ inFlightMax: 1 });
    const held = holdingProbe();
    await first.start(held.probe.handler);
    await fixture.publish('m0');
    await eventually(() => expect(held.probe.running).toBe(1));
    const others = ['m1', 'm2', 'm3', 'm4'];
    await fixture.publish(...others);
    // So that they have come to the first one.
    await wait(500);
    const drained = first.drain(neverAborts());
    const probe = handlerProbe();
    await fixture.createSource().start(probe.handler);
    await eventually(() => expect(probe.messages.map(textOf).toSorted()).toEqual(others), soonMs);
    held.release();
    expect(await drained).toEqual({ settled: 1, abandoned: 0 });
  });

  test('and has settled is known to the broker before a drain ends', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createSubscription(topic, `copy-${subscription}`);
    await using proxy = await createTcpProxy(Number(broker.host.split(':').at(-1)));
    const source = fixture.createSource({ emulator: proxy.host });
    const held = holdingProbe();
    await source.start(held.probe.handler);
    await fixture.publish('m0');
    await eventually(() => expect(held.probe.running).toBe(1));
    proxy.stall();
    let isDrained = false;
    const drained = source.drain(neverAborts()).finally(() => {
      isDrained = true;
    });
    held.release();
    await wait(1000);
    expect(isDrained).toBe(false);
    proxy.resume();
    expect(await drained).toEqual({ settled: 1, abandoned: 0 });
    expect(await broker.unacknowledged(subscription, `copy-${subscription}`)).toHaveLength(0);
  });

  test('and has in hand for longer than the ack deadline is delivered to nobody meanwhile', async () => {
    await using fixture = await pubsubFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createTopic(topic);
    // It makes the broker count deliveries.
    const deadLetterTopic = `projects/${pubsubProject}/topics/${topic}`;
    await broker.createSubscription(topic, subscription, {
      deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: 10 },
    });
    const source = fixture.createSource({ leaseMsMax: ackDeadlineMs * 3 });
    const held = holdingProbe(retry);
    const probe = handlerProbe();
    await source.start((message) => (message.attempt === 1 ? held.probe : probe).handler(message));
    await fixture.publish('m0');
    await eventually(() => expect(held.probe.running).toBe(1));
    await wait(ackDeadlineMs * 1.5);
    held.release();
    await eventually(() => expect(probe.messages.map(({ attempt }) => attempt)).toEqual([2]));
  }, 60_000);

  test('and can never be handled does not keep the others', async () => {
    await using fixture = await consumableFixture();
    const probe = handlerProbe((message) => (textOf(message) === 'poison' ? retry : accept));
    const source = fixture.createSource({ inFlightMax: 2 });
    await source.start(probe.handler);
    const others = Array.from({ length: 20 }, (_, index) => `m${index}`);
    await fixture.publish('poison', ...others);
    await eventually(() => {
      const taken = probe.messages.map(textOf);
      expect(taken.filter((text) => text !== 'poison').toSorted()).toEqual(others.toSorted());
      expect(taken.filter((text) => text === 'poison').length).toBeGreaterThan(2);
    });
    const attempts = probe.messages.filter((each) => textOf(each) === 'poison').map(({ attempt }) => attempt);
    expect(attempts).toEqual(attempts.map((_, index) => index + 1));
  });

  test('is settled and given back in the same way where the broker delivers exactly once', async () => {
    await using fixture = await pubsubFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createTopic(topic);
    await broker.createSubscription(topic, subscription, { enableExactlyOnceDelivery: true });
    await broker.createSubscription(topic, `copy-${subscription}`);
    const probe = handlerProbe(({ attempt }) => (attempt === 1 ? retry : accept));
    const source = fixture.createSource();
    await source.start(probe.handler);
    await fixture.publish('m0', 'm1');
    await eventually(() => expect(probe.messages.map(textOf).toSorted()).toEqual(['m0', 'm0', 'm1', 'm1']));
    expect(await source.drain(neverAborts())).toEqual({ settled: 0, abandoned: 0 });
    expect(await broker.unacknowledged(subscription, `copy-${subscription}`)).toHaveLength(0);
  });

  test('comes to one of two that follow each other under load, each message once', async () => {
    await using fixture = await consumableFixture();
    const texts = Array.from({ length: 400 }, (_, index) => `m${index}`);
    const taken: string[] = [];
    const handler = handlerProbe(async (message) => {
      await wait(2);
      taken.push(textOf(message));
      return accept;
    }).handler;
    const first = fixture.createSource({ inFlightMax: 16 });
    await first.start(handler);
    const publishing = fixture.publish(...texts);
    await eventually(() => expect(taken.length).toBeGreaterThan(100));
    const { abandoned } = await first.drain(neverAborts());
    expect(abandoned).toBe(0);
    await fixture.createSource().start(handler);
    await publishing;
    await eventually(() => expect(new Set(taken).size).toBe(texts.length), ackDeadlineMs * 2);
    expect(taken).toHaveLength(texts.length);
  }, 60_000);
});

describeWithPubSub('a Pub/Sub source that hears nothing for long', () => {
  afterEach(() => void vi.restoreAllMocks());

  test('subscribes anew; what is in hand is neither lost nor doubled', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createSubscription(topic, `copy-${subscription}`);
    const subscribed = vi.spyOn(PubSub.prototype, 'subscription');
    const newOnes = () => subscribed.mock.calls.filter(([, options]) => options?.streamingOptions).length;
    const { clock, pass } = clockWithLongDelays();
    const source = fixture.createSource({ reopenAfterIdleMs: 600_000, streamsPerSubscription: 1 }, { clock });
    const held = holdingProbe();
    const probe = handlerProbe();
    await source.start((message) => (textOf(message) === 'held' ? held.probe : probe).handler(message));
    expect(newOnes()).toBe(1);
    await fixture.publish('held');
    await eventually(() => expect(held.probe.running).toBe(1));

    pass(600_000);
    expect(newOnes()).toBe(2);
    await fixture.publish('after');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['after']), soonMs);
    await wait(ackDeadlineMs + 1000);
    held.release();
    await eventually(async () =>
      expect(await broker.unacknowledged(subscription, `copy-${subscription}`)).toHaveLength(0),
    );
    expect(held.probe.messages).toHaveLength(1);

    // The last message was less than a minute ago.
    pass(540_000);
    expect(newOnes()).toBe(2);
    pass(60_000);
    expect(newOnes()).toBe(3);
    expect(fixture.observer.of('source-state').map(({ state }) => state.kind)).toEqual(['starting', 'consuming']);
  }, 60_000);

  test('does nothing of the kind while it holds back itself', async () => {
    await using fixture = await consumableFixture();
    const subscribed = vi.spyOn(PubSub.prototype, 'subscription');
    const newOnes = () => subscribed.mock.calls.filter(([, options]) => options?.streamingOptions).length;
    const { clock, pass } = clockWithLongDelays();
    const source = fixture.createSource({ reopenAfterIdleMs: 600_000, streamsPerSubscription: 1 }, { clock });
    const probe = handlerProbe();
    await source.start(probe.handler);
    const before = newOnes();
    source.pause('too much is queued');
    await fixture.publish('m0');
    await wait(500);
    pass(600_000);
    expect(newOnes()).toBe(before);
  });
});

/** The machine's time, but for delays of minutes: these pass when the test says so. */
function clockWithLongDelays(): { readonly clock: Clock; readonly pass: (ms: number) => void } {
  const timers = new Map<symbol, { readonly at: number; readonly callback: () => void }>();
  let passed = 0;
  const now = () => systemClock.now() + passed;
  return {
    clock: {
      now,
      wait: (delayMs, signal) => systemClock.wait(delayMs, signal),
      schedule(delayMs, callback) {
        if (delayMs < 60_000) return systemClock.schedule(delayMs, callback);
        const timer = Symbol();
        timers.set(timer, { at: now() + delayMs, callback });
        return () => void timers.delete(timer);
      },
    },
    pass(ms) {
      passed += ms;
      for (const [timer, { at, callback }] of [...timers]) {
        if (at <= now() && timers.delete(timer)) callback();
      }
    },
  };
}

import { expect, onTestFinished, test, vi } from 'vitest';
import { openPubSubClient } from '../../src/adapters/inbound/pubsub/pubsub-client.ts';
import { SubscriptionIntake } from '../../src/adapters/inbound/pubsub/subscription-intake.ts';
import { Fault } from '../../src/application/fault.ts';
import { handlerProbe, holdingProbe } from '../contracts/handler-probe.ts';
import { neverAborts, outcomeOf, textOf } from '../contracts/test-data.ts';
import { eventually } from '../support/eventually.ts';
import { pubsubProject } from '../support/pubsub-broker.ts';
import { type PubSubFixture, pubsubFixture } from '../support/pubsub-source.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

async function topicFixture(): Promise<PubSubFixture> {
  const fixture = await pubsubFixture();
  await fixture.broker.createTopic(fixture.topic);
  return fixture;
}

/** What has come and waits inside is seen by nobody else. */
function watchIntake() {
  const came = vi.spyOn(SubscriptionIntake.prototype, 'add');
  onTestFinished(() => came.mockRestore());
  return came;
}

describeWithPubSub('a Pub/Sub source with a subscription of its own', () => {
  test('gets every message, as any other does, and leaves nothing behind', async () => {
    await using fixture = await topicFixture();
    const { broker, topic, subscription } = fixture;
    const [first, second] = [handlerProbe(), handlerProbe()];
    const sources = [fixture.createSource({ perInstance: true }), fixture.createSource({ perInstance: true })];
    await sources[0]?.start(first.handler);
    await sources[1]?.start(second.handler);
    const names = await broker.subscriptions(topic);
    expect(names).toEqual(Array(2).fill(expect.stringMatching(new RegExp(`^${subscription}-[0-9a-f-]{36}$`))));
    await fixture.publish('m0');
    await eventually(() => {
      expect(first.messages.map(textOf)).toEqual(['m0']);
      expect(second.messages.map(textOf)).toEqual(['m0']);
    });
    expect(first.messages[0]?.event.origin.properties).toEqual({ subscription });
    for (const source of sources) await source.drain(neverAborts());
    expect(await broker.subscriptions(topic)).toEqual([]);
  });

  test('has one that ends by itself when the process has died', async () => {
    await using fixture = await topicFixture();
    const { broker, topic } = fixture;
    const source = fixture.createSource({ perInstance: true, ordered: true, perInstanceExpiryMs: 90_000_000 });
    await source.start(handlerProbe().handler);
    const [name = ''] = await broker.subscriptions(topic);
    const client = await openPubSubClient({ project: pubsubProject, emulator: broker.host });
    const [found] = await client.subscription(name).getMetadata();
    await client.close();
    expect(found.enableMessageOrdering).toBe(true);
    // The emulator keeps no expiration policy, but does keep how long messages wait: less than that.
    expect(Number(found.messageRetentionDuration?.seconds)).toBeLessThan(86_400);
  });

  test('makes it again when it is deleted, and says so', async () => {
    await using fixture = await topicFixture();
    const { broker, topic, observer } = fixture;
    const source = fixture.createSource({ perInstance: true });
    const probe = handlerProbe();
    await source.start(probe.handler);
    const before = await broker.subscriptions(topic);
    await broker.deleteSubscription(before[0] ?? '');
    await eventually(async () => {
      expect(source.state.kind).toBe('consuming');
      expect(observer.of('source-state').map(({ state }) => state.kind)).toContain('waiting');
      expect(await broker.subscriptions(topic)).toEqual(before);
    });
    await fixture.publish('m0');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0']));
    const codes = observer.of('source-fault').map(({ error }) => error instanceof Fault && error.code);
    expect(codes).toEqual(['pubsub_missing']);
  });

  test('hands over in a drain what it has, paused or not, since nobody else would', async () => {
    const came = watchIntake();
    await using fixture = await topicFixture();
    const source = fixture.createSource({ perInstance: true, inFlightMax: 2 });
    const held = holdingProbe();
    await source.start(held.probe.handler);
    const texts = ['m0', 'm1', 'm2', 'm3', 'm4'];
    await fixture.publish(...texts);
    await eventually(() => expect(held.probe.running).toBe(2));
    source.pause('too much is queued');
    await eventually(() => expect(came).toHaveBeenCalledTimes(5));
    const drained = source.drain(neverAborts());
    held.release();
    expect(await drained).toEqual({ settled: 5, abandoned: 0 });
    expect(held.probe.messages.map(textOf).toSorted()).toEqual(texts);
    expect(held.probe.runningMax).toBe(2);
  });

  test('counts what it has not handed over when its time is up', async () => {
    const came = watchIntake();
    await using fixture = await topicFixture();
    const source = fixture.createSource({ perInstance: true, inFlightMax: 2 });
    const held = holdingProbe();
    await source.start(held.probe.handler);
    await fixture.publish('m0', 'm1', 'm2', 'm3', 'm4');
    await eventually(() => expect(held.probe.running).toBe(2));
    await eventually(() => expect(came).toHaveBeenCalledTimes(5));
    expect(await source.drain(AbortSignal.abort())).toEqual({ settled: 0, abandoned: 5 });
    expect(await fixture.broker.subscriptions(fixture.topic)).toEqual([]);
  });

  test('does not start without its topic, which it names', async () => {
    await using fixture = await pubsubFixture();
    const source = fixture.createSource({ perInstance: true });
    const outcome = await outcomeOf(source.start(handlerProbe().handler));
    expect(outcome).toHaveProperty('rejected.code', 'pubsub_missing');
    expect(outcome).toHaveProperty(
      'rejected.message',
      expect.stringContaining(`topic "${fixture.topic}" does not exist`),
    );
  });
});

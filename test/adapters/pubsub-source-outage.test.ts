import { expect, test } from 'vitest';
import { handlerProbe, holdingProbe } from '../contracts/handler-probe.ts';
import { textOf } from '../contracts/test-data.ts';
import { eventually } from '../support/eventually.ts';
import { startPubSubEmulator } from '../support/pubsub-emulator.ts';
import { consumableFixture } from '../support/pubsub-source.ts';
import { describeWithOwnPubSub } from '../support/with-brokers.ts';

/** From the moment that the broker is whole again (issue 3). */
const backWithinMs = 10_000;

describeWithOwnPubSub('a Pub/Sub source whose broker', () => {
  test('dies and comes back empty says so, and consumes as soon as the topology is there again', async () => {
    const first = await startPubSubEmulator();
    await using fixture = await consumableFixture(first.host);
    const { broker, topic, subscription, observer } = fixture;
    const source = fixture.createSource();
    const probe = handlerProbe();
    await source.start(probe.handler);
    await fixture.publish('before');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['before']));

    await first.kill();
    await eventually(() => expect(source.state.kind).toBe('waiting'));
    expect(source.state).toHaveProperty('reason', expect.stringContaining(`${first.host} does not answer`));

    await using second = await startPubSubEmulator(first.port);
    await eventually(() =>
      expect(source.state).toHaveProperty(
        'reason',
        expect.stringContaining(`subscription "${subscription}" does not exist`),
      ),
    );
    await eventually(async () => broker.createTopic(topic));
    await broker.createSubscription(topic, subscription);
    const begin = performance.now();
    await fixture.publish('after');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['before', 'after']), backWithinMs);
    expect(performance.now() - begin).toBeLessThan(backWithinMs);
    await eventually(() => expect(source.state.kind).toBe('consuming'));
    expect(second.host).toBe(first.host);
    const codes = observer.of('source-fault').map(({ error }) => (error as { code?: string }).code);
    expect(codes).toEqual(['pubsub_unreachable', 'pubsub_missing']);
  }, 60_000);

  test('is frozen says so, and nothing is lost when it goes on', async () => {
    await using emulator = await startPubSubEmulator();
    await using fixture = await consumableFixture(emulator.host);
    const { broker, topic, subscription, observer } = fixture;
    await broker.createSubscription(topic, `copy-${subscription}`);
    const source = fixture.createSource();
    const held = holdingProbe();
    const probe = handlerProbe();
    await source.start((message) => (textOf(message) === 'held' ? held.probe : probe).handler(message));
    await fixture.publish('held');
    await eventually(() => expect(held.probe.running).toBe(1));

    emulator.freeze();
    await eventually(() => expect(source.state.kind).toBe('waiting'), 20_000);
    emulator.thaw();
    await eventually(() => expect(source.state.kind).toBe('consuming'));
    await fixture.publish('after');
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['after']), backWithinMs);
    // Its lease ended in the meantime, so the broker has brought it once more; it is in hand still.
    held.release();
    await eventually(async () =>
      expect(await broker.unacknowledged(subscription, `copy-${subscription}`)).toHaveLength(0),
    );
    expect(held.probe.messages).toHaveLength(1);
    expect(observer.of('source-fault')).toHaveLength(1);
  }, 60_000);
});

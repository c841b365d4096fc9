import { expect, test } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import { accept, deadLetter, handlerProbe, retry } from '../contracts/handler-probe.ts';
import { neverAborts, textOf } from '../contracts/test-data.ts';
import { eventually } from '../support/eventually.ts';
import { pubsubProject } from '../support/pubsub-broker.ts';
import { consumableFixture, type PubSubFixture, pubsubFixture } from '../support/pubsub-source.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const onlyPoison = () => handlerProbe((message) => (textOf(message) === 'poison' ? deadLetter : accept));

const leftOf = (fixture: PubSubFixture) =>
  fixture.broker.unacknowledged(fixture.subscription, `copy-${fixture.subscription}`);

describeWithPubSub('a dead letter of a Pub/Sub source', () => {
  test('that cannot be published stays a message until it can, and keeps no other', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic, subscription, observer } = fixture;
    const dead = `dead-${subscription}`;
    await broker.createSubscription(topic, `copy-${subscription}`);
    const source = fixture.createSource({ deadLetter: { topic: dead } });
    const probe = onlyPoison();
    await source.start(probe.handler);
    await fixture.publish('poison', 'm0');
    await eventually(() => {
      expect(probe.messages.filter((each) => textOf(each) === 'poison').length).toBeGreaterThan(2);
      expect(probe.messages.map(textOf)).toContain('m0');
    });
    expect((await leftOf(fixture)).map(({ payload }) => Buffer.from(payload).toString())).toEqual(['poison']);
    const [fault] = observer.of('source-fault').map(({ error }) => error);
    expect(fault).toMatchObject({
      code: 'pubsub_missing',
      message: expect.stringContaining(`"${dead}" does not exist`),
    });

    // A letter that is published before there is a subscription reaches nobody, so there is none to be looked for.
    await broker.createTopic(dead);
    await eventually(async () => expect(await leftOf(fixture)).toHaveLength(0));
    const attempts = probe.messages.length;
    await fixture.publish('m1');
    await eventually(() => expect(probe.messages.map(textOf)).toContain('m1'));
    expect(probe.messages).toHaveLength(attempts + 1);
  });

  test('is published whatever its attributes are: as many and as long as they may be, and with odd names', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic, subscription } = fixture;
    const dead = `dead-${subscription}`;
    await broker.createTopic(dead);
    await broker.createSubscription(dead, dead);
    const source = fixture.createSource({ deadLetter: { topic: dead } });
    await source.start(handlerProbe(() => deadLetter).handler);
    const attributes = new Map([
      ['__proto__', '{{projectId}}'],
      ...Array.from({ length: 99 }, (_, index) => [`name-${index}`, 'é'.repeat(512)] as const),
    ]);
    await broker.publish(topic, { payload: Uint8Array.of(0, 255), attributes, key: 'k'.repeat(1024) });
    const letters = await eventually(async () => {
      const pulled = await broker.pull(dead);
      expect(pulled).toHaveLength(1);
      return pulled;
    });
    const [letter] = letters;
    expect([...(letter?.payload ?? [])]).toEqual([0, 255]);
    expect(letter?.attributes.get('__proto__')).toBe('{{projectId}}');
    expect(letter?.attributes.get('Dead-Letter-Key')).toBe('k'.repeat(1024));
    expect(letter?.attributes.get('Dead-Letter-Left-Out')).toBe('6');
    expect(letter?.attributes.size).toBe(100);
  });

  test('is left to the policy of the subscription, and the handler is asked once', async () => {
    await using fixture = await pubsubFixture();
    const { broker, topic, subscription } = fixture;
    const dead = `dead-${subscription}`;
    await broker.createTopic(topic);
    await broker.createTopic(dead);
    await broker.createSubscription(dead, dead);
    await broker.createSubscription(topic, subscription, {
      deadLetterPolicy: { deadLetterTopic: `projects/${pubsubProject}/topics/${dead}`, maxDeliveryAttempts: 5 },
    });
    const source = fixture.createSource({ deadLetter: { topic: dead, by: 'policy' } });
    const probe = onlyPoison();
    await source.start(probe.handler);
    await fixture.publish('poison', 'm0');
    const letters = await eventually(async () => {
      const pulled = await broker.pull(dead);
      expect(pulled).toHaveLength(1);
      return pulled;
    });
    expect(letters.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['poison']);
    expect(probe.messages.map(textOf).toSorted()).toEqual(['m0', 'poison']);
  });

  test('is discarded where the config says so', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createSubscription(topic, `copy-${subscription}`);
    const source = fixture.createSource({ onDeadLetter: 'discard' });
    const probe = onlyPoison();
    await source.start(probe.handler);
    await fixture.publish('poison');
    await eventually(async () => {
      expect(probe.messages).toHaveLength(1);
      expect(await leftOf(fixture)).toHaveLength(0);
    });
  });

  test('that cannot be published does not keep a drain', async () => {
    await using fixture = await consumableFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createSubscription(topic, `copy-${subscription}`);
    const source = fixture.createSource({
      deadLetter: { topic: `dead-${subscription}` },
      reconnectMsMin: 60_000,
      reconnectMsMax: 600_000,
    });
    const probe = onlyPoison();
    await source.start(probe.handler);
    await fixture.publish('poison');
    await eventually(() => expect(fixture.observer.of('source-fault')).toHaveLength(1));
    expect(await source.drain(neverAborts())).toEqual({ settled: 0, abandoned: 0 });
    expect(await leftOf(fixture)).toHaveLength(1);
  });
});

describeWithPubSub('a further attempt', () => {
  test('is counted by the broker where it counts, over all who have tried', async () => {
    await using fixture = await pubsubFixture();
    const { broker, topic, subscription } = fixture;
    await broker.createTopic(topic);
    await broker.createTopic(`dead-${subscription}`);
    await broker.createSubscription(topic, subscription, {
      deadLetterPolicy: {
        deadLetterTopic: `projects/${pubsubProject}/topics/dead-${subscription}`,
        maxDeliveryAttempts: 10,
      },
    });
    const first = fixture.createSource();
    const retried = handlerProbe(({ attempt }) => (attempt < 3 ? retry : new Promise<never>(() => {})));
    await first.start(retried.handler);
    await fixture.publish('m0');
    await eventually(() => expect(retried.messages.map(({ attempt }) => attempt)).toEqual([1, 2, 3]));
    await first.drain(AbortSignal.abort());
    const probe = handlerProbe();
    await fixture.createSource().start(probe.handler);
    await eventually(() => expect(probe.messages.map(({ attempt }) => attempt)).toEqual([4]));
    expect(probe.messages[0]?.event.origin.properties).toEqual({ subscription, deliveryAttempt: 4 });
    expect(fixture.observer.of('source-fault').every(({ error }) => error instanceof Fault)).toBe(true);
  });
});

import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished } from 'vitest';
import { PubSubPublisher } from '../../src/adapters/inbound/pubsub/pubsub-publisher.ts';
import { pubsubSettings } from '../../src/adapters/inbound/pubsub/pubsub-settings.ts';
import { eventOf } from '../support/domain-fixtures.ts';
import { emulatorProject, type RestMessage } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { testWithPubSub } from '../support/with-brokers.ts';

async function bench(more: Record<string, unknown> = {}, emulator = inject('pubsubEmulatorHost')) {
  const project = emulatorProject(inject('pubsubEmulatorHost'), `publisher-${randomUUID()}`);
  await project.createTopic('topic');
  await project.createSubscription('sub', 'topic', { enableMessageOrdering: true });
  const settings = pubsubSettings.parse({
    ...{ project: project.project, emulator, subscriptions: ['sub'], onDeadLetter: 'discard', publish: more },
  });
  const publisher = new PubSubPublisher('source', settings, settings.publish);
  onTestFinished(() => publisher.close());
  return { project, publisher };
}

const event = (text: string, key = '', stream = 'topic') =>
  eventOf({ Name: 'ä' }, { stream, key, payload: Buffer.from(text) });

testWithPubSub('what is published is there with its bytes, attributes and key, those of a key in order', async () => {
  const { project, publisher } = await bench();
  const texts = Array.from({ length: 300 }, (_, index) => `${index}`);
  await Promise.all(
    texts.flatMap((text) => [publisher.publish(event(text, 'one')), publisher.publish(event(text, 'two'))]),
  );
  await publisher.publish(event('without a key'));
  const pulled: RestMessage[] = [];
  await eventually(async () => {
    pulled.push(...(await project.pull('sub')));
    expect(pulled).toHaveLength(601);
  });
  for (const key of ['one', 'two']) {
    const own = pulled.filter(({ orderingKey }) => orderingKey === key);
    expect(own.map(({ data = '' }) => Buffer.from(data, 'base64').toString())).toEqual(texts);
  }
  expect(pulled.find(({ orderingKey }) => !orderingKey)).toMatchObject({ attributes: { Name: 'ä' } });
});

testWithPubSub('each refusal says what it is, and harms no other event', async () => {
  const { publisher } = await bench({ pendingMax: 2 });
  const [missing, never, good] = await Promise.allSettled([
    publisher.publish(event('x', '', 'nowhere')),
    publisher.publish(event('x', '', 'no topic')),
    publisher.publish(event('x')),
  ]);
  expect(missing).toMatchObject({ reason: { code: 'pubsub_missing' } });
  expect(never).toMatchObject({ reason: { code: 'pubsub_unpublishable', disposition: 'dead-letter' } });
  expect(good).toMatchObject({ status: 'fulfilled' });
  const many = await Promise.allSettled(Array.from({ length: 3 }, () => publisher.publish(event('x'))));
  expect(many.map((each) => (each.status === 'rejected' ? each.reason.code : 'published'))).toEqual([
    ...['published', 'published', 'pubsub_publisher_full'],
  ]);
  await publisher.close();
  await expect(publisher.publish(event('x'))).rejects.toMatchObject({ code: 'pubsub_draining', disposition: 'retry' });
});

testWithPubSub('a broker that is away is a fault to try again, in time', async () => {
  const { publisher } = await bench({ confirmTimeoutMs: 300 }, `127.0.0.1:${await freePort()}`);
  await expect(publisher.publish(event('x'))).rejects.toMatchObject({
    code: 'pubsub_unreachable',
    disposition: 'retry',
  });
});

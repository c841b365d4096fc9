import { expect } from 'vitest';
import { handlerProbe } from '../contracts/handler-probe.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpUrl, amqpUrlAt } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { memoryUsedBytes } from '../support/heap-used.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';
import { bind, bindingSource, event, queueSource } from './amqp-fixture.ts';

testWithRabbitMq('an event goes in as a message and comes out as the same event', async () => {
  await using admin = await amqpAdmin();
  const exchange = await admin.exchange();
  await using fixture = bindingSource({ bindings: { [exchange]: 'topic' } });
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  await bind(fixture.source, exchange, '#');
  const fields = {
    id: 'id-1',
    stream: exchange,
    key: 'a.b',
    attributes: new Map([
      ['Tenant-Id', 'T1'],
      ['__proto__', 'p'],
      ['Größe', '☕'],
    ]),
    payload: Buffer.from([0, 255, 10]),
    contentType: 'application/octet-stream',
    publishedAt: 1_700_000_000_000,
  };
  await fixture.source.publish(event(fields));
  await eventually(() => expect(probe.messages).toHaveLength(1));
  expect(probe.messages[0]?.event).toMatchObject({ ...fields, payload: expect.anything() });
  expect([...(probe.messages[0]?.event.payload ?? [])]).toEqual([0, 255, 10]);
});

testWithRabbitMq('what leads to no queue is refused, unless the config takes it', async () => {
  await using admin = await amqpAdmin();
  const exchange = await admin.exchange();
  const queue = await admin.queue();
  await admin.channel.bindQueue(queue, exchange, 'good');
  await using refusing = queueSource({ queues: [queue] });
  const outcomes = await Promise.allSettled(
    ['good', 'bad', 'good', 'bad'].map((key, index) =>
      refusing.source.publish(event({ id: `e${index}`, stream: exchange, key })),
    ),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  expect(outcomes[1]).toMatchObject({ reason: { code: 'amqp_unroutable', disposition: 'dead-letter' } });
  await using taking = queueSource({ queues: [queue], publish: { unroutable: 'accept' } });
  await taking.source.publish(event({ stream: exchange, key: 'bad' }));
  await eventually(async () => expect(await admin.ready(queue)).toBe(2));
});

testWithRabbitMq(
  'an event that the broker or AMQP refuses is refused alone: a missing exchange, a header of the wrong kind, a long key',
  async () => {
    await using admin = await amqpAdmin();
    const exchange = await admin.exchange();
    const queue = await admin.queue();
    await admin.channel.bindQueue(queue, exchange, '#');
    await using fixture = queueSource({ queues: [queue] });
    const publish = (fields: Parameters<typeof event>[0]) =>
      fixture.source.publish(event({ stream: exchange, ...fields }));
    const outcomes = await Promise.allSettled([
      publish({ id: 'a' }),
      publish({ id: 'no-exchange', stream: admin.name('missing') }),
      publish({ id: 'b' }),
      publish({ id: 'cc', attributes: new Map([['CC', 'elsewhere']]) }),
      publish({ id: 'c' }),
      publish({ id: 'long', key: 'x'.repeat(256) }),
      publish({ id: 'd', attributes: new Map([['big', 'x'.repeat(100_000)]]) }),
      publish({ id: 'e' }),
    ]);
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'published'));
    expect(codes).toEqual([
      'published',
      'amqp_missing',
      'published',
      'amqp_refused',
      'published',
      'amqp_unpublishable',
      'amqp_unpublishable',
      'published',
    ]);
    const letters = await admin.collect(queue);
    await eventually(() => {
      const ids = new Set(letters.map(({ properties }) => String(properties.messageId)));
      expect([...ids].sort()).toEqual(['a', 'b', 'c', 'e']);
    });
  },
);

testWithRabbitMq('what is published while the connection is cut waits for it, up to a limit and a time', async () => {
  await using admin = await amqpAdmin();
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const exchange = await admin.exchange();
  const queue = await admin.queue();
  await admin.channel.bindQueue(queue, exchange, '#');
  const publish = { pendingMax: 2, confirmTimeoutMs: 1500 };
  await using fixture = queueSource({ urls: [amqpUrlAt(proxy.port)], queues: [queue], publish });
  proxy.cut();
  const late = fixture.source.publish(event({ id: 'late', stream: exchange }));
  const lateToo = fixture.source.publish(event({ id: 'late too', stream: exchange }));
  const tooMany = fixture.source.publish(event({ id: 'too many', stream: exchange }));
  await expect(tooMany).rejects.toMatchObject({ code: 'amqp_publisher_full', disposition: 'retry' });
  await expect(late).rejects.toMatchObject({ code: 'amqp_unconfirmed', cause: { code: 'amqp_unreachable' } });
  await expect(lateToo).rejects.toMatchObject({ code: 'amqp_unconfirmed' });
  const patient = fixture.source.publish(event({ id: 'patient', stream: exchange }));
  proxy.restore();
  await patient;
  expect(await admin.ready(queue)).toBe(1);
  await fixture.source.drain(AbortSignal.abort());
});

testWithRabbitMq('an exchange that has gone since is named', async () => {
  await using admin = await amqpAdmin();
  const [exchange, queue] = [await admin.exchange(), await admin.queue()];
  await using fixture = queueSource({ queues: [queue], publish: { unroutable: 'accept' } });
  await fixture.source.publish(event({ stream: exchange }));
  await admin.channel.deleteExchange(exchange);
  const published = fixture.source.publish(event({ stream: exchange }));
  const message = expect.stringContaining(`exchange "${exchange}" does not exist`);
  await expect(published).rejects.toMatchObject({ code: 'amqp_missing', message });
});

testWithRabbitMq('after a drain nothing is published', async () => {
  await using admin = await amqpAdmin();
  const queue = await admin.queue();
  await using fixture = queueSource({ queues: [queue] });
  await fixture.source.start(handlerProbe().handler);
  await fixture.source.drain(AbortSignal.abort());
  await expect(fixture.source.publish(event({}))).rejects.toMatchObject({
    code: 'amqp_draining',
    disposition: 'retry',
  });
});

testWithRabbitMq('what was refused because the broker is away is not kept', async () => {
  await using admin = await amqpAdmin();
  const queue = await admin.queue();
  const publish = { pendingMax: 1000, confirmTimeoutMs: 100 };
  await using fixture = queueSource({ urls: ['amqp://127.0.0.1:1'], queues: [queue], publish });
  const refuse = async (count: number, bytes: number) => {
    const payload = () => Buffer.alloc(bytes);
    const published = Array.from({ length: count }, () => fixture.source.publish(event({ payload: payload() })));
    for (const each of await Promise.allSettled(published)) expect(each.status).toBe('rejected');
  };
  await refuse(1000, 1);
  const before = memoryUsedBytes();
  for (let round = 0; round < 3; round += 1) await refuse(1000, 20_000);
  // What a turn still holds is gone behind it.
  await eventually(() => expect(memoryUsedBytes() - before).toBeLessThan(20_000_000));
});

testWithRabbitMq('what is published across a lost connection stays in order', async () => {
  await using admin = await amqpAdmin();
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const [exchange, queue] = [await admin.exchange(), await admin.queue()];
  await admin.channel.bindQueue(queue, exchange, '#');
  await using fixture = queueSource({ urls: [amqpUrlAt(proxy.port)], queues: [queue] });
  const [first = '', ...others] = Array.from({ length: 2000 }, (_, index) => `id-${index}`);
  const publish = (id: string) => fixture.source.publish(event({ id, stream: exchange, payload: Buffer.alloc(2000) }));
  await publish(first);
  // Some are under way, and the connection takes no more.
  proxy.stall();
  const published = others.map(publish);
  proxy.cut();
  proxy.resume();
  proxy.restore();
  await Promise.all(published);
  const letters = await admin.collect(queue);
  await eventually(() => expect(new Set(letters.map(({ properties }) => properties.messageId)).size).toBe(2000));
  // Some came twice: what was under way came again, from its first on. The broker may read the rest of the old connection
  // behind some of the new one, so only who takes each when it comes first has them in order.
  const order = new Set(letters.map(({ properties }) => String(properties.messageId)));
  expect([...order]).toEqual([first, ...others]);
});

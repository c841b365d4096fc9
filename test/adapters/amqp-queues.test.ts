import { expect } from 'vitest';
import { deadLetter, handlerProbe, holdingProbe, retry } from '../contracts/handler-probe.ts';
import { textOf } from '../contracts/test-data.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpMethods, createAmqpTap } from '../support/amqp-tap.ts';
import { amqpUrl, amqpUrlAt } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';
import { event, queueSource } from './amqp-fixture.ts';

testWithRabbitMq('a dead letter that leads nowhere is not kept, so its message is not acknowledged', async () => {
  await using admin = await amqpAdmin();
  const [queue, letters] = [await admin.queue(), await admin.exchange('direct')];
  await using fixture = queueSource({ queues: [queue], deadLetter: { exchange: letters, key: 'dead' } });
  const probe = handlerProbe(() => deadLetter);
  await fixture.source.start(probe.handler);
  await admin.publish('', queue, Buffer.from('m0'), { messageId: 'm0' });
  await eventually(() => {
    expect(fixture.faults()).toContain('amqp_unroutable');
    expect(probe.messages.length).toBeGreaterThan(2);
  });
  const kept = await admin.queue();
  await admin.channel.bindQueue(kept, letters, 'dead');
  const found = await admin.collect(kept);
  await eventually(() => expect(found).toHaveLength(1));
  await fixture.source.drain(AbortSignal.timeout(5000));
  expect(await admin.ready(queue)).toBe(0);
});

testWithRabbitMq('poison without a place for dead letters is told once, and offered less and less often', async () => {
  await using admin = await amqpAdmin();
  const [queue, letters] = [await admin.queue(), await admin.exchange('fanout')];
  const settings = { queues: [queue], deadLetter: { exchange: letters }, redeliverDelayMs: 10, reconnectMsMax: 500 };
  await using fixture = queueSource({ ...settings, inFlightMax: 2 });
  const probe = handlerProbe(() => deadLetter);
  await fixture.source.start(probe.handler);
  const begin = Date.now();
  for (const text of ['m0', 'm1']) await admin.publish('', queue, Buffer.from(text), { messageId: text });
  await eventually(() => expect(Date.now() - begin).toBeGreaterThan(1000));
  expect(probe.messages.length).toBeLessThan(25);
  expect(fixture.faults()).toEqual(['amqp_unroutable']);
  const kept = await admin.queue();
  await admin.channel.bindQueue(kept, letters, '');
  await eventually(async () => expect(await admin.ready(kept)).toBe(2));
});

testWithRabbitMq('a message whose headers leave no room for those of a dead letter goes without them', async () => {
  await using admin = await amqpAdmin();
  const [queue, kept] = [await admin.queue(), await admin.queue()];
  await using fixture = queueSource({ queues: [queue], deadLetter: { exchange: '', key: kept } });
  await fixture.source.start(handlerProbe(() => deadLetter).handler);
  const found = await admin.collect(kept);
  const headers = { large: 'x'.repeat(65_300) };
  await admin.publish('', queue, Buffer.from('m0'), { messageId: 'm0', type: 't', headers });
  await eventually(() => expect(found).toHaveLength(1));
  expect(found[0]?.properties).toMatchObject({ messageId: 'm0', type: 't' });
  expect(found[0]?.properties.headers).toMatchObject({
    'Dead-Letter-Cause': expect.stringContaining('without its headers, too large; the test says so'),
    'Dead-Letter-Key': queue,
  });
  expect(found[0]?.properties.headers).not.toHaveProperty('large');
  expect(fixture.faults()).toEqual([]);
});

testWithRabbitMq('a dead letter keeps what the message had, says why, and goes nowhere else', async () => {
  await using admin = await amqpAdmin();
  const [queue, kept] = [await admin.queue(), await admin.queue()];
  await using fixture = queueSource({ queues: [queue], deadLetter: { exchange: '', key: kept } });
  await fixture.source.start(handlerProbe(() => deadLetter).handler);
  const found = await admin.collect(kept);
  const options = { messageId: 'm0', type: 't', correlationId: 'c', contentType: 'a/b', expiration: '60000' };
  const headers = { nested: { a: 1 }, 'Tenant-Id': 'T1' };
  await admin.publish('', queue, Buffer.from('m0'), { ...options, headers, CC: [queue] });
  await eventually(() => expect(found).toHaveLength(1));
  expect(found[0]?.content.toString()).toBe('m0');
  expect(found[0]?.properties).toMatchObject({ messageId: 'm0', type: 't', correlationId: 'c', contentType: 'a/b' });
  expect(found[0]?.properties).toMatchObject({ expiration: undefined, deliveryMode: 2 });
  expect(found[0]?.properties.headers).toEqual({
    ...headers,
    'Dead-Letter-Cause': 'the test says so',
    'Dead-Letter-Source': 'amqp',
    'Dead-Letter-Stream': queue,
    'Dead-Letter-Key': queue,
    'Dead-Letter-Id': 'm0',
  });
});

testWithRabbitMq('`by: policy` leaves it to the dead letter exchange of the queue', async () => {
  await using admin = await amqpAdmin();
  const kept = await admin.queue();
  const queue = await admin.queue({ durable: true, deadLetterExchange: '', deadLetterRoutingKey: kept });
  await using fixture = queueSource({ queues: [queue], deadLetter: { by: 'policy' } });
  const probe = handlerProbe(() => deadLetter);
  await fixture.source.start(probe.handler);
  const found = await admin.collect(kept);
  await admin.publish('', queue, Buffer.from('m0'));
  await eventually(() => expect(found).toHaveLength(1));
  expect(found[0]?.properties.headers?.['x-first-death-reason']).toBe('rejected');
  expect(probe.messages).toHaveLength(1);
});

testWithRabbitMq('an exchange for dead letters that does not exist makes the start fail', async () => {
  await using admin = await amqpAdmin();
  const [queue, missing] = [await admin.queue(), admin.name('missing')];
  await using fixture = queueSource({ queues: [queue], deadLetter: { exchange: missing } });
  const started = fixture.source.start(handlerProbe().handler);
  await expect(started).rejects.toMatchObject({ code: 'amqp_missing', message: expect.stringContaining(missing) });
  expect(fixture.source.state.kind).toBe('stopped');
});

testWithRabbitMq('`whenMissing: wait`: a queue is waited for, and others are consumed from meanwhile', async () => {
  await using admin = await amqpAdmin();
  const [queue, later] = [await admin.queue(), admin.name('later')];
  await using fixture = queueSource({ queues: [queue, later], whenMissing: 'wait' });
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  expect(fixture.source.state).toMatchObject({ kind: 'waiting', reason: expect.stringContaining(later) });
  await admin.publish('', queue, Buffer.from('m0'));
  await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0']));
  await admin.channel.assertQueue(later, { durable: false, autoDelete: true });
  await admin.publish('', later, Buffer.from('m1'));
  await eventually(() => expect(probe.messages.map(textOf)).toEqual(['m0', 'm1']));
  expect(fixture.source.state.kind).toBe('consuming');
});

testWithRabbitMq(
  'attempts: a quorum queue counts them across processes, any other says that there was one',
  async () => {
    await using admin = await amqpAdmin();
    const quorum = await admin.queue({ durable: true, arguments: { 'x-queue-type': 'quorum' } });
    const classic = await admin.queue();
    for (const queue of [quorum, classic]) await admin.publish('', queue, Buffer.from(queue), { messageId: queue });
    const seen = new Map<string, number[]>();
    for (let process = 0; process < 3; process += 1) {
      await using fixture = queueSource({ queues: [quorum, classic] });
      const probe = handlerProbe(() => retry);
      await fixture.source.start(probe.handler);
      await eventually(() => expect(new Set(probe.messages.map(textOf)).size).toBe(2));
      for (const { event, attempt } of probe.messages) {
        const attempts = seen.get(event.id) ?? [];
        if (!attempts.includes(attempt)) seen.set(event.id, [...attempts, attempt]);
      }
    }
    expect(seen.get(quorum)?.slice(0, 3)).toEqual([1, 2, 3]);
    expect(seen.get(classic)?.slice(0, 2)).toEqual([1, 2]);
  },
);

testWithRabbitMq('messages without an id keep the one that they get here, twins too', async () => {
  await using admin = await amqpAdmin();
  const queue = await admin.queue();
  await using fixture = queueSource({ queues: [queue] });
  const probe = handlerProbe(({ attempt }) => (attempt < 3 ? retry : { kind: 'accept' }));
  await fixture.source.start(probe.handler);
  for (const text of ['twin', 'twin', 'other']) await admin.publish('', queue, Buffer.from(text));
  await eventually(() => expect(probe.messages).toHaveLength(9));
  expect(new Set(probe.messages.map(({ event }) => event.id)).size).toBe(3);
});

testWithRabbitMq('a queue that somebody has for himself is told as such', async () => {
  await using admin = await amqpAdmin();
  const queue = await admin.queue();
  await admin.channel.consume(queue, () => {}, { exclusive: true });
  await using fixture = queueSource({ queues: [queue] });
  const started = fixture.source.start(handlerProbe().handler);
  await expect(started).rejects.toMatchObject({
    code: 'amqp_locked',
    message: expect.stringContaining(queue),
  });
});

testWithRabbitMq(
  'a broker that does not answer any more does not hold a drain back',
  async () => {
    await using admin = await amqpAdmin();
    await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
    const [queue, letters] = [await admin.queue(), await admin.exchange('fanout')];
    const settings = { urls: [amqpUrlAt(proxy.port)], queues: [queue], deadLetter: { exchange: letters } };
    await using fixture = queueSource({ ...settings, publish: { unroutable: 'accept' } });
    await fixture.source.start(handlerProbe().handler);
    await fixture.source.publish(event({ stream: letters }));
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    proxy.stall();
    await fixture.source.drain(AbortSignal.timeout(100));
    expect(fixture.source.state.kind).toBe('stopped');
    await eventually(() => {
      expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThan(before);
    });
  },
  20_000,
);

testWithRabbitMq('the first of several URLs is dead: the next one is taken, at the start and later', async () => {
  await using admin = await amqpAdmin();
  const queue = await admin.queue();
  await using fixture = queueSource({ urls: ['amqp://127.0.0.1:1', amqpUrl, 'amqp://127.0.0.1:2'], queues: [queue] });
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  await admin.publish('', queue, Buffer.from('m0'));
  await eventually(() => expect(probe.messages).toHaveLength(1));
  await using dead = queueSource({ urls: ['amqp://127.0.0.1:1', 'amqp://127.0.0.1:2'], queues: [queue] });
  const started = dead.source.start(holdingProbe().probe.handler);
  await expect(started).rejects.toMatchObject({ code: 'amqp_unreachable', disposition: 'retry' });
});

testWithRabbitMq('a broker that does not answer at the start is waited for, where the config says so', async () => {
  await using admin = await amqpAdmin();
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const queue = await admin.queue();
  const patient = { whenUnreachable: 'wait', startTimeoutMs: 200, deadLetter: { exchange: await admin.exchange() } };
  proxy.stall();
  await using fixture = queueSource({ urls: [amqpUrlAt(proxy.port)], queues: [queue], ...patient });
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  expect(fixture.source.state.kind).toBe('waiting');
  await admin.publish('', queue, Buffer.from('m0'));
  proxy.resume();
  await eventually(() => expect(probe.messages).toHaveLength(1));
  expect(fixture.source.state.kind).toBe('consuming');

  const wrong = new URL(amqpUrl);
  wrong.password = 'wrong';
  await using refused = queueSource({ urls: [wrong.href], queues: [queue], ...patient });
  const started = refused.source.start(probe.handler);
  await expect(started).rejects.toMatchObject({ code: 'amqp_credentials_refused', disposition: 'stop' });

  proxy.cut();
  await using waiting = queueSource({ urls: [amqpUrlAt(proxy.port)], queues: [queue], ...patient });
  await waiting.source.start(probe.handler);
  expect(await waiting.source.drain(AbortSignal.timeout(5000))).toEqual({ settled: 0, abandoned: 0 });
  expect(waiting.source.state.kind).toBe('stopped');
});

testWithRabbitMq('a message that waits for another try is given back at once when the source drains', async () => {
  await using admin = await amqpAdmin();
  const queue = await admin.queue();
  for (const ordered of [false, true]) {
    await using fixture = queueSource({ queues: [queue], redeliverDelayMs: 600_000, ordered });
    const probe = handlerProbe(() => retry);
    await fixture.source.start(probe.handler);
    if (!ordered) await admin.publish('', queue, Buffer.from('m0'));
    await eventually(() => expect(probe.messages).toHaveLength(1));
    const result = await fixture.source.drain(AbortSignal.timeout(8000));
    expect(result).toEqual({ settled: 0, abandoned: 0 });
    expect(await admin.ready(queue)).toBe(1);
  }
});

testWithRabbitMq('a drain that begins while a channel is opened again takes no message more than once', async () => {
  await using admin = await amqpAdmin();
  await using tap = await createAmqpTap(amqpUrl);
  // What is given out more often is gone.
  const queue = await admin.queue({ durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 } });
  await using fixture = queueSource({ urls: [amqpUrlAt(tap.port)], queues: [queue] });
  const { probe } = holdingProbe();
  await fixture.source.start(probe.handler);
  await admin.publish('', queue, Buffer.from('in hand'));
  await eventually(() => expect(probe.messages).toHaveLength(1));
  const opening = tap.hold(amqpMethods.consume);
  tap.closeConsumingChannel();
  await opening.reached;
  for (let index = 0; index < 10; index += 1) await admin.publish('', queue, Buffer.from(`m${index}`));
  const drained = fixture.source.drain(AbortSignal.timeout(300));
  opening.release();
  expect(await drained).toEqual({ settled: 0, abandoned: 1 });
  await eventually(async () => expect(await admin.ready(queue)).toBe(11));
  expect(probe.messages).toHaveLength(1);
});

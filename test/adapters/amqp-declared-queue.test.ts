import { expect, test } from 'vitest';
import { amqpSettings } from '../../src/adapters/inbound/amqp/amqp-settings.ts';
import { createAmqpSource } from '../../src/adapters/inbound/amqp/amqp-source.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { handlerProbe } from '../contracts/handler-probe.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpUrl } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';
import { queueSource } from './amqp-fixture.ts';

const declared = (queue: string, exchange: string, changes: object = {}) => ({
  queues: [queue],
  declare: { [queue]: { bindings: [{ exchange }] } },
  whenMissing: 'wait',
  ...changes,
});

testWithRabbitMq(
  'a queue of one’s own is durable, keeps what comes while nobody is there, and is not taken away',
  async () => {
    await using admin = await amqpAdmin();
    const [exchange, queue] = [await admin.exchange(), admin.name('own')];
    await using _queue = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteQueue(queue)) };
    {
      await using first = queueSource(declared(queue, exchange));
      await first.source.start(handlerProbe().handler);
    }
    await admin.channel.assertQueue(queue, { durable: true, autoDelete: false });
    await admin.publish(exchange, 'any.key', Buffer.from('kept'));
    await using second = queueSource(declared(queue, exchange));
    const probe = handlerProbe();
    await second.source.start(probe.handler);
    await eventually(() =>
      expect(probe.messages.map(({ event }) => String(Buffer.from(event.payload)))).toEqual(['kept']),
    );
  },
);

testWithRabbitMq(
  'without its exchange the source waits, naming it; it declares none, and consumes once it is there',
  async () => {
    await using admin = await amqpAdmin();
    const [exchange, queue] = [admin.name('late'), admin.name('own')];
    await using _queue = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteQueue(queue)) };
    await using _exchange = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteExchange(exchange)) };
    await using fixture = queueSource(declared(queue, exchange));
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    expect(fixture.source.state).toMatchObject({
      kind: 'waiting',
      reason: expect.stringContaining(`exchange "${exchange}" does not exist`),
    });
    expect(fixture.faults()).toEqual(['amqp_missing']);
    await admin.channel.assertExchange(exchange, 'topic', { durable: false });
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
    await admin.publish(exchange, 'a.b', Buffer.from('here'));
    await eventually(() => expect(probe.messages).toHaveLength(1));
  },
);

testWithRabbitMq('with `whenMissing: fail` the start fails, naming the exchange', async () => {
  await using admin = await amqpAdmin();
  const [exchange, queue] = [admin.name('never'), admin.name('own')];
  await using _queue = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteQueue(queue)) };
  await using fixture = queueSource(declared(queue, exchange, { whenMissing: 'fail' }));
  await expect(fixture.source.start(handlerProbe().handler)).rejects.toThrow(`exchange "${exchange}" does not exist`);
});

testWithRabbitMq(
  'a queue that is there and is another one is waited for with the reason, or the start fails',
  async () => {
    await using admin = await amqpAdmin();
    const [exchange, queue] = [await admin.exchange(), await admin.queue({ durable: true, maxLength: 5 })];
    await using impatient = queueSource(declared(queue, exchange, { whenMissing: 'fail' }));
    await impatient.source.start(handlerProbe().handler).then(
      () => expect.unreachable(),
      (error: unknown) => expect(error).toMatchObject({ code: 'amqp_refused', disposition: 'stop' }),
    );
    await using fixture = queueSource(declared(queue, exchange));
    await fixture.source.start(handlerProbe().handler);
    expect(fixture.source.state).toMatchObject({
      kind: 'waiting',
      reason: expect.stringContaining(`queue "${queue}"`),
    });
    expect(fixture.faults()).toEqual(['amqp_refused']);
    await admin.channel.deleteQueue(queue);
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
  },
);

testWithRabbitMq('an exchange that is deleted, and its binding with it, is looked for until it is back', async () => {
  await using admin = await amqpAdmin();
  const [exchange, queue] = [await admin.exchange(), admin.name('own')];
  await using _queue = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteQueue(queue)) };
  const settings = amqpSettings.parse({
    urls: [amqpUrl],
    onDeadLetter: 'discard',
    reconnectMsMin: 40,
    reconnectMsMax: 200,
    ...declared(queue, exchange),
  });
  // The one delay of half a minute is made a short one.
  const clock: typeof systemClock = {
    ...systemClock,
    wait: (delayMs, signal) => systemClock.wait(delayMs === 30_000 ? 20 : delayMs, signal),
  };
  const source = createAmqpSource('amqp', settings, { clock, observer: recordingObserver() });
  await using _source = { [Symbol.asyncDispose]: async () => void (await source.drain(AbortSignal.abort())) };
  const probe = handlerProbe();
  await source.start(probe.handler);
  await admin.channel.deleteExchange(exchange);
  await eventually(() => expect(source.state.kind).toBe('waiting'));
  await admin.channel.assertExchange(exchange, 'topic', { durable: false });
  await eventually(() => expect(source.state.kind).toBe('consuming'));
  await admin.publish(exchange, 'a', Buffer.from('again'));
  await eventually(() => expect(probe.messages).toHaveLength(1));
});

testWithRabbitMq('of two that consume exclusively the second waits, and takes over when the first ends', async () => {
  await using admin = await amqpAdmin();
  const [exchange, queue] = [await admin.exchange(), admin.name('own')];
  await using _queue = { [Symbol.asyncDispose]: async () => void (await admin.channel.deleteQueue(queue)) };
  await using first = queueSource(declared(queue, exchange, { exclusive: true }));
  await first.source.start(handlerProbe().handler);
  await using second = queueSource(declared(queue, exchange, { exclusive: true }));
  const probe = handlerProbe();
  await second.source.start(probe.handler);
  expect(second.source.state).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('to himself') });
  await first.source.drain(AbortSignal.abort());
  await eventually(() => expect(second.source.state.kind).toBe('consuming'));
  await admin.publish(exchange, 'a', Buffer.from('mine'));
  await eventually(() => expect(probe.messages).toHaveLength(1));
});

test.each([
  [
    'a queue that is none of its queues',
    { queues: ['a'], declare: { b: { bindings: [{ exchange: 'e' }] } } },
    'declare.b',
  ],
  ['a queue that gets nothing', { queues: ['a'], declare: { a: { bindings: [] } } }, 'declare.a.bindings'],
  [
    'declare beside bindings',
    { bindings: { e: 'topic' }, declare: { a: { bindings: [{ exchange: 'e' }] } } },
    'declare.a',
  ],
  ['exclusive beside bindings', { bindings: { e: 'topic' }, exclusive: true }, 'exclusive'],
])('settings: %s is refused', (_name, fields, place) => {
  const discard = 'queues' in fields ? { onDeadLetter: 'discard' } : {};
  const parsed = amqpSettings.safeParse({ urls: ['amqp://localhost'], ...discard, ...fields });
  expect(parsed.error?.issues.map(({ path }) => path.join('.'))).toContain(place);
});

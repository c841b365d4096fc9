import { expect } from 'vitest';
import { handlerProbe } from '../contracts/handler-probe.ts';
import { textOf } from '../contracts/test-data.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpUrl, amqpUrlAt } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';
import { bind, bindingSource } from './amqp-fixture.ts';

testWithRabbitMq('every process takes what the config subscribes to, once, whatever else of it is bound', async () => {
  await using admin = await amqpAdmin();
  const exchange = await admin.exchange();
  const settings = {
    subscribe: [
      { exchange, pattern: 'a.#' },
      { exchange, pattern: '*.1' },
    ],
    bindings: { [exchange]: 'topic' },
  };
  await using one = bindingSource(settings);
  await using two = bindingSource(settings);
  const [first, second] = [handlerProbe(), handlerProbe()];
  await one.source.start(first.handler);
  await two.source.start(second.handler);
  const binding = await bind(one.source, exchange, 'a.1');
  await admin.publish(exchange, 'a.1', Buffer.from('both'));
  await admin.publish(exchange, 'b.2', Buffer.from('none'));
  await eventually(() => expect(first.messages.map(textOf)).toEqual(['both']));
  await eventually(() => expect(second.messages.map(textOf)).toEqual(['both']));
  binding.release();
  const own = await bind(one.source, exchange, 'a.#');
  own.release();
  await bind(one.source, exchange, 'last');
  await admin.publish(exchange, 'a.2', Buffer.from('still'));
  await admin.publish(exchange, 'last', Buffer.from('last'));
  await eventually(() => expect(first.messages.map(textOf)).toEqual(['both', 'still', 'last']));
});

testWithRabbitMq(
  'an exchange that is not there is waited for where the config says so, and then subscribed to',
  async () => {
    await using admin = await amqpAdmin();
    const [exchange, missing] = [await admin.exchange(), admin.name('missing')];
    const subscribe = [{ exchange: missing }, { exchange }];
    await using fixture = bindingSource({ subscribe, whenMissing: 'wait' });
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    expect(fixture.source.state).toMatchObject({ kind: 'waiting', reason: expect.stringContaining(missing) });
    expect(fixture.faults()).toEqual(['amqp_missing']);
    await admin.publish(exchange, 'k', Buffer.from('a'));
    await admin.channel.assertExchange(missing, 'topic', { durable: false, autoDelete: true });
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
    await admin.publish(missing, 'k', Buffer.from('b'));
    await eventually(() => expect(probe.messages.map(textOf)).toContain('b'));
  },
);

testWithRabbitMq(
  'a broker that is away at the start is subscribed to when it comes, where the config says so',
  async () => {
    await using admin = await amqpAdmin();
    await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
    const exchange = await admin.exchange();
    proxy.cut();
    const settings = { urls: [amqpUrlAt(proxy.port)], subscribe: [{ exchange }], whenUnreachable: 'wait' };
    await using fixture = bindingSource(settings);
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    expect(fixture.source.state.kind).toBe('waiting');
    proxy.restore();
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
    await admin.publish(exchange, 'k', Buffer.from('a'));
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['a']));
  },
);

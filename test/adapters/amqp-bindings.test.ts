import type { Options } from 'amqplib';
import { expect } from 'vitest';
import { createTopicBindings } from '../../src/application/topic-bindings.ts';
import { hasBroker } from '../../src/bootstrap/has-broker.ts';
import { parseTopicPattern } from '../../src/domain/topic-pattern.ts';
import { handlerProbe, holdingProbe } from '../contracts/handler-probe.ts';
import { textOf } from '../contracts/test-data.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { createAmqpTap } from '../support/amqp-tap.ts';
import { amqpUrl, amqpUrlAt } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';
import { bind, bindingSource, neverAborts } from './amqp-fixture.ts';

const pattern = (text: string) => {
  const parsed = parseTopicPattern(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
};

testWithRabbitMq(
  '10.12: what is bound arrives, once, whatever else matches it; the queue is exclusive, named by the broker, and gone',
  async () => {
    await using admin = await amqpAdmin();
    await using tap = await createAmqpTap(amqpUrl);
    const exchange = await admin.exchange();
    const { source, ...fixture } = bindingSource({ urls: [amqpUrlAt(tap.port)], bindings: { [exchange]: 'topic' } });
    await using closing = fixture;
    void closing;
    const probe = handlerProbe();
    await source.start(probe.handler);
    await bind(source, exchange, 'inst1.*');
    await bind(source, exchange, 'inst1.#');
    await admin.publish(exchange, 'inst1.task1', Buffer.from('a'));
    await admin.publish(exchange, 'inst2.task1', Buffer.from('not bound'));
    await admin.publish(exchange, 'inst1.task2', Buffer.from('b'));
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['a', 'b']));
    const [queue = ''] = tap.declared;
    expect(queue).toMatch(/^amq\.gen-/);
    expect(probe.messages[0]?.event.origin.properties).toMatchObject({ queue, exchange, redelivered: false });
    await using other = await amqpAdmin();
    await expect(other.channel.checkQueue(queue)).rejects.toThrow('RESOURCE_LOCKED');
    await source.drain(neverAborts());
    await using after = await amqpAdmin();
    await expect(after.channel.checkQueue(queue)).rejects.toThrow('NOT_FOUND');
  },
);

testWithRabbitMq('a binding is gone within a second of its release, and others stay', async () => {
  await using admin = await amqpAdmin();
  const exchange = await admin.exchange();
  await using fixture = bindingSource({ bindings: { [exchange]: 'topic' } });
  await fixture.source.start(handlerProbe().handler);
  const first = await bind(fixture.source, exchange, 'a.#');
  await bind(fixture.source, exchange, 'b.#');
  expect(await admin.isRouted(exchange, 'a.1')).toBe(true);
  first.release();
  first.release();
  await eventually(async () => expect(await admin.isRouted(exchange, 'a.1')).toBe(false), 1000);
  expect(await admin.isRouted(exchange, 'b.1')).toBe(true);
});

testWithRabbitMq('released and bound again at once it is bound', async () => {
  await using admin = await amqpAdmin();
  const exchange = await admin.exchange();
  await using fixture = bindingSource({ bindings: { [exchange]: 'topic' } });
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  for (let round = 0; round < 20; round += 1) {
    const binding = await bind(fixture.source, exchange, 'a');
    const again = bind(fixture.source, exchange, 'a');
    binding.release();
    const held = await again;
    await admin.publish(exchange, 'a', Buffer.from(String(round)));
    await eventually(() => expect(probe.messages).toHaveLength(round + 1));
    held.release();
    await bind(fixture.source, exchange, 'a').then((last) => last.release());
  }
  await eventually(async () => expect(await admin.isRouted(exchange, 'a')).toBe(false));
});

testWithRabbitMq(
  'an exchange that does not exist is refused, and so is each pattern that the broker refuses, without disturbing anybody',
  async () => {
    await using admin = await amqpAdmin();
    const exchange = await admin.exchange();
    const missing = admin.name('missing');
    await using fixture = bindingSource({ bindings: { [exchange]: 'topic', [missing]: 'topic' } });
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    await bind(fixture.source, exchange, 'kept');
    const asked = await Promise.all([
      ...Array.from({ length: 20 }, (_, index) =>
        fixture.source.bind(exchange, pattern(`good.${index}`), neverAborts()),
      ),
      fixture.source.bind(missing, pattern('a'), neverAborts()),
      fixture.source.bind(missing, pattern('b'), neverAborts()),
      fixture.source.bind('unconfigured', pattern('a'), neverAborts()),
      fixture.source.bind('toString', pattern('a'), neverAborts()),
      fixture.source.bind(exchange, pattern('x'.repeat(256)), neverAborts()),
      ...Array.from({ length: 20 }, (_, index) =>
        fixture.source.bind(exchange, pattern(`more.${index}`), neverAborts()),
      ),
    ]);
    expect(asked.flatMap((verdict) => (verdict.ok ? [] : [verdict.reason.kind]))).toEqual([
      'no-stream',
      'no-stream',
      'no-stream',
      'no-stream',
      'no-pattern',
    ]);
    const reasons = asked.flatMap((verdict) => (verdict.ok ? [] : [verdict.reason.reason]));
    expect(reasons[0]).toContain(missing);
    for (const key of ['kept', 'good.0', 'good.19', 'more.19']) await admin.publish(exchange, key, Buffer.from(key));
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['kept', 'good.0', 'good.19', 'more.19']));
    expect(fixture.source.state.kind).toBe('consuming');
    expect(fixture.faults()).toEqual([]);
  },
);

testWithRabbitMq(
  'a bind waits while the connection is cut, and leaves nothing behind when nobody waits any more',
  async () => {
    await using admin = await amqpAdmin();
    await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
    const exchange = await admin.exchange();
    await using fixture = bindingSource({ urls: [amqpUrlAt(proxy.port)], bindings: { [exchange]: 'topic' } });
    await fixture.source.start(handlerProbe().handler);
    proxy.cut();
    await eventually(() => expect(fixture.source.state.kind).toBe('waiting'));
    const patient = bind(fixture.source, exchange, 'patient');
    const impatient = fixture.source.bind(exchange, pattern('impatient'), AbortSignal.timeout(20));
    await expect(impatient).rejects.toMatchObject({ code: 'amqp_unreachable', disposition: 'retry' });
    proxy.restore();
    await patient;
    expect(await admin.isRouted(exchange, 'patient')).toBe(true);
    expect(await admin.isRouted(exchange, 'impatient')).toBe(false);
  },
);

testWithRabbitMq('a broker that is away at the start is waited for, where the config says so', async () => {
  await using admin = await amqpAdmin();
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const exchange = await admin.exchange();
  const settings = { urls: ['amqp://127.0.0.1:1', amqpUrlAt(proxy.port)], bindings: { [exchange]: 'topic' } };
  proxy.cut();
  await using fixture = bindingSource({ ...settings, whenUnreachable: 'wait' });
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  expect(fixture.source.state).toMatchObject({ kind: 'waiting', reason: expect.stringContaining('127.0.0.1') });
  const bound = bind(fixture.source, exchange, 'a');
  proxy.restore();
  await bound;
  await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
  await admin.publish(exchange, 'a', Buffer.from('arrives'));
  await eventually(() => expect(probe.messages.map(textOf)).toEqual(['arrives']));
});

testWithRabbitMq(
  'a thousand bindings are back after the connection was cut, and after the queue was deleted',
  async () => {
    await using admin = await amqpAdmin();
    await using tap = await createAmqpTap(amqpUrl);
    await using proxy = await createTcpProxy(tap.port);
    const exchange = await admin.exchange();
    await using fixture = bindingSource({ urls: [amqpUrlAt(proxy.port)], bindings: { [exchange]: 'topic' } });
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    const keys = Array.from({ length: 1000 }, (_, index) => `key.${index}`);
    await Promise.all(keys.map((key) => bind(fixture.source, exchange, key)));
    const arrives = async (count: number) => {
      await Promise.all(keys.map((key) => admin.publish(exchange, key, Buffer.from(key))));
      await eventually(() => expect(probe.messages).toHaveLength(count));
    };
    await arrives(1000);
    proxy.cut();
    await eventually(() => expect(fixture.source.state.kind).toBe('waiting'));
    proxy.restore();
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
    await arrives(2000);
    tap.deleteQueue(tap.declared.at(-1) ?? '');
    await eventually(() => expect(fixture.faults()).toContain('amqp_consumer_cancelled'));
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
    await arrives(3000);
  },
);

testWithRabbitMq(
  'binds while the queue of the process is deleted are bound on the next one, and none is refused',
  async () => {
    await using admin = await amqpAdmin();
    await using tap = await createAmqpTap(amqpUrl);
    const exchange = await admin.exchange();
    await using fixture = bindingSource({ urls: [amqpUrlAt(tap.port)], bindings: { [exchange]: 'topic' } });
    await fixture.source.start(handlerProbe().handler);
    for (let round = 0; round < 5; round += 1) {
      await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
      const keys = Array.from({ length: 80 }, (_, index) => `${round}.${index}`);
      const before = keys.slice(0, 40).map((key) => bind(fixture.source, exchange, key));
      tap.deleteQueue(tap.declared.at(-1) ?? '');
      const after = keys.slice(40).map((key) => bind(fixture.source, exchange, key));
      await Promise.all([...before, ...after]);
      await eventually(async () => {
        for (const key of keys) expect(await admin.isRouted(exchange, key)).toBe(true);
      });
    }
  },
);

testWithRabbitMq(
  'a binding whose exchange has gone is told, waited for, and restored; it can be released meanwhile',
  async () => {
    await using admin = await amqpAdmin();
    await using tap = await createAmqpTap(amqpUrl);
    const [exchange, other] = [await admin.exchange(), await admin.exchange()];
    const bindings = { [exchange]: 'topic', [other]: 'topic' };
    await using fixture = bindingSource({ urls: [amqpUrlAt(tap.port)], bindings });
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    await bind(fixture.source, exchange, 'a');
    const released = await bind(fixture.source, exchange, 'b');
    await bind(fixture.source, other, 'c');
    await admin.channel.deleteExchange(exchange);
    tap.closeConsumingChannel();
    await eventually(() =>
      expect(fixture.source.state).toMatchObject({ kind: 'waiting', reason: expect.stringContaining(exchange) }),
    );
    released.release();
    await admin.publish(other, 'c', Buffer.from('still here'));
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['still here']));
    await admin.channel.assertExchange(exchange, 'topic', { durable: false });
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
    expect(await admin.isRouted(exchange, 'a')).toBe(true);
    expect(await admin.isRouted(exchange, 'b')).toBe(false);
  },
);

testWithRabbitMq(
  'a missing exchange is no lost broker, and nobody waits for it once its last holder has left',
  async () => {
    await using admin = await amqpAdmin();
    await using tap = await createAmqpTap(amqpUrl);
    await using proxy = await createTcpProxy(tap.port);
    const exchange = await admin.exchange();
    await using fixture = bindingSource({ urls: [amqpUrlAt(proxy.port)], bindings: { [exchange]: 'topic' } });
    await fixture.source.start(handlerProbe().handler);
    const holders = [await bind(fixture.source, exchange, 'a'), await bind(fixture.source, exchange, 'b')];
    await admin.channel.deleteExchange(exchange);
    tap.closeConsumingChannel();
    const reason = expect.stringContaining(exchange);
    await eventually(() => expect(fixture.source.state).toEqual({ kind: 'waiting', reason, isConnected: true }));
    expect(hasBroker(fixture.source)).toBe(true);
    for (const holder of holders) holder.release();
    expect(fixture.source.state.kind).toBe('consuming');
    proxy.cut();
    await eventually(() => expect(fixture.source.state).toMatchObject({ kind: 'waiting', isConnected: false }));
    expect(hasBroker(fixture.source)).toBe(false);
  },
);

testWithRabbitMq('an exchange that was deleted and made anew, without a word, is bound again', async () => {
  await using admin = await amqpAdmin();
  const [exchange, missing] = [await admin.exchange(), await admin.exchange()];
  const bindings = { [exchange]: 'topic', [missing]: 'topic' };
  await using fixture = bindingSource({ bindings, renewBindingsMs: 50 });
  await fixture.source.start(handlerProbe().handler);
  const first = await bind(fixture.source, exchange, 'a');
  for (const key of ['a', 'b', 'c']) await bind(fixture.source, missing, key);
  await admin.channel.deleteExchange(exchange);
  await admin.channel.assertExchange(exchange, 'topic', { durable: false });
  await eventually(async () => expect(await admin.isRouted(exchange, 'a')).toBe(true));
  expect(fixture.faults()).toEqual([]);
  first.release();
  await eventually(async () => expect(await admin.isRouted(exchange, 'a')).toBe(false));

  await admin.channel.deleteExchange(missing);
  const reason = expect.stringContaining(missing);
  await eventually(() => expect(fixture.source.state).toMatchObject({ kind: 'waiting', reason }));
  // Whoever wants it meanwhile waits as well.
  const waiting = bind(fixture.source, missing, 'a');
  await admin.channel.assertExchange(missing, 'topic', { durable: false });
  await waiting;
  await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
  for (const key of ['a', 'b', 'c']) expect(await admin.isRouted(missing, key)).toBe(true);
});

testWithRabbitMq('beyond `queueBytesMax` the oldest go, here as at the broker, and that is told once', async () => {
  await using admin = await amqpAdmin();
  const exchange = await admin.exchange();
  await using fixture = bindingSource({ bindings: { [exchange]: 'topic' }, inFlightMax: 1, queueBytesMax: 10_000 });
  const { probe, release } = holdingProbe();
  await fixture.source.start(probe.handler);
  await bind(fixture.source, exchange, '#');
  for (let index = 0; index < 50; index += 1) await admin.publish(exchange, `k${index}`, Buffer.alloc(744));
  await eventually(() => expect(fixture.faults()).toEqual(['amqp_overflow']));
  await admin.publish(exchange, 'last', Buffer.alloc(744));
  release();
  await eventually(() => expect(probe.messages.at(-1)?.event.key).toBe('last'));
  expect(probe.messages.length).toBeLessThan(15);
  expect(probe.messages[0]?.event.key).toBe('k0');
});

testWithRabbitMq(
  'headers: nested tables, bytes, whole numbers beyond 2^53, prototype names; a table that is too deep harms nobody',
  async () => {
    await using admin = await amqpAdmin();
    const exchange = await admin.exchange();
    await using fixture = bindingSource({ bindings: { [exchange]: 'topic' } });
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    await bind(fixture.source, exchange, '#');
    let deep: unknown = {};
    for (let depth = 0; depth < 1000; depth += 1) deep = { '': deep };
    const headers: Options.Publish['headers'] = {
      nested: { list: [1, { two: true }, null] },
      bytes: Buffer.of(1, 255),
      long: { '!': 'int64', value: 9_007_199_254_740_993n },
      when: { '!': 'timestamp', value: 1_700_000_000 },
      price: { '!': 'decimal', value: { places: 2, digits: 1999 } },
      ratio: 0.5,
      ok: true,
      ...JSON.parse('{"__proto__": {"x-delivery-count": 7}, "constructor": "c"}'),
    };
    await admin.publish(exchange, 'k', Buffer.from('1'), {
      headers,
      messageId: 'm1',
      timestamp: 1_700_000_000,
      contentType: 'a/b',
    });
    await admin.publish(exchange, 'k', Buffer.from('2'), { headers: { deep }, messageId: 'm2' });
    await admin.publish(exchange, 'k', Buffer.from('3'));
    await eventually(() => expect(probe.messages.map(textOf)).toEqual(['1', '2', '3']));
    const [first, second] = probe.messages;
    expect(first?.event.origin.properties['headers']).toEqual({
      nested: { list: [1, { two: true }, null] },
      bytes: Buffer.of(1, 255),
      long: '9007199254740993',
      when: 1_700_000_000,
      price: 19.99,
      ratio: 0.5,
      ok: true,
      ['__proto__']: { 'x-delivery-count': 7 },
      constructor: 'c',
    });
    expect([...(first?.event.attributes ?? [])]).toEqual([
      ['long', '9007199254740993'],
      ['when', '1700000000'],
      ['price', '19.99'],
      ['ratio', '0.5'],
      ['ok', 'true'],
      ['constructor', 'c'],
    ]);
    expect(first?.event).toMatchObject({ id: 'm1', publishedAt: 1_700_000_000_000, contentType: 'a/b', key: 'k' });
    expect(second?.event.id).toBe('m2');
    expect(JSON.stringify(second?.event.origin.properties['headers']).length).toBeLessThan(200);
    expect(fixture.faults()).toEqual([]);
  },
);

testWithRabbitMq('exchanges that are direct or fanout match as the broker matches them', async () => {
  await using admin = await amqpAdmin();
  const [direct, fanout] = [await admin.exchange('direct'), await admin.exchange('fanout')];
  await using fixture = bindingSource({ bindings: { [direct]: 'direct', [fanout]: 'fanout' } });
  const registry = createTopicBindings(() => [fixture.source]);
  const matched: string[] = [];
  const probe = handlerProbe(({ event }) => {
    matched.push(`${event.key} ${registry.match(event).length}`);
    return { kind: 'accept' };
  });
  await fixture.source.start(probe.handler);
  for (const [stream, key] of [
    [direct, 'a.*'],
    [direct, '#'],
    [fanout, 'whatever'],
  ] as const) {
    const bound = await registry.bind({ stream, pattern: pattern(key) }, neverAborts());
    expect(bound.ok).toBe(true);
  }
  for (const key of ['a.*', 'a.b', '#']) await admin.publish(direct, key, Buffer.from(key));
  await admin.publish(fanout, 'anything', Buffer.from('f'));
  await eventually(() => expect(matched).toEqual(['a.* 1', '# 1', 'anything 1']));
});

testWithRabbitMq('a connection over which nothing comes any more is given up after its heartbeats', async () => {
  await using admin = await amqpAdmin();
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const exchange = await admin.exchange();
  const settings = { urls: [amqpUrlAt(proxy.port)], bindings: { [exchange]: 'topic' }, heartbeatSeconds: 1 };
  await using fixture = bindingSource(settings);
  const probe = handlerProbe();
  await fixture.source.start(probe.handler);
  await bind(fixture.source, exchange, '#');
  proxy.stall();
  await eventually(() => expect(fixture.source.state).toMatchObject({ kind: 'waiting', isConnected: false }));
  expect(fixture.observer.of('source-fault')[0]).toMatchObject({ error: { cause: { message: 'Heartbeat timeout' } } });
  proxy.resume();
  await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
  await admin.publish(exchange, 'k', Buffer.from('back'));
  await eventually(() => expect(probe.messages.map(textOf)).toEqual(['back']));
});

import { expect } from 'vitest';
import { handlerProbe } from '../contracts/handler-probe.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpMethods, createAmqpTap } from '../support/amqp-tap.ts';
import { amqpUrl, amqpUrlAt } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';
import { bindingSource, queueSource } from './amqp-fixture.ts';

testWithRabbitMq('a broker that is silent after the handshake makes the start fail in time', async () => {
  await using admin = await amqpAdmin();
  await using tap = await createAmqpTap(amqpUrl);
  const [queue, exchange] = [await admin.queue(), await admin.exchange()];
  const settings = { urls: [amqpUrlAt(tap.port)], startTimeoutMs: 300 };
  for (const [make, what] of [
    [() => queueSource({ ...settings, queues: [queue], deadLetter: { exchange } }), exchange],
    [() => bindingSource({ ...settings, bindings: { [exchange]: 'topic' } }), 'the queue of this process'],
  ] as const) {
    await using fixture = make();
    tap.hold(amqpMethods.channelOpen);
    const started = fixture.source.start(handlerProbe().handler);
    const message = expect.stringContaining(what);
    await expect(started).rejects.toMatchObject({ code: 'amqp_unreachable', message });
    expect(fixture.source.state.kind).toBe('stopped');
  }
});

testWithRabbitMq('… or is waited for, where the config says so', async () => {
  await using admin = await amqpAdmin();
  await using tap = await createAmqpTap(amqpUrl);
  const [queue, exchange] = [await admin.queue(), await admin.exchange()];
  const settings = { urls: [amqpUrlAt(tap.port)], startTimeoutMs: 300, whenUnreachable: 'wait' };
  for (const make of [
    () => queueSource({ ...settings, queues: [queue], deadLetter: { exchange } }),
    () => bindingSource({ ...settings, bindings: { [exchange]: 'topic' } }),
  ]) {
    await using fixture = make();
    const silence = tap.hold(amqpMethods.channelOpen);
    await fixture.source.start(handlerProbe().handler);
    expect(fixture.source.state.kind).toBe('waiting');
    silence.release();
    await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
  }
});

testWithRabbitMq('a connection that is lost over a look at an exchange does not hold the start back', async () => {
  await using admin = await amqpAdmin();
  await using tap = await createAmqpTap(amqpUrl);
  await using proxy = await createTcpProxy(tap.port);
  const [queue, exchange] = [await admin.queue(), await admin.exchange()];
  await using fixture = queueSource({
    urls: [amqpUrlAt(proxy.port)],
    queues: [queue],
    deadLetter: { exchange },
    startTimeoutMs: 60_000,
  });
  const closing = tap.hold(amqpMethods.channelClose);
  const started = fixture.source.start(handlerProbe().handler);
  await closing.reached;
  proxy.cut();
  await started;
  proxy.restore();
  await eventually(() => expect(fixture.source.state.kind).toBe('consuming'));
});

testWithRabbitMq('a drain ends a start that is under way, at whatever the broker is silent about', async () => {
  await using admin = await amqpAdmin();
  await using tap = await createAmqpTap(amqpUrl);
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const [queue, exchange] = [await admin.queue(), await admin.exchange()];
  proxy.stall();
  for (const [port, whenUnreachable] of [
    [tap.port, 'fail'],
    [proxy.port, 'fail'],
    [proxy.port, 'wait'],
  ]) {
    await using fixture = queueSource({
      urls: [amqpUrlAt(Number(port))],
      queues: [queue],
      deadLetter: { exchange },
      startTimeoutMs: 60_000,
      whenUnreachable,
    });
    const silence = tap.hold(amqpMethods.channelOpen);
    const started = fixture.source.start(handlerProbe().handler);
    await (port === tap.port ? silence.reached : eventually(() => expect(proxy.connections).toBeGreaterThan(0)));
    const drained = fixture.source.drain(AbortSignal.timeout(60_000));
    await expect(started).rejects.toMatchObject({ code: 'amqp_draining' });
    expect(await drained).toEqual({ settled: 0, abandoned: 0 });
    expect(fixture.source.state.kind).toBe('stopped');
    expect(fixture.faults()).toEqual([]);
  }
});

testWithRabbitMq('the first of several URLs is silent: the next one is taken in time', async () => {
  await using admin = await amqpAdmin();
  await using proxy = await createTcpProxy(Number(new URL(amqpUrl).port));
  const queue = await admin.queue();
  proxy.stall();
  await using fixture = queueSource({ urls: [amqpUrlAt(proxy.port), amqpUrl], queues: [queue], startTimeoutMs: 1000 });
  await fixture.source.start(handlerProbe().handler);
  expect(fixture.source.state.kind).toBe('consuming');
});

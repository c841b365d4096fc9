import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { handlerProbe } from '../contracts/handler-probe.ts';
import { textOf } from '../contracts/test-data.ts';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { eventually } from '../support/eventually.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq-broker.ts';
import { testCertificate, testCertificateKey } from '../support/test-certificate.ts';
import { describeWithOwnRabbitMq } from '../support/with-brokers.ts';
import { bind, bindingSource, event, queueSource } from './amqp-fixture.ts';

/** A broker that starts anew takes its time. */
const restartMsMax = 60_000;

describeWithOwnRabbitMq('a RabbitMQ that stops, dies, blocks, and asks who is there', () => {
  let broker: RabbitMq;
  let folder: string;
  const [queue, exchange] = ['durable-queue', 'durable-exchange'];
  const file = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amqp-broker-'));
    await writeFile(file('certificate.pem'), testCertificate);
    await writeFile(file('key.pem'), testCertificateKey);
    broker = await startRabbitMq({
      config: (port) => [
        `listeners.ssl.1 = 127.0.0.1:${port}`,
        `ssl_options.cacertfile = ${file('certificate.pem')}`,
        `ssl_options.certfile = ${file('certificate.pem')}`,
        `ssl_options.keyfile = ${file('key.pem')}`,
        'frame_max = 8192',
      ],
    });
    await using admin = await amqpAdmin(broker.url);
    await admin.channel.assertQueue(queue, { durable: true });
    await admin.channel.assertExchange(exchange, 'topic', { durable: true });
    await admin.channel.bindQueue(queue, exchange, 'queue');
  }, 120_000);

  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const publish = async (key: string, text: string): Promise<void> => {
    await using admin = await amqpAdmin(broker.url);
    await admin.publish(exchange, key, Buffer.from(text), { persistent: true });
  };

  test.each([
    ['stopped and started (10.13)', async () => void (await broker.ctl('stop_app')), () => broker.ctl('start_app')],
    ['killed and started again (10.13)', () => broker.kill(), () => broker.start()],
  ])(
    'a broker that is %s: sources wait, say why, and are back, with a thousand bindings',
    async (_, stop, start) => {
      await using queues = queueSource({ urls: [broker.url], queues: [queue] });
      await using bindings = bindingSource({ urls: [broker.url], bindings: { [exchange]: 'topic' } });
      const [fromQueue, bound] = [handlerProbe(), handlerProbe()];
      await queues.source.start(fromQueue.handler);
      await bindings.source.start(bound.handler);
      const keys = Array.from({ length: 1000 }, (_, index) => `key.${index}`);
      await Promise.all(keys.map((key) => bind(bindings.source, exchange, key)));
      await publish('queue', 'before');
      await eventually(() => expect(fromQueue.messages.map(textOf)).toEqual(['before']));
      await stop();
      await eventually(() => {
        for (const { source } of [queues, bindings]) {
          expect(source.state).toMatchObject({ kind: 'waiting', reason: expect.stringContaining(String(broker.port)) });
        }
      });
      await start();
      await eventually(() => {
        for (const { source } of [queues, bindings]) expect(source.state.kind).toBe('consuming');
      }, restartMsMax);
      await publish('queue', 'after');
      await using admin = await amqpAdmin(broker.url);
      await Promise.all(keys.map((key) => admin.publish(exchange, key, Buffer.from(key))));
      await eventually(() => {
        // A broker that dies may not have kept that a message was acknowledged.
        expect(new Set(fromQueue.messages.map(textOf))).toEqual(new Set(['before', 'after']));
        expect(bound.messages).toHaveLength(1000);
      });
      const told = new Set([...queues.faults(), ...bindings.faults()]);
      expect([...told.difference(new Set(['amqp_closed', 'amqp_unreachable']))]).toEqual([]);
    },
    120_000,
  );

  test('a broker killed over what it has not confirmed: it is published again, and nothing is lost', async () => {
    await using fixture = queueSource({ urls: [broker.url], queues: [queue], publish: { confirmTimeoutMs: 90_000 } });
    const payload = Buffer.alloc(4096);
    const ids = Array.from({ length: 8000 }, (_, index) => `id-${index}`);
    const published = ids.map((id) => fixture.source.publish(event({ id, stream: exchange, key: 'queue', payload })));
    let confirmed = 0;
    for (const each of published) void each.then(() => (confirmed += 1));
    await Promise.race(published);
    await broker.kill();
    expect(confirmed).toBeLessThan(ids.length);
    await broker.start();
    await Promise.all(published);
    await using admin = await amqpAdmin(broker.url);
    const messages = await admin.collect(queue);
    await eventually(() => {
      expect(new Set(messages.map(({ properties }) => properties.messageId)).size).toBe(ids.length);
    });
  }, 120_000);

  test('headers that are larger than a frame are refused alone', async () => {
    const publish = { unroutable: 'accept' };
    await using fixture = queueSource({ urls: [broker.url], queues: [queue], publish });
    const ids = ['first', 'a', 'large', 'b', 'c'];
    const outcomes = await Promise.allSettled(
      ids.map((id) => {
        const attributes = new Map(id === 'large' ? [['large', 'x'.repeat(10_000)]] : []);
        return fixture.source.publish(event({ id, stream: exchange, key: 'nowhere', attributes }));
      }),
    );
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ code: 'amqp_unpublishable' })]);
    expect(fixture.faults()).toEqual([]);
  });

  test('a broker that blocks publishers is told of; what is published waits until it goes on', async () => {
    await using fixture = queueSource({ urls: [broker.url], queues: [queue], publish: { confirmTimeoutMs: 30_000 } });
    const probe = handlerProbe();
    await fixture.source.start(probe.handler);
    await fixture.source.publish(event({ id: 'before', stream: exchange, key: 'queue' }));
    await broker.ctl('set_vm_memory_high_watermark', '0.00001');
    const waiting = fixture.source.publish(event({ id: 'blocked', stream: exchange, key: 'queue' }));
    await eventually(() => expect(fixture.faults()).toEqual(['amqp_blocked']));
    expect(fixture.source.state.kind).toBe('consuming');
    expect(probe.messages).toHaveLength(1);
    await broker.ctl('set_vm_memory_high_watermark', '0.4');
    await waiting;
    await eventually(() => expect(probe.messages).toHaveLength(2));
  }, 60_000);

  test('a wrong password, a vhost that is not there, a queue that may not be read: each is said, and the password never', async () => {
    const wrong = new URL(broker.url);
    wrong.password = 'wrong-but-secret';
    await broker.ctl('add_user', 'reader', 'secret-of-the-reader');
    await broker.ctl('set_permissions', 'reader', '', '', '^$');
    const reader = new URL(broker.url);
    [reader.username, reader.password] = ['reader', 'secret-of-the-reader'];
    const cases = [
      { code: 'amqp_credentials_refused', settings: { urls: [wrong.href] }, names: String(broker.port) },
      { code: 'amqp_vhost_refused', settings: { urls: [broker.url], vhost: 'no-such-vhost' }, names: 'no-such-vhost' },
      { code: 'amqp_vhost_refused', settings: { urls: [`${broker.url}/other%2Fvhost`] }, names: 'other/vhost' },
      { code: 'amqp_permission_missing', settings: { urls: [reader.href] }, names: queue },
    ];
    for (const { code, settings, names } of cases) {
      await using fixture = queueSource({ queues: [queue], ...settings });
      const error: unknown = await fixture.source.start(handlerProbe().handler).catch((fault: unknown) => fault);
      expect(error).toMatchObject({ code, disposition: 'stop', message: expect.stringContaining(names) });
      const told = inspect([error, fixture.observer.observations, fixture.source.state], {
        depth: 20,
        showHidden: true,
      });
      expect(told).not.toMatch(/wrong-but-secret|secret-of-the-reader/);
      expect(told).not.toContain(broker.password);
    }
  }, 60_000);

  test('TLS: with the right CA and name, and with neither', async () => {
    const url = broker.url.replace('amqp://', 'amqps://').replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${broker.otherPort}`);
    await writeFile(file('no.pem'), 'no certificate');
    const start = async (tls: object): Promise<unknown> => {
      await using fixture = queueSource({ urls: [url], queues: [queue], tls });
      return await fixture.source.start(handlerProbe().handler).catch((fault: unknown) => fault);
    };
    expect(await start({ caFile: file('certificate.pem') })).toBeUndefined();
    expect(await start({ caFile: file('certificate.pem'), serverName: 'localhost' })).toBeUndefined();
    for (const tls of [
      {},
      { caFile: file('certificate.pem'), serverName: 'other.example' },
      { caFile: file('no.pem') },
      { caFile: file('gone.pem') },
    ]) {
      expect(await start(tls)).toMatchObject({ code: 'amqp_tls_failed', disposition: 'stop' });
    }
    await using plain = queueSource({ urls: [url.replace('amqps:', 'amqp:')], queues: [queue] });
    const started = plain.source.start(handlerProbe().handler);
    await expect(started).rejects.toMatchObject({ code: expect.stringMatching(/^amqp_(unreachable|failed)$/) });
  }, 60_000);
});

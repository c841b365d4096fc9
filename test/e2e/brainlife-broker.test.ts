import { afterAll, beforeAll, expect, test } from 'vitest';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { type Brainlife, framesOf, mine, startBrainlife } from '../support/brainlife-gateway.ts';
import { eventually } from '../support/eventually.ts';
import { type RabbitMq, startRabbitMq } from '../support/rabbitmq-broker.ts';
import { type RelayClient, settled } from '../support/relay-client.ts';
import { describeWithOwnRabbitMq } from '../support/with-brokers.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** It is stopped and killed here, so it is a broker of this file's own. */
describeWithOwnRabbitMq('a broker of its own', () => {
  let broker: RabbitMq;
  let brainlife: Brainlife;
  beforeAll(async () => {
    broker = await startRabbitMq();
    // `wf` and `warehouse.dataset` are not there.
    brainlife = await startBrainlife(broker.url, ['wf.task', 'wf.instance', 'warehouse', 'public']);
  }, 120_000);
  afterAll(async () => {
    await using _ = broker;
    await brainlife[Symbol.asyncDispose]();
  });

  /** The table that `rabbitmqctl` prints, without its head. */
  const list = async (...args: readonly string[]) =>
    (await broker.ctl(...args, '--quiet', '--no-table-headers'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  /** Keys that are bound to an exchange other than the default one. */
  const bindings = async () =>
    (await list('list_bindings', 'source_name', 'routing_key'))
      .filter(([source]) => source !== '')
      .sort(([, one = ''], [, other = '']) => one.localeCompare(other));

  test('10.12: one queue: exclusive, auto-delete, not durable, named by the broker; noAck', async () => {
    const clients = [await brainlife.open(), await brainlife.open()];
    const instance = mine();
    for (const client of clients) {
      await client.bound('wf.task', `${instance}.#`);
      await client.bound('wf.task', `${instance}.t`);
    }
    const queues = await list('list_queues', 'name', 'durable', 'auto_delete', 'exclusive', 'arguments');
    expect(queues).toEqual([[expect.stringMatching(/^amq\.gen-/), 'false', 'true', 'true', expect.any(String)]]);
    const consumers = await list('list_consumers', 'queue_name', 'ack_required');
    expect(consumers).toEqual([[queues[0]?.[0], 'false']]);
    expect(await bindings()).toEqual([
      ['wf.task', `${instance}.#`],
      ['wf.task', `${instance}.t`],
    ]);

    clients[0]?.socket.close();
    await clients[0]?.closed;
    await settled(clients[1] as RelayClient);
    expect(await bindings()).toHaveLength(2);
    await using admin = await amqpAdmin(broker.url);
    clients[1]?.socket.terminate();
    await eventually(async () => expect(await admin.isRouted('wf.task', `${instance}.t`)).toBe(false), 1000);
    await eventually(async () => expect(await bindings()).toEqual([]));
  });

  test('10.12: an exchange that is not there is refused, is not made, and disturbs nobody', async () => {
    const [client, bystander] = [await brainlife.open(), await brainlife.open()];
    const instance = mine();
    await bystander.bound('wf.task', `${instance}.#`);
    client.bind('warehouse.dataset', mine());
    client.send({ bind: { ex: 'wf', key: mine(), id: 1 } });
    await eventually(() => expect(client.messages).toEqual([{ error: { code: 'stream_unknown', id: 1 } }]));
    await brainlife.publish('wf.task', `${instance}.t`, { n: 1 });
    await eventually(() => expect(bystander.frames.map(({ msg }) => msg)).toEqual([{ n: 1 }]));
    const exchanges = (await list('list_exchanges', 'name')).flat();
    expect([exchanges.includes('wf'), exchanges.includes('warehouse.dataset')]).toEqual([false, false]);
    await client.bound('wf.task', `${instance}.#`);
  });

  test.each([
    ['killed', () => broker.kill(), () => broker.start()],
    ['stopped and started', () => broker.ctl('stop_app'), () => broker.ctl('start_app')],
  ])('10.13: the broker is %s with 1,000 clients bound', { timeout: 180_000 }, async (_, stop, start) => {
    const group = mine();
    const clients = await Promise.all(upTo(1000).map(() => brainlife.open()));
    for (const [index, client] of clients.entries()) {
      client.send({ bind: { ex: 'wf.task', key: `${group}.${index % 100}.#`, id: index } });
    }
    await eventually(() => expect(clients.filter(({ messages }) => messages.length === 0)).toEqual([]), 60_000);
    expect(clients.flatMap(({ errors }) => errors)).toEqual([]);
    expect(await bindings()).toHaveLength(100);
    await brainlife.publish('wf.task', `${group}.7.t`, { n: 0 });
    await eventually(() => expect(clients.filter(({ frames }) => frames.length > 0)).toHaveLength(10));

    await stop();
    const health = async () => (await fetch(`${brainlife.gateway.url}/health`)).json();
    await eventually(async () =>
      expect(await health()).toEqual({ status: 'failed', amqp_connected: false, message: 'amqp disconnected' }),
    );
    // Whoever comes meanwhile is bound when the broker is back.
    const late = await brainlife.open();
    late.bind('wf.task', `${group}.#`);
    await settled(late);
    await start();
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ok' }), 60_000);
    await eventually(async () => expect(await bindings()).toHaveLength(101), 60_000);
    await brainlife.publishAgain();

    for (const index of upTo(100)) await brainlife.publish('wf.task', `${group}.${index}.t`, { n: 1 });
    await eventually(() => expect(framesOf(late)).toHaveLength(100));
    await eventually(() =>
      expect(clients.map(({ frames }) => frames.at(-1)?.msg)).toEqual(upTo(1000).map(() => ({ n: 1 }))),
    );
    expect(new Set(clients.map(({ socket }) => socket.readyState))).toEqual(new Set([1]));
    const counts = clients.map(({ frames }) => frames.length);
    expect(counts).toEqual(upTo(1000).map((index) => (index % 100 === 7 ? 2 : 1)));
    for (const client of [...clients, late]) client.socket.terminate();
    await eventually(async () => expect(await bindings()).toEqual([]), 30_000);
  });
});

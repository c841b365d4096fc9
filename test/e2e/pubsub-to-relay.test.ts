import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished } from 'vitest';
import { emulatorProject } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { openRelay } from '../support/relay-client.ts';
import { testWithPubSub } from '../support/with-brokers.ts';

testWithPubSub('Pub/Sub reaches WebSocket clients that bind its topic, by config alone', async () => {
  const emulator = inject('pubsubEmulatorHost');
  const broker = emulatorProject(emulator, `relay-${randomUUID()}`);
  await broker.createTopic('orders');
  await broker.createSubscription('orders-edge', 'orders', { enableMessageOrdering: true });
  onTestFinished(() => broker.deleteSubscription('orders-edge'));
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-relay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  const pubsub = { project: broker.project, emulator, subscriptions: ['orders:orders-edge'], onDeadLetter: 'discard' };
  const config = {
    listen: { port: 0 },
    sources: [{ pubsub }],
    endpoints: [{ websocket: { exchanges: { orders: { public: true } } } }],
  };
  await writeFile(file, JSON.stringify(config));
  await using gateway = await startGatewayProcess({ args: ['start', file] });
  const client = await openRelay(`${gateway.url.replace('http', 'ws')}/subscribe`);
  await client.bound('orders', 'shop.*');

  const data = (order: number) => Buffer.from(JSON.stringify({ order })).toString('base64');
  await broker.publish('orders', { data: data(1), orderingKey: 'till.1' }, { data: data(2), orderingKey: 'shop.1' });
  await eventually(() => expect(client.frames).toHaveLength(1));
  expect(client.frames).toMatchObject([{ dinfo: { exchange: 'orders', routingKey: 'shop.1' }, msg: { order: 2 } }]);
});

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { expect, inject, onTestFinished } from 'vitest';
import { emulatorProject } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startKeyServer, testKey } from '../support/key-server.ts';
import { startPushForwarder } from '../support/push-forwarder.ts';
import { testWithPubSub } from '../support/with-brokers.ts';

const account = 'edgeward-push@edgeward-test.iam.gserviceaccount.com';
const audience = 'https://edgeward.example.com/v1/push/orders';

const config = (project: string, jwks: string): string => `
listen: { port: 0 }
sources:
  - name: orders
    pubsubPush:
      project: ${project}
      subscriptions: ["orders.v1:orders-push"]
      credentials: [{ from: header.authorization, accepts: [google] }]
      require: "google.claims.email == '${account}' && google.claims.email_verified == true"
      onDeadLetter: discard
identity:
  tokens:
    google: { issuers: [https://accounts.google.com], jwks: "${jwks}", audiences: [${audience}] }
endpoints:
  - socketio: { rooms: [{ templates: [everybody] }] }
routes:
  - eachOf: [everybody]
`;

/** The gateway as `edgeward start` runs it, with a config file of its own. */
async function startPushed(project: string, jwks: string) {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-push-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, config(project, jwks));
  return startGatewayProcess({ args: ['start', file] });
}

async function connected(url: string): Promise<{ readonly socket: Socket; readonly received: readonly unknown[] }> {
  const socket = io(url, { transports: ['websocket'] });
  onTestFinished(() => void socket.disconnect());
  const received: unknown[] = [];
  socket.on('orders.v1', (data) => void received.push(data));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, received };
}

testWithPubSub('from a topic of the emulator, by a push with a signed token, to a Socket.IO client', async () => {
  const key = await testKey('google-key');
  const keys = await startKeyServer(key);
  onTestFinished(() => keys.close());
  const broker = emulatorProject(inject('pubsubEmulatorHost'), `push-${randomUUID()}`);
  await using gateway = await startPushed(broker.project, keys.jwksUrl);
  expect(gateway.output()).toContain(`  orders: Pub/Sub pushes to POST ${gateway.url}/v1/push/orders\n`);

  const claims = { iss: 'https://accounts.google.com', aud: audience, email: account, email_verified: true };
  const exp = Math.floor(Date.now() / 1000) + 3600;
  let email = 'somebody.else@example.com';
  const forwarder = await startPushForwarder(async () => `Bearer ${await key.sign({ ...claims, exp, email })}`);
  onTestFinished(() => forwarder.close());
  forwarder.forwardTo(`${gateway.url}/v1/push/orders`);
  await broker.createTopic('orders.v1');
  await broker.createSubscription('orders-push', 'orders.v1', { pushConfig: { pushEndpoint: forwarder.url } });
  onTestFinished(() => broker.deleteSubscription('orders-push'));

  const { received } = await connected(gateway.url);
  await broker.publish('orders.v1', { data: Buffer.from('{"order":4711}').toString('base64') });
  // Somebody else may not push, so the message stays where it is.
  await eventually(() => expect(forwarder.statuses).toContain(403));
  expect(received).toEqual([]);
  email = account;
  await eventually(() => expect(forwarder.statuses.at(-1)).toBe(204));
  await eventually(() => expect(received).toEqual([{ order: 4711 }]));
  expect(gateway.output()).toContain('"code":"access_denied"');
  expect(gateway.output()).not.toContain('somebody.else');
});

import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { connectedSpacesClient, oldVersions } from '../support/spaces-clients.ts';

let gateway: GatewayProcess;
beforeAll(async () => {
  gateway = await startGatewayProcess();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const roles = ['edgeward.client', 'edgeward.publisher', 'edgeward.rooms-client'];
const tokenOf = (user: string) => developmentToken(gateway.url, { tenant: 'demo', user, roles });

test('v4 clients and those of Spaces share a process, a port and a path, and nothing else', async () => {
  const token = await tokenOf('till');
  using till = await connectClient(gateway.url, token);
  const errors: unknown[] = [];
  till.socket.on('connect_error', (error) => errors.push(error));
  const query = { tokenType: 'jwt', token: await tokenOf('ann') };
  const talkers = await Promise.all(
    oldVersions.map((version) => connectedSpacesClient(gateway.url, { version, query, namespace: '/chat' })),
  );
  for (const talker of talkers) await talker.subscribe('lobby');
  talkers[0]?.say('lobby', 'among us');
  await eventually(() => {
    for (const talker of talkers) expect(talker.texts('lobby')).toEqual(['among us']);
  });
  await publish(gateway.url, token, { stream: 'orders', attributes: { 'Tenant-Id': 'demo' }, data: 'for tills' });
  await eventually(() => expect(till.received).toMatchObject([{ name: 'orders', data: 'for tills' }]));

  // Neither reaches the rooms of the other: by what is published, by what is asked for, by what is sent.
  await publish(gateway.url, token, { stream: 'spaces', key: 'lobby', attributes: { 'Tenant-Id': 'demo' }, data: 'x' });
  till.socket.emit('SUBSCRIBE_CHANNEL', { channel: { type: 'topic', _id: 'lobby' } });
  till.socket.emit('SEND_MESSAGE', { content: { bodyText: 'x' }, topicId: 'lobby' });
  using curious = await connectClient(gateway.url, token, { rooms: 'spaces/lobby', topics: 'spaces' });
  for (const talker of talkers) await expect(talker.subscribe('tenants/demo')).resolves.toBeDefined();
  await publish(gateway.url, token, { stream: 'orders', attributes: { 'Tenant-Id': 'demo' }, data: 'last' });
  talkers[0]?.say('lobby', 'last');
  await eventually(() => expect(till.received.at(-1)?.data).toBe('last'));
  await eventually(() => {
    for (const talker of talkers) expect(talker.texts('lobby')).toEqual(['among us', 'last']);
  });
  expect(till.received.map(({ data }) => data)).toEqual(['for tills', 'x', 'last']);
  expect(curious.received).toEqual([]);
  expect(errors).toEqual([]);
  for (const talker of talkers) {
    expect(new Set(talker.events.map(([name]) => name))).toEqual(
      new Set(['connect', 'CHANNEL_SUBSCRIBED', 'MESSAGE_SENT']),
    );
  }
});

test('an old client is in / unasked, and can do nothing there', async () => {
  const socket = new WebSocket(
    `${gateway.url.replace('http', 'ws')}/socket.io/?EIO=3&transport=websocket&token=${await tokenOf('x')}`,
  );
  onTestFinished(() => socket.terminate());
  const frames: string[] = [];
  socket.on('message', (data: Buffer) => void frames.push(data.toString()));
  await eventually(() => expect(frames).toEqual([expect.stringMatching(/^0/), '40']));
  socket.send('42["SUBSCRIBE_CHANNEL",{"channel":{"type":"topic","_id":"lobby"}}]');
  socket.send('2');
  await eventually(() => expect(frames.slice(2)).toEqual(['3']));
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  expect(metrics).toMatch(/^edgeward_old_clients_total\{endpoint="spaces"\} [1-9]/m);
  expect(metrics).toMatch(/^edgeward_connections\{endpoint="socketio"\} 0$/m);
});

test('a newer client may be in either namespace, on a connection of its own', async () => {
  const token = await tokenOf('ann');
  const options = { transports: ['websocket'], auth: { token }, query: { token } };
  const shared = io(gateway.url, { ...options, forceNew: true });
  onTestFinished(() => void shared.disconnect());
  await new Promise<void>((resolve) => shared.once('connect', resolve));
  const second = shared.io.socket('/chat', { auth: { token } });
  const refusal = await new Promise<unknown>((resolve) => second.once('connect_error', resolve));
  expect(refusal).toMatchObject({ data: { code: 'connection_in_use' } });
  const own = await connectedSpacesClient(gateway.url, { version: 'newest', query: { token } });
  await own.subscribe('lobby');
  expect(shared.connected).toBe(true);
});

test('says that every space is open, in the log and to whoever asks whether it is ready', async () => {
  expect(gateway.output()).toMatch(/"membership":"open".*membership: open/);
  const ready = (await (await fetch(`${gateway.url}/readyz`)).json()) as { endpoints: readonly object[] };
  expect(ready.endpoints).toContainEqual(expect.objectContaining({ name: 'spaces', membership: 'open' }));
});

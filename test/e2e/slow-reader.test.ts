import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { loadEdgewardConfig } from '../../src/bootstrap/config/edgeward-config.ts';
import { composeGateway } from '../../src/bootstrap/container.ts';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { recordingObserver } from '../support/recording-observer.ts';

/** A masked text frame of a client (RFC 6455 section 5.2), for texts below 64 KiB. */
function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([header, payload]);
}

/** Connects to the Socket.IO endpoint, and once it is admitted reads no byte more. */
async function connectDeafClient(url: string, token: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  let seen = '';
  socket.on('data', (chunk) => {
    seen += chunk.toString('latin1');
  });
  await eventually(() => expect(seen).toContain('0{"sid"'));
  socket.write(clientFrame(`40${JSON.stringify({ token })}`));
  await eventually(() => expect(seen).toContain('40{"sid"'));
  socket.removeAllListeners('data');
  socket.pause();
  return socket;
}

const metric = async (url: string, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(name) && !each.startsWith('#'));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
};

test('a client that stops reading under a firehose is cut; the others get everything, memory stays flat', async () => {
  await using gateway = await startGatewayProcess();
  const { url } = gateway;
  const tenant = 'firehose';
  const token = await developmentToken(url, { tenant, roles: ['edgeward.client', 'edgeward.publisher'] });
  using reader = await connectClient(url, token);
  const deaf = await connectDeafClient(url, token);
  const before = await metric(url, 'process_resident_memory_bytes');

  const text = 'x'.repeat(60_000);
  const total = 600;
  for (let index = 0; index < total; index += 10) {
    const events = Array.from({ length: 10 }, (_, offset) => ({
      stream: 's',
      attributes: { 'Tenant-Id': tenant },
      data: { number: index + offset, text },
    }));
    expect((await publish(url, token, events)).status).toBe(202);
  }
  await eventually(() => expect(reader.received).toHaveLength(total));
  expect(reader.received.map(({ data }) => (data as { number: number }).number)).toEqual(
    Array.from({ length: total }, (_, number) => number),
  );
  await eventually(async () => expect(await metric(url, 'edgeward_connections_cut_total')).toBe(1));
  expect(await metric(url, 'edgeward_connections{endpoint="socketio"}')).toBe(1);
  // 36 MB went to the one that reads; had they been kept for the other, they would be here.
  expect((await metric(url, 'process_resident_memory_bytes')) - before).toBeLessThan(150e6);
  const ended = new Promise((resolve) => deaf.once('close', resolve));
  deaf.resume();
  await ended;
});

/** The demo, whose clients together may be owed a mebibyte, and each of them far more. */
async function startCrowdedDemo() {
  const preset = await readFile(new URL('../../presets/demo.yaml', import.meta.url), 'utf8');
  const endpoint = preset.replace('      eventName:', '      sendQueueBytesMax: 100000000\n      eventName:');
  const config = loadEdgewardConfig(`${endpoint}\nlimits: { sendQueuesBytesMax: 1048576 }\n`, { PORT: '0' });
  if (!config.ok) throw new Error(JSON.stringify(config.reason));
  const observer = recordingObserver();
  const gateway = await composeGateway(config.value, { version: 'test', observer });
  const { listener } = await gateway.start();
  onTestFinished(async () => void (await gateway.stop(1000)));
  return { url: listener.url, observer };
}

test('deaf clients of one tenant that answer pings hold up the others for seconds only', async () => {
  const { url, observer } = await startCrowdedDemo();
  const tokenOf = (tenant: string) =>
    developmentToken(url, { tenant, roles: ['edgeward.client', 'edgeward.publisher'] });
  const [noisy, quiet] = await Promise.all([tokenOf('noisy'), tokenOf('quiet')]);
  using reader = await connectClient(url, quiet);
  for (let client = 0; client < 4; client += 1) {
    const deaf = await connectDeafClient(url, noisy);
    // A pong before any ping.
    const pongs = setInterval(() => deaf.write(clientFrame('3')), 100);
    onTestFinished(() => clearInterval(pongs));
    deaf.once('error', () => clearInterval(pongs));
  }
  const data = 'x'.repeat(100_000);
  const flood = () => publish(url, noisy, { stream: 's', attributes: { 'Tenant-Id': 'noisy' }, data });
  while ((await flood()).status === 202);
  expect(observer.of('pressure')).toMatchObject([{ paused: true }]);
  expect(observer.of('connection-cut')).toEqual([]);

  await eventually(async () => {
    const event = { stream: 's', attributes: { 'Tenant-Id': 'quiet' }, data: 'for the quiet' };
    expect((await publish(url, quiet, event)).status).toBe(202);
  });
  await eventually(() => expect(reader.received.map((event) => event.data)).toEqual(['for the quiet']));
  // What was accepted before may bring new pressure by now.
  expect(observer.of('pressure').slice(0, 2)).toMatchObject([{ paused: true }, { paused: false }]);
  expect(observer.of('connection-cut').length).toBeGreaterThan(0);
});

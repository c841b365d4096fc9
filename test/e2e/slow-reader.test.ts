import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';

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

import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startEdgeward, startMsMax } from '../support/gateway-process.ts';
import { testCertificate, testCertificateKey } from '../support/test-certificate.ts';

/** Posts JSON to a server whose certificate signs itself. */
function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const options = { method: 'POST', ca: testCertificate, headers: { 'content-type': 'application/json', ...headers } };
  return new Promise((resolve, reject) => {
    request(url, options, (answer) => void text(answer).then(JSON.parse).then(resolve, reject))
      .on('error', reject)
      .end(JSON.stringify(body));
  });
}

test('hiiretail 8.1: the stock client over wss', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'edgeward-'));
  const [certificate, key, config] = ['certificate.pem', 'key.pem', 'gateway.yaml'].map((name) =>
    join(folder.path, name),
  );
  if (!certificate || !key || !config) throw new Error('three names make three paths');
  writeFileSync(certificate, testCertificate);
  writeFileSync(key, testCertificateKey);
  const demo = readFileSync(new URL('../../presets/demo.yaml', import.meta.url), 'utf8');
  const tls = `  tls: { certificateFile: "${certificate}", keyFile: "${key}" }\n`;
  writeFileSync(config, demo.replace('listen:\n', `listen:\n${tls}`));

  const gateway = startEdgeward({ args: ['start', config] });
  onTestFinished(async () => {
    gateway.process.kill('SIGKILL');
    await gateway.exited;
  });
  const url = await eventually(() => {
    const address = /listens on (https:\S+)/.exec(gateway.output())?.[1];
    if (address === undefined) throw new Error(gateway.output());
    return address;
  }, startMsMax);
  const roles = ['edgeward.client', 'edgeward.publisher'];
  const { token } = (await post(`${url}/v1/development/tokens`, { tenant: 'demo', roles })) as { token: string };

  const received: unknown[] = [];
  const agent = new Agent({ ca: testCertificate });
  const socket = io(url, { transports: ['websocket'], auth: { token }, agent: agent as never, forceNew: true });
  onTestFinished(() => void socket.disconnect());
  socket.onAny((...event) => received.push(event.slice(0, 2)));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const events = Array.from({ length: 50 }, (_, data) => ({ stream: 's', attributes: { 'Tenant-Id': 'demo' }, data }));
  await post(`${url}/v1/events`, events, { authorization: `Bearer ${token}` });
  await eventually(() => expect(received).toEqual(events.map(({ data }) => ['s', data])));
});

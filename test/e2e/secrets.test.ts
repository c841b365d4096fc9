import { request } from 'node:http';
import { expect, test } from 'vitest';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';

/** Sends a GET as it is and reads the status. */
const get = (url: string, headers: Record<string, string> = {}): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });

test('no token is in logs, metrics or answers, wherever a client puts it (hiiretail 8.22)', async () => {
  await using gateway = await startGatewayProcess({ env: { LOG_LEVEL: 'debug' } });
  const { url } = gateway;
  const good = await developmentToken(url, { tenant: 'a', roles: ['edgeward.client', 'edgeward.publisher'] });
  const bad = `${good.slice(0, -4)}AAAA`;
  const plain = 'PlainSecret0123456789';

  using client = await connectClient(url, good, { userToken: plain, token: bad, jwt: plain, access_token: plain });
  await connectClient(url, bad).catch(() => undefined);
  await connectClient(url, plain).catch(() => undefined);
  const event = { stream: 's', attributes: { 'Tenant-Id': 'a', Secret: plain }, data: { secret: plain } };
  await publish(url, good, event);
  await publish(url, bad, event);
  await publish(url, plain, event);
  await get(`${url}/nowhere?token=${plain}&userToken=${good}&access_token=${bad}`);
  await get(`${url}/socket.io/?EIO=4&transport=polling&userToken=${plain}`, { authorization: `Basic ${plain}` });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const ready = await (await fetch(`${url}/readyz`)).text();
  client.socket.disconnect();
  gateway.signal('SIGTERM');
  await gateway.exited;

  const everything = gateway.output() + metrics + ready;
  expect(everything).toContain('token_signature_invalid');
  for (const secret of [good, bad, plain, good.split('.')[1] ?? '']) expect(everything).not.toContain(secret);
});

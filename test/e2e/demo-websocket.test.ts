import { expect, test } from 'vitest';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { openRelay, settled } from '../support/relay-client.ts';

test('the demo serves WebSocket clients beside Socket.IO ones: what a tenant binds, of its own', async () => {
  await using gateway = await startGatewayProcess();
  const { url } = gateway;
  expect(gateway.output()).toContain(`websocket: clients connect to ${url}/subscribe`);
  const tokenOf = (tenant: string) =>
    developmentToken(url, { tenant, roles: ['edgeward.client', 'edgeward.publisher'] });
  const [one, two] = [await tokenOf('one'), await tokenOf('two')];
  const subscribe = `${url.replace('http', 'ws')}/subscribe`;
  const [client, stranger] = [await openRelay(`${subscribe}?jwt=${one}`), await openRelay(`${subscribe}?jwt=${two}`)];
  for (const each of [client, stranger]) await each.bound('orders.created', 'a.#');
  using stock = await connectClient(url, one);

  const order = { stream: 'orders.created', key: 'a.b', data: { order: 4711 } };
  await publish(url, one, { ...order, attributes: { 'Tenant-Id': 'one', 'User-Id': 'somebody' } });
  await publish(url, one, { ...order, key: 'b', attributes: { 'Tenant-Id': 'one' } });
  await publish(url, one, { ...order, attributes: { 'Tenant-Id': 'one' } });
  await eventually(() => expect(stock.received).toHaveLength(2));
  await eventually(() => expect(client.frames).toHaveLength(1));
  expect(client.frames[0]).toMatchObject({
    headers: { 'Tenant-Id': 'one' },
    dinfo: { exchange: 'orders.created', routingKey: 'a.b', queue: 'embedded' },
    msg: { order: 4711 },
  });
  await settled(stranger);
  expect(stranger.frames).toEqual([]);

  const without = await openRelay(subscribe);
  expect(await without.closed).toEqual({ code: 1008, reason: 'token_missing' });
  const weak = await openRelay(`${subscribe}?jwt=${await developmentToken(url, { tenant: 'one', roles: [] })}`);
  expect(await weak.closed).toEqual({ code: 1008, reason: 'access_denied' });
});

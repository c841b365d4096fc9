import { HubConnectionState } from '@microsoft/signalr';
import { expect, test } from 'vitest';
import { connectClient, developmentToken, publish } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { openRelay, settled } from '../support/relay-client.ts';
import { receivedBy, signalrClient } from '../support/signalr-client.ts';

test('one message reaches a Socket.IO, a WebSocket and a SignalR client of one site at once, and nobody elsewhere', async () => {
  await using gateway = await startGatewayProcess();
  const { url } = gateway;
  expect(gateway.output()).toContain(`signalr: clients connect to ${url}/hub`);
  const tokenOf = (tenant: string) =>
    developmentToken(url, { tenant, roles: ['edgeward.client', 'edgeward.publisher'] });
  const everybody = async (tenant: string) => {
    const token = await tokenOf(tenant);
    const hub = signalrClient(`${url}/hub`, { accessTokenFactory: () => token, negotiate: true });
    const called = receivedBy(hub);
    await hub.start();
    const relay = await openRelay(`${url.replace('http', 'ws')}/subscribe?jwt=${token}`);
    await relay.bound('orders.created', '#');
    return { token, hub, called, relay, stock: await connectClient(url, token) };
  };
  const [site, elsewhere] = [await everybody('site'), await everybody('elsewhere')];
  using stocks = new DisposableStack();
  stocks.use(site.stock);
  stocks.use(elsewhere.stock);

  const order = { stream: 'orders.created', key: 'a', data: { order: 4711 }, attributes: { 'Tenant-Id': 'site' } };
  expect((await publish(url, site.token, order)).status).toBe(202);
  await eventually(() => {
    expect(site.stock.received).toMatchObject([{ name: 'orders.created', data: { order: 4711 } }]);
    expect(site.relay.frames).toMatchObject([{ msg: { order: 4711 } }]);
    expect(site.called).toEqual(['{"order":4711}']);
  });
  await settled(elsewhere.relay);
  expect([elsewhere.stock.received, elsewhere.relay.frames, elsewhere.called]).toEqual([[], [], []]);
  expect(elsewhere.hub.state).toBe(HubConnectionState.Connected);
});

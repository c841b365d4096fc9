import { expect } from 'vitest';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpUrl } from '../support/amqp-url.ts';
import { configFile } from '../support/config-file.ts';
import { connectClient, developmentToken } from '../support/demo-clients.ts';
import { eventually } from '../support/eventually.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { openRelay } from '../support/relay-client.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';

testWithRabbitMq('AMQP reaches Socket.IO and WebSocket clients, by config alone', async () => {
  await using admin = await amqpAdmin();
  const [exchange, queue, bindable] = [await admin.exchange(), await admin.queue(), await admin.exchange()];
  await admin.channel.bindQueue(queue, exchange, '#');
  const credentials = (from: string) => [{ from, accepts: ['development'] }];
  await using config = await configFile({
    development: true,
    listen: { port: 0 },
    sources: [
      { name: 'queues', amqp: { urls: [amqpUrl], queues: [queue], onDeadLetter: 'discard' } },
      { name: 'bindings', amqp: { urls: [amqpUrl], bindings: { [bindable]: 'topic' } } },
      { http: { publishTo: 'queues', credentials: credentials('header.authorization') } },
    ],
    identity: { tokens: { development: { development: true, variables: { tenant: ['tenant'] } } } },
    endpoints: [
      {
        socketio: {
          credentials: credentials('auth.token'),
          rooms: [{ templates: ['tenants/{tenant}'] }],
          eventName: '{stream}.{key}',
        },
      },
      { websocket: { credentials: credentials('query.jwt'), exchanges: { '#': { require: 'development.present' } } } },
    ],
    routes: [{ stream: exchange, keyParts: ['', 'tenant'], firstOf: ['tenants/{tenant}'] }],
  });
  await using gateway = await startGatewayProcess({ args: ['start', config.file] });
  const token = await developmentToken(gateway.url, { tenant: '42' });
  using stock = await connectClient(gateway.url, token);
  const client = await openRelay(`${gateway.url.replace('http', 'ws')}/subscribe?jwt=${token}`);
  await client.bound(exchange, 'orders.*');
  await client.bound(bindable, 'x.#');

  await admin.publish(exchange, 'orders.43', Buffer.from('{"for":43}'), { headers: { a: 1 } });
  await admin.publish(exchange, 'orders.42', Buffer.from('{"for":42}'), { headers: { a: 1 } });
  await admin.publish(bindable, 'x.y', Buffer.from('[1]'));
  await eventually(() => expect(stock.received).toMatchObject([{ name: `${exchange}.orders.42`, data: { for: 42 } }]));
  await eventually(() => expect(client.frames).toHaveLength(3));
  const seen = client.frames.map(({ dinfo, msg }) => [dinfo['exchange'], dinfo['routingKey'], msg]);
  expect(seen).toEqual(
    expect.arrayContaining([
      [exchange, 'orders.43', { for: 43 }],
      [exchange, 'orders.42', { for: 42 }],
      [bindable, 'x.y', [1]],
    ]),
  );

  // And the other way round: what is posted goes through the broker, to everybody who consumes from it.
  const elsewhere = await admin.queue();
  await admin.channel.bindQueue(elsewhere, exchange, 'orders.42');
  const post = async (stream: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ id: 'posted', stream, key: 'orders.42', data: { posted: true } });
    return (await fetch(`${gateway.url}/v1/events`, { method: 'POST', headers, body })).status;
  };
  expect(await post(exchange)).toBe(202);
  await eventually(() => expect(stock.received.map(({ data }) => data)).toEqual([{ for: 42 }, { posted: true }]));
  await eventually(() => expect(client.frames).toHaveLength(4));
  expect(client.frames.at(-1)).toMatchObject({ dinfo: { messageId: 'posted', exchange }, msg: { posted: true } });
  await eventually(async () => expect(await admin.ready(elsewhere)).toBe(1));
  expect(await post(admin.name('missing'))).toBeGreaterThanOrEqual(500);

  // What was handed over is settled, also where no rule but a bind was for it.
  await eventually(async () => expect(await admin.ready(queue)).toBe(0));
});

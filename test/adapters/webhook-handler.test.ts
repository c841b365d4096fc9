import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { createWebhookNotification } from '../../src/adapters/outbound/webhook/webhook-handler.ts';
import { type WebhookSettings, webhookSettings } from '../../src/adapters/outbound/webhook/webhook-settings.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Fault } from '../../src/application/fault.ts';
import type { Notification } from '../../src/domain/notification.ts';
import { trigger, wish } from '../contracts/notification-store-contract.ts';
import { stopServer } from '../support/stop-server.ts';
import { neverAborts } from './amqp-fixture.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const loopback = { allowedNetworks: ['127.0.0.0/8'] };

async function receiver(listener: RequestListener = (_request, response) => void response.end()) {
  const requests: { readonly headers: IncomingMessage['headers']; readonly body: string; readonly url: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), url: request.url ?? '' });
      listener(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/hook`, requests, [Symbol.asyncDispose]: () => stopServer(server) };
}

const handler = (settings: Partial<WebhookSettings> = {}, resolve?: LookupFunction) =>
  createWebhookNotification(webhookSettings.parse({ secrets: [secret], ...loopback, ...settings }), {
    clock: systemClock,
    ...(resolve ? { resolve } : {}),
  });

const fired = (config: unknown): Notification =>
  wish({ handler: 'webhook', config, state: 'sending', attempts: 1, triggeredAt: 5000, trigger });

const send = (config: unknown, settings?: Partial<WebhookSettings>, resolve?: LookupFunction) =>
  handler(settings, resolve).send(fired(config), neverAborts());

async function faultOf(sending: Promise<void>): Promise<Fault> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Fault) return error;
  throw new Error(`no fault: ${String(error)}`);
}

test('it is posted as Standard Webhooks wants it, and its own library verifies it; the id is the same for each try', async () => {
  await using target = await receiver();
  const notification = fired({ url: target.url, note: 'ü', secret });
  const webhook = handler({ secrets: [] });
  await webhook.send(notification, neverAborts());
  await webhook.send(notification, neverAborts());
  const [first, second] = target.requests;
  const verified = new Webhook(secret).verify(first?.body ?? '', first?.headers as Record<string, string>);
  expect(verified).toEqual({
    type: 'done',
    timestamp: '1970-01-01T00:00:05.000Z',
    data: {
      notification: notification.id,
      user_id: 'ann',
      config: { url: target.url, note: 'ü' },
      event: { id: 'e1', stream: 's', key: 'k', published_at: '1970-01-01T00:00:00.005Z', payload: { a: 1 } },
    },
  });
  expect(first?.headers['webhook-id']).toBe(`notification_${notification.id}`);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(first?.body).not.toContain('whsec_');
  const forged = new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`);
  expect(() => forged.verify(first?.body ?? '', first?.headers as Record<string, string>)).toThrow();
});

test('while secrets change over it is signed with each of them', async () => {
  await using target = await receiver();
  const older = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
  await send({ url: target.url }, { secrets: [secret, older] });
  const [request] = target.requests;
  for (const each of [secret, older]) {
    new Webhook(each).verify(request?.body ?? '', request?.headers as Record<string, string>);
  }
  expect(await faultOf(send({ url: target.url }, { secrets: [] }))).toMatchObject({ code: 'webhook_secret_missing' });
  expect(await faultOf(send({ url: target.url, secret: 'short' }))).toMatchObject({ code: 'webhook_secret_missing' });
  for (const odd of [5, null, {}, '']) {
    expect(await faultOf(send({ url: target.url, secret: odd }))).toMatchObject({ code: 'webhook_secret_missing' });
  }
  expect(target.requests).toHaveLength(1);
});

test('the payload is the text that came, with its long numbers', async () => {
  await using target = await receiver();
  const payload = '{"id":12345678901234567890,"x":1.0}';
  await handler().send({ ...fired({ url: target.url }), trigger: { ...trigger, payload } }, neverAborts());
  expect(target.requests[0]?.body).toContain(`"payload":${payload}}}}`);
  expect(JSON.parse(target.requests[0]?.body ?? '')).toMatchObject({ data: { event: { id: 'e1' } } });
});

test.each([
  [200, undefined, undefined],
  [204, undefined, undefined],
  [301, 'webhook_refused', 'retry'],
  [307, 'webhook_refused', 'retry'],
  [400, 'webhook_refused', 'retry'],
  [410, 'webhook_gone', 'dead-letter'],
  [429, 'webhook_refused', 'retry'],
  [500, 'webhook_refused', 'retry'],
])('the status %i: %s', async (status, code, disposition) => {
  await using target = await receiver((_request, response) =>
    response.writeHead(status, { location: '/other', 'retry-after': '120' }).end('words'),
  );
  if (code === undefined) await send({ url: target.url });
  else {
    const retryAfterMs = status === 410 ? undefined : 120_000;
    expect(await faultOf(send({ url: target.url }))).toMatchObject({ code, disposition, retryAfterMs });
  }
  expect(target.requests.map(({ url }) => url)).toEqual(['/hook']);
});

test('no answer, an answer that never ends, nobody there: tried again, in time', async () => {
  await using silent = await receiver(() => {});
  expect(await faultOf(send({ url: silent.url }, { timeoutMs: 100 }))).toMatchObject({ code: 'webhook_unreachable' });
  await using endless = await receiver((_request, response) => {
    const pump = setInterval(() => response.write('x'.repeat(1000)), 1);
    response.on('close', () => clearInterval(pump));
  });
  await send({ url: endless.url }, { timeoutMs: 5000 });
  const gone = await receiver();
  await gone[Symbol.asyncDispose]();
  expect(await faultOf(send({ url: gone.url }))).toMatchObject({ code: 'webhook_unreachable', disposition: 'retry' });
});

test.each([
  ['no text', 5, 'webhook_url_invalid'],
  ['no URL', 'example.com/hook', 'webhook_url_invalid'],
  ['another scheme', 'file:///etc/passwd', 'webhook_url_invalid'],
  ['a password', 'https://user:secret@example.com/', 'webhook_url_invalid'],
  ['this machine', 'https://127.0.0.1/', 'webhook_address_refused'],
  ['this machine, otherwise written', 'https://2130706433/', 'webhook_address_refused'],
  ['this machine, by a name', 'https://localhost/', 'webhook_address_refused'],
  ['this machine, by IPv6', 'https://[::1]/', 'webhook_address_refused'],
  ['this machine, IPv4 in IPv6', 'https://[::ffff:127.0.0.1]/', 'webhook_address_refused'],
  ['a private network', 'https://10.0.0.1/', 'webhook_address_refused'],
  ['the metadata of a cloud', 'https://169.254.169.254/latest', 'webhook_address_refused'],
  ['any address', 'https://0.0.0.0/', 'webhook_address_refused'],
  ['a carrier’s network', 'https://100.64.0.1/', 'webhook_address_refused'],
  ['a link', 'https://[fe80::1]/', 'webhook_address_refused'],
  ['a unique local address', 'https://[fd00::1]/', 'webhook_address_refused'],
  ['IPv4 in NAT64', 'https://[64:ff9b::a00:1]/', 'webhook_address_refused'],
  ['IPv4 in 6to4', 'https://[2002:a00:1::]/', 'webhook_address_refused'],
  ['IPv4 in IPv6, the older way', 'https://[::a00:1]/', 'webhook_address_refused'],
  ['what nobody was given', 'https://[4000::1]/', 'webhook_address_refused'],
  ['a multicast address', 'https://224.0.0.1/', 'webhook_address_refused'],
  ['a public one in the clear', 'http://192.0.78.1/', 'webhook_address_refused'],
])('a url with %s is refused for good', async (_name, url, code) => {
  expect(await faultOf(send({ url }, { allowedNetworks: [] }))).toMatchObject({ code, disposition: 'dead-letter' });
});

test('what counts is the address that is connected to, however the name resolves each time', async () => {
  await using target = await receiver();
  const answers = [
    [{ address: '127.0.0.1', family: 4 }],
    [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
  ];
  let lookUps = 0;
  const rebinding: LookupFunction = (_hostname, options, done) => {
    const found = answers[lookUps] ?? [];
    lookUps += 1;
    expect(options.all).toBe(true);
    done(null, found);
  };
  const url = `https://rebinding.example:${target.port}/`;
  const [privateAddress, both] = await Promise.all([
    faultOf(send({ url }, { allowedNetworks: [] }, rebinding)),
    faultOf(send({ url }, { allowedNetworks: [] }, rebinding)),
  ]);
  expect(privateAddress).toMatchObject({ code: 'webhook_address_refused' });
  expect(both).toMatchObject({ code: 'webhook_address_refused' });
  // Once for each try: what was looked at is what is connected to.
  expect(lookUps).toBe(2);
  expect(target.requests).toEqual([]);
});

test('a network that is allowed is called, by name too, and no other one', async () => {
  await using target = await receiver();
  const local: LookupFunction = (_hostname, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
  await send({ url: `http://inside.example:${target.port}/hook` }, loopback, local);
  expect(target.requests[0]?.headers.host).toBe(`inside.example:${target.port}`);
  const elsewhere = { allowedNetworks: ['10.0.0.0/8'] };
  expect(await faultOf(send({ url: target.url }, elsewhere))).toMatchObject({ code: 'webhook_address_refused' });
  expect(await faultOf(send({ url: `http://inside.example:${target.port}/` }, elsewhere, local))).toMatchObject({
    code: 'webhook_address_refused',
  });
  expect(target.requests).toHaveLength(1);
});

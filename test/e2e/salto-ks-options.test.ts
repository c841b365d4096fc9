import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished } from 'vitest';
import { amqpAdmin } from '../support/amqp-admin.ts';
import { amqpUrl } from '../support/amqp-url.ts';
import { emulatorProject } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { refusedUpgrade } from '../support/hub-client.ts';
import { newSite, startSalto, startSaltoIssuer, startSiteRoles } from '../support/salto-gateway.ts';
import { receivedBy, signalrClient } from '../support/signalr-client.ts';
import { testWithPubSub, testWithRabbitMq } from '../support/with-brokers.ts';

testWithRabbitMq('roles of a service, a queue, further sites on one connection, and the feed as a stream', async () => {
  await using admin = await amqpAdmin();
  await using roles = await startSiteRoles();
  const [site, another, foreign, odd] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  roles.answers.set(site, ['site_owner']).set(another, ['site_admin', 'other']).set(foreign, []).set(odd, 500);
  const queue = await admin.queue();
  await admin.channel.bindQueue(queue, 'salto.events', '#').catch(() => {});
  await using salto = await startSalto({
    AMQP_QUEUE: queue,
    SITE_ROLES_URL: roles.url,
    SITE_OWNER: 'allow',
    SUBSCRIPTIONS: 'true',
    STREAMING: 'true',
  });
  await using binder = await amqpAdmin();
  await binder.channel.bindQueue(queue, 'salto.events', '#');

  const token = await salto.issuer.token();
  const upgrade = (id: string, presented = token) =>
    refusedUpgrade(`${salto.url.replace('http', 'ws')}/v1/hub/entries?site_id=${id}&access_token=${presented}`);
  expect(await upgrade(foreign)).toMatchObject({ status: 403 });
  expect(await upgrade(randomUUID())).toMatchObject({ status: 403 });
  expect(await upgrade(odd)).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
  // Nobody is asked about who has not got the scope, or says the roles himself.
  const askedBefore = roles.asked.length;
  expect(await upgrade(site, await salto.issuer.token({ scope: 'openid' }))).toMatchObject({ status: 403 });
  const own = newSite('site_admin');
  await salto.connect(`/v1/hub/entries?site_id=${own.site}`, own.claims);
  expect(roles.asked).toHaveLength(askedBefore);

  const client = signalrClient(`${salto.url}/v1/hub/entries?site_id=${site}`, { accessTokenFactory: () => token });
  const received = receivedBy(client);
  await client.start();
  const second = signalrClient(`${salto.url}/v1/hub/incidents?site_id=${site}`, { accessTokenFactory: () => token });
  await second.start();
  // Asked once for a token and a site, by whichever hub.
  expect(roles.asked.filter((each) => each === site)).toHaveLength(1);

  await client.invoke('Subscribe', another);
  await expect(client.invoke('Subscribe', foreign)).rejects.toThrow(
    "Failed to invoke 'Subscribe' because user is unauthorized",
  );
  await expect(client.invoke('Subscribe', odd)).rejects.toThrow('try_later');
  await expect(client.invoke('Subscribe', { site_id: another, user_id: '' })).rejects.toThrow(
    "Failed to invoke 'Subscribe' due to an error on the server.",
  );
  await salto.publish(`entries.${site}.u`, 1);
  await salto.publish(`entries.${another}.u`, 2);
  await salto.publish(`entries.${foreign}.u`, 3);
  await salto.publish(`entries.${odd}.u`, 4);
  await eventually(() => expect(received).toEqual(['1', '2']));
  const items: unknown[] = [];
  client.stream('Stream').subscribe({ next: (item) => items.push(item), complete: () => {}, error: () => {} });
  await client.invoke('Unsubscribe', another);
  await salto.publish(`entries.${another}.u`, 5);
  await salto.publish(`entries.${site}.u`, 6);
  await eventually(() => expect(items).toEqual(['6']));
  expect(received).toEqual(['1', '2']);
});

testWithRabbitMq(
  'salto-ks 8.14, 8.16, 8.20: clients of every kind outlive their token, come back over a restart by themselves with a new one, and nothing is replayed',
  async () => {
    const port = await freePort();
    const first = await startSalto({ PORT: String(port), AT_TOKEN_EXPIRY: 'keep' });
    await using issuer = first.issuer;
    const { site, claims } = newSite('site_admin');
    const url = `${first.url}/v1/hub/entries?site_id=${site}`;
    const reconnect = Array.from({ length: 200 }, () => 100);
    // With the tolerance of 5 s it ends in a second or two.
    const exp = Math.floor(Date.now() / 1000) - 3;
    const [ending, endingLater] = await Promise.all(
      [exp, exp + 2].map((each) => issuer.token({ ...claims, exp: each })),
    );
    if (ending === undefined) throw new Error('no token was made');
    const start = async (protocol: 'json' | 'messagepack', negotiate: boolean) => {
      const state = { isBack: false, tokens: 0 };
      const accessTokenFactory = () => {
        state.tokens += 1;
        return state.tokens <= (negotiate ? 2 : 1) ? ending : issuer.token(claims);
      };
      const client = signalrClient(url, { protocol, negotiate, accessTokenFactory, reconnect });
      const received = receivedBy(client);
      client.onreconnected(() => {
        state.isBack = true;
      });
      await client.start();
      return { received, state };
    };
    const clients = await Promise.all([
      start('json', false),
      start('json', true),
      start('messagepack', false),
      start('messagepack', true),
    ]);
    const receivedByAll = (texts: readonly string[]) =>
      eventually(() => expect(clients.map(({ received }) => received)).toEqual(clients.map(() => texts)));
    // It has ended for as long as it takes to look at connections.
    await eventually(async () => {
      const answer = await fetch(`${first.url}/v1/hub/entries/negotiate?site_id=${site}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${endingLater}` },
      });
      expect(answer.status).toBe(401);
    }, 10_000);
    await first.publish(`entries.${site}`, 'before');
    await receivedByAll(['"before"']);
    expect(clients.some(({ state }) => state.isBack)).toBe(false);
    first.gateway.signal('SIGTERM');
    expect(await first.gateway.exited).toBe(0);
    await first.publish(`entries.${site}`, 'meanwhile');
    await using second = await startGatewayProcess({
      args: ['start', 'presets/salto-ks.yaml'],
      env: { HOST: '127.0.0.1', PORT: String(port), AMQP_URL: amqpUrl, ...issuer.env },
    });
    void second;
    await eventually(() => expect(clients.every(({ state }) => state.isBack)).toBe(true), 20_000);
    await first.publish(`entries.${site}`, 'after');
    await receivedByAll(['"before"', '"after"']);
    await first[Symbol.asyncDispose]();
  },
);

testWithPubSub('Pub/Sub reaches SignalR clients, by config alone', async () => {
  const emulator = inject('pubsubEmulatorHost');
  const broker = emulatorProject(emulator, `salto-${randomUUID()}`);
  await broker.createTopic('events');
  await broker.createSubscription('events-edge', 'events', { enableMessageOrdering: true });
  onTestFinished(() => broker.deleteSubscription('events-edge'));
  await using issuer = await startSaltoIssuer();
  await using gateway = await startGatewayProcess({
    args: ['start', 'presets/salto-ks.yaml'],
    env: {
      HOST: '127.0.0.1',
      PUBSUB_PROJECT: broker.project,
      PUBSUB_SUBSCRIPTIONS: 'events:events-edge',
      PUBSUB_EMULATOR_HOST: emulator,
      ...issuer.env,
    },
  });
  const { site, claims } = newSite('site_admin');
  const url = `${gateway.url}/v1/hub/incidents?site_id=${site}`;
  const client = signalrClient(url, { accessTokenFactory: () => issuer.token(claims) });
  const received = receivedBy(client);
  await client.start();
  const data = (text: string) => Buffer.from(text).toString('base64');
  await broker.publish('events', { data: data('{"e":1}'), orderingKey: `entries.${site}.u` });
  await broker.publish('events', { data: data('{"type": "tamper_alarm"}'), orderingKey: `incidents.${site}` });
  await eventually(() => expect(received).toEqual(['{"type": "tamper_alarm"}']));
});

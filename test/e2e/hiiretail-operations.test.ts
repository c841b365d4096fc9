import { afterAll, beforeAll, expect, test } from 'vitest';
import { emulatorProject } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { connectStock, refusalOf } from '../support/hiiretail-clients.ts';
import { type HiiretailGateway, startHiiretail, subscriptionOf } from '../support/hiiretail-gateway.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const topic = 'att.private.notification.baskets.v1';

describeWithPubSub('messages that nobody gets', () => {
  test('8.21, 8.14 they are acknowledged: nobody is there, no tenant, no attribute, no payload', async () => {
    await using gateway = await startHiiretail({ topics: [topic] });
    const t1 = { 'Tenant-Id': 't1' };
    // Nobody is connected at all.
    await gateway.publish({ topic, attributes: t1, data: '{"basket":1}' });
    await gateway.publish({ topic, attributes: { ...t1, 'Connection-Id': 'x' }, data: '{}' });
    await gateway.publish({ topic, attributes: { ...t1, 'Workstation-Id': '0001' }, data: '{}' });
    await gateway.settled();
    expect(await gateway.metric('edgeward_messages_settled_total', 'settlement="accept"')).toBe(3);

    const token = await gateway.issuers.ocms.mint({ tid: 't1' });
    using client = await connectStock(gateway.url, { token });
    await gateway.publish({ topic, data: '{"no":"attributes"}' });
    await gateway.publish({ topic, attributes: { a: '' } });
    await gateway.publish({ topic, attributes: { 'Business-Unit-Id': 'u1' }, data: '{"no":"tenant"}' });
    await gateway.publish({ topic, attributes: { 'Tenant-Id': '' }, data: '{"empty":"tenant"}' });
    await gateway.publish({ topic, attributes: { 'Tenant-Id': 't2' }, data: '{"other":"tenant"}' });
    await gateway.settled();
    // They keep nobody from the next one.
    await gateway.publish({ topic, attributes: t1, data: '"last"' });
    await eventually(() => expect(client.received.map(([, data]) => data)).toContain('last'));
    await gateway.settled();
    expect(client.received.map(([, data]) => data)).toEqual(['last']);

    // What was not acknowledged would be given back now, and be there at once.
    gateway.signal('SIGTERM');
    expect(await gateway.exited).toBe(0);
    const broker = emulatorProject(gateway.emulator, gateway.pubsub.projectId);
    expect(await broker.pull(subscriptionOf(topic))).toEqual([]);
    await gateway.publish({ topic, attributes: t1, data: '"for the next one"' });
    const data = Buffer.from('"for the next one"').toString('base64');
    await eventually(async () => expect(await broker.pull(subscriptionOf(topic))).toMatchObject([{ data }]));
  });
});

describeWithPubSub('key servers that cannot be had', () => {
  let gateway: HiiretailGateway;
  beforeAll(async () => {
    gateway = await startHiiretail({
      topics: [topic],
      prepare: async ({ ocms, iam }) => {
        await Promise.all([ocms.server.down(), iam.server.down()]);
      },
    });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test('8.3, 8.4, 8.5 clients are told to come back, and come in once they can be had', async () => {
    const { ocms, iam } = gateway.issuers;
    const [machine, person] = await Promise.all([ocms.mint(), iam.mint({ roles: ['sio.websocket-client'] })]);
    const presents = [{ token: machine }, { token: person }, { token: machine, query: { userToken: person } }];
    const refusals = await Promise.all(presents.map((each) => refusalOf(gateway.url, each)));
    for (const refusal of refusals) {
      expect(refusal).toEqual({
        message: 'Try again later',
        data: { code: 'try_later', retryAfterMs: expect.any(Number) },
      });
      expect(refusal.data?.retryAfterMs).toBeGreaterThanOrEqual(1000);
    }
    // A token that cannot be good needs no key.
    expect((await refusalOf(gateway.url, { token: 'garbage' })).data).toEqual({ code: 'token_malformed' });

    await Promise.all([ocms.server.up(), iam.server.up()]);
    const clients = await Promise.all(presents.map((each) => eventually(() => connectStock(gateway.url, each))));
    await gateway.publish({ topic, attributes: { 'Tenant-Id': 't1' }, data: '"for all"' });
    for (const { received, socket } of clients) {
      await eventually(() => expect(received.map(([, data]) => data)).toEqual(['for all']));
      socket.disconnect();
    }
  });
});

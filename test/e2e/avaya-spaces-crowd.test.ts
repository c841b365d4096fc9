import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { expect, inject, test } from 'vitest';
import { amqpUrl } from '../support/amqp-url.ts';
import { emulatorProject } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { spacesBackend } from '../support/spaces-backend.ts';
import { crowdTalks } from '../support/spaces-crowd.ts';
import { type SpacesGateway, startSpaces } from '../support/spaces-gateway.ts';
import { testWithPubSub, testWithRabbitMq } from '../support/with-brokers.ts';

/** Every space is open, so that joining takes no time. */
const openSpaces = { MEMBERSHIP_URL: '', LOG_LEVEL: 'error' };
const sockets = 500;
const spaces = 50;

test.each(['local', 'broker'])(
  '500 sockets in 50 spaces, in the order %s: everybody gets everything of its spaces once, in one order, and nothing else',
  async (SPACES_ORDER) => {
    await using gateway = await startSpaces({ env: { ...openSpaces, SPACES_ORDER } });
    const messages = SPACES_ORDER === 'local' ? 2 : 1;
    await crowdTalks([gateway.url], (user) => gateway.backend.guest(user), { sockets, spaces, messages });
  },
);

const onExchange =
  (exchange: string) =>
  (text: string): string =>
    text
      .replace('bindings: { spaces: topic }', `bindings: { ${exchange}: topic }`)
      .replaceAll('stream: spaces', `stream: ${exchange}`);

testWithRabbitMq.each(['local', 'broker'])(
  'the same through RabbitMQ over two instances, in the order %s',
  async (order) => {
    const exchange = `spaces-${randomUUID()}`;
    const env = { ...openSpaces, AMQP_URL: amqpUrl, SPACES_ORDER: order };
    const change = onExchange(exchange);
    await using backend = await spacesBackend();
    await using gateway = await startSpaces({ env, backend, change });
    await using other = await startSpaces({ env, backend, change });
    // Only the broker has one order for both.
    if (order === 'broker') {
      const guest = (user: string) => backend.guest(user);
      await crowdTalks([gateway.url, other.url], guest, { sockets, spaces, messages: 1 });
    }
    await talkAcross(gateway, other);
    const model = await connect(amqpUrl);
    const channel = await model.createConfirmChannel();
    const options = { contentType: 'application/json' };
    channel.publish(exchange, 'space.a.b', Buffer.from('{"content":{"bodyText":"to all"}}'), options);
    await channel.waitForConfirms();
    const here = await gateway.connect('late');
    await here.subscribe('space.a.b');
    await eventually(async () => {
      for (const instance of [gateway, other]) {
        const answer = await instance.history('late', '/api/spaces/space.a.b/messages');
        const { data } = (await answer.json()) as { data: readonly { content: { bodyText: string } }[] };
        expect(data.map(({ content }) => content.bodyText)).toEqual(['over there', 'to all']);
      }
    });
    await channel.deleteExchange(exchange);
    await model.close();
  },
);

/** Messages, presence and media, from one instance to the other. */
async function talkAcross(one: SpacesGateway, another: SpacesGateway): Promise<void> {
  const [here, there] = [await one.connect('here'), await another.connect('there', { version: '2.4.0' })];
  await here.subscribe('space.a.b');
  await there.subscribe('space.a.b');
  here.say('space.a.b', 'over there', { loopbackMetadata: [1] });
  here.emit('SEND_PRESENCE_EVENT', { category: 'party.typing', topicId: 'space.a.b', content: {} });
  there.emit('SEND_MEDIA_SESSION_EVENTS', { category: 'video.end', topicId: 'space.a.b', content: {} });
  await eventually(() => {
    expect(there.of('PRESENCE_EVENT_RESPONSE')).toMatchObject([{ category: 'party.typing' }]);
    expect(here.of('MEDIA_SESSION_RESPONSE')).toMatchObject([{ category: 'video.end' }]);
  });
  expect(here.of('MESSAGE_SENT')).toMatchObject([{ content: { bodyText: 'over there' }, loopbackMetadata: [1] }]);
  expect(there.of('MESSAGE_SENT')).toMatchObject([{ content: { bodyText: 'over there' } }]);
  expect(there.of('MESSAGE_SENT')[0]).not.toHaveProperty('loopbackMetadata');
  expect(here.of('PRESENCE_EVENT_RESPONSE')).toEqual([]);
  expect(there.of('MEDIA_SESSION_RESPONSE')).toEqual([]);
}

testWithPubSub('the same through Pub/Sub, in the order of the broker', async () => {
  const host = inject('pubsubEmulatorHost');
  const project = emulatorProject(host, `spaces-${randomUUID()}`);
  await project.createTopic('spaces');
  const env = { ...openSpaces, PUBSUB_PROJECT: project.project, PUBSUB_EMULATOR_HOST: host, SPACES_ORDER: 'broker' };
  await using gateway = await startSpaces({ env });
  await crowdTalks([gateway.url], (user) => gateway.backend.guest(user), { sockets, spaces, messages: 1 });
  const client = await gateway.connect('ann');
  await client.subscribe('space.0');
  await project.publish('spaces', {
    data: Buffer.from('"from a back-end"').toString('base64'),
    orderingKey: 'space.0',
  });
  // POST /v1/events goes to Pub/Sub, too.
  expect(await gateway.publish('space.0', 'over HTTP')).toBe(202);
  await eventually(() =>
    expect(client.texts('space.0')).toEqual(expect.arrayContaining(['from a back-end', 'over HTTP'])),
  );
});

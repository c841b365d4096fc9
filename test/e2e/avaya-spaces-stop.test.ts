import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { expect, onTestFinished } from 'vitest';
import { amqpUrl } from '../support/amqp-url.ts';
import { eventually } from '../support/eventually.ts';
import { spacesBackend } from '../support/spaces-backend.ts';
import { startSpaces } from '../support/spaces-gateway.ts';
import { testWithRabbitMq } from '../support/with-brokers.ts';

/** A talker says this much in a turn, on and on: faster than the broker confirms one by one. */
const talkers = 6;
const intervalMs = 20;

testWithRabbitMq.each(['local', 'broker'])(
  'an instance that stops while everybody talks, order %s: what one has got others get, and everybody is told',
  async (order) => {
    const exchange = `spaces-${randomUUID()}`;
    const env = { MEMBERSHIP_URL: '', LOG_LEVEL: 'error', AMQP_URL: amqpUrl, SPACES_ORDER: order };
    const change = (text: string) =>
      text
        .replace('bindings: { spaces: topic }', `bindings: { ${exchange}: topic }`)
        .replaceAll('stream: spaces', `stream: ${exchange}`);
    await using backend = await spacesBackend();
    await using stopping = await startSpaces({ env, backend, change });
    await using staying = await startSpaces({ env, backend, change });
    const here = await Promise.all(
      Array.from({ length: talkers }, (_, index) => stopping.connect(`user-${index}`, { version: '2.4.0' })),
    );
    const there = await staying.connect('witness');
    await Promise.all([there, ...here].map((client) => client.subscribe('s')));
    let said = 0;
    const talking = setInterval(() => {
      for (const client of here) {
        if (!client.socket.connected) continue;
        client.say('s', `${said}`);
        said += 1;
      }
    }, intervalMs);
    onTestFinished(() => clearInterval(talking));
    await eventually(() => expect(there.texts('s').length).toBeGreaterThan(100));
    const report = await stopping.stop(10_000);
    clearInterval(talking);
    expect(report).toMatchObject({ flushed: talkers, cut: 0 });
    const got = new Set(here.flatMap((client) => client.texts('s')));
    await eventually(() => expect(got.difference(new Set(there.texts('s')))).toEqual(new Set()));
    // Nobody is told that something failed which others have got.
    const failed = here.flatMap((client) => client.of('SEND_MESSAGE_FAILED'));
    expect(new Set(failed.map(({ error }) => (error as { code: string }).code))).toEqual(
      new Set(failed.length > 0 ? ['try.later'] : []),
    );
    const texts = failed.map(({ content }) => (content as { bodyText: string }).bodyText);
    expect(new Set(texts).intersection(new Set(there.texts('s')))).toEqual(new Set());
    const model = await connect(amqpUrl);
    const channel = await model.createChannel();
    await channel.deleteExchange(exchange);
    await model.close();
  },
);

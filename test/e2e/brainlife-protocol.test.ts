import { once } from 'node:events';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Brainlife, framesOf, mine, startBrainlife } from '../support/brainlife-gateway.ts';
import { eventually } from '../support/eventually.ts';
import { ReconnectingWebSocket } from '../support/reconnecting-client.ts';
import { openRelay, settled } from '../support/relay-client.ts';
import { describeWithRabbitMq, testWithRabbitMq } from '../support/with-brokers.ts';

let brainlife: Brainlife;
beforeAll(async () => {
  brainlife = await startBrainlife();
});
afterAll(() => brainlife[Symbol.asyncDispose]());

const delivery = expect.objectContaining({ type: 'Buffer', data: expect.any(Array) });

describeWithRabbitMq('10.1', () => {
  test.each(['/subscribe', '/subscribe/', '/api/event/subscribe', '/api/event/subscribe/'])(
    'a client is let in on %s',
    async (path) => {
      const client = await openRelay(`${brainlife.url}${path}?jwt=${brainlife.issuer.token()}`);
      const instance = mine();
      await brainlife.untilBound(client, 'wf.task', `${instance}.#`, `${instance}.t`);
    },
  );

  test.each([
    [[], ''],
    [['first', 'second'], 'first'],
  ])('of the subprotocols %j %j is agreed on, and no compression, though it is offered', async (offered, agreed) => {
    const socket = new WebSocket(`${brainlife.url}/subscribe?jwt=x`, offered, { perMessageDeflate: true });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    expect([socket.extensions, socket.protocol]).toEqual(['', agreed]);
  });
});

describeWithRabbitMq('10.2: the token', () => {
  test.each(['RS256', 'RS384', 'RS512'])('signed with %s is taken', async (algorithm) => {
    const client = await brainlife.openWith(`?jwt=${brainlife.issuer.token({}, algorithm)}`);
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', instance, instance);
  });

  test('without any claim is taken', async () => {
    const client = await brainlife.openWith(`?jwt=${brainlife.issuer.sign({})}`);
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', instance, instance);
  });

  const expired = { exp: Date.now() / 1000 - 1 };
  test.each([
    ['signed with HS256 and the public key', () => brainlife.issuer.token({}, 'HS256')],
    ['not signed', () => brainlife.issuer.token({}, 'none')],
    ['that has ended', () => brainlife.issuer.token(expired)],
    ['that has not begun', () => brainlife.issuer.token({ nbf: Date.now() / 1000 + 60 })],
    ['of another key', () => `${brainlife.issuer.token().slice(0, -8)}AAAAAAAA`],
    ['that is none', () => 'abc'],
  ])('%s ends the connection after the upgrade, without a frame', async (_, token) => {
    const client = await brainlife.openWith(`?jwt=${token()}`);
    expect(await client.closed).toEqual({ code: 1006, reason: '' });
    expect(client.messages).toEqual([]);
  });

  test('that ends while the connection is there changes nothing', async () => {
    const exp = Date.now() / 1000 + 1;
    const client = await brainlife.open({ exp });
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', instance, instance);
    await eventually(() => expect(Date.now() / 1000).toBeGreaterThan(exp + 0.5));
    await brainlife.publish('wf.task', instance, { n: 1 });
    await eventually(() => expect(framesOf(client)).toHaveLength(1));
  });
});

describeWithRabbitMq('without a token', () => {
  test.each(['', '?jwt=', '?jwt=undefined', '?jwt=null'])('"%s": what is public, and nothing else', async (query) => {
    const client = await brainlife.openWith(query);
    const key = mine();
    const asked = brainlife.backend.requests.length;
    for (const exchange of ['wf.task', 'wf.instance', 'warehouse', 'warehouse.dataset', 'wf']) {
      client.bind(exchange, 'na.x.y.z');
    }
    await eventually(() =>
      expect([...client.errors].sort(byText)).toEqual(
        ['warehouse', 'warehouse.dataset', 'wf', 'wf.instance', 'wf.task']
          .map((exchange) => ({ error: `Access denided ${exchange}` }))
          .sort(byText),
      ),
    );
    expect(brainlife.backend.requests.length).toBe(asked);
    await brainlife.untilBound(client, 'public', `${key}.#`, key);
  });
});

const byText = (one: unknown, other: unknown) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1);

describeWithRabbitMq('10.3, 10.4: events', () => {
  test('each that matches is one frame, and nothing else comes', async () => {
    const [client, other] = [await brainlife.open(), await brainlife.open()];
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', `${instance}.#`, `${instance}.t1`);
    await brainlife.publish('wf.task', `${instance}.t1`, { status: 'running' });
    await brainlife.publish('wf.task', `x${instance}.t1`, { status: 'not for you' });
    await brainlife.publish('wf.instance', `${instance}.t1`, { status: 'not for you' });
    await brainlife.publish('wf.task', `${instance}.t2`, { status: 'finished' });
    await eventually(() => expect(framesOf(client)).toHaveLength(2));
    await settled(client);
    expect(framesOf(client)).toEqual([
      {
        headers: {},
        dinfo: {
          contentType: 'application/json',
          // amqplib sends an empty table, which brainlife's own publishers do not.
          headers: {},
          queue: expect.stringMatching(/^amq\.gen-/),
          deliveryTag: delivery,
          redelivered: false,
          exchange: 'wf.task',
          routingKey: `${instance}.t1`,
          consumerTag: expect.stringMatching(/./),
        },
        msg: { status: 'running' },
      },
      expect.objectContaining({ msg: { status: 'finished' } }),
    ]);
    expect(client.messages).toEqual(client.frames);
    expect(other.messages).toEqual([]);
    const [first] = client.texts.filter((text) => text.includes('running'));
    expect(first).toMatch(
      /^\{"headers":\{\},"dinfo":\{"contentType":"application\/json","headers":\{\},"queue":"amq\.gen-[^"]+","deliveryTag":\{"type":"Buffer","data":\[0,0,0,0,\d+,\d+,\d+,\d+\]\},"redelivered":false,"exchange":"wf\.task","routingKey":"[^"]+","consumerTag":"[^"]+"\},"msg":\{"status":"running"\}\}$/,
    );
  });

  test('headers and properties', async () => {
    const client = await brainlife.open();
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', instance, instance);
    const headers = { text: 'a', number: 7, nested: { deep: [1, 'x', { y: true }] } };
    await brainlife.publish('wf.task', instance, 1, {
      headers,
      priority: 3,
      correlationId: 'c',
      messageId: 'm',
      timestamp: 1_700_000_000,
      deliveryMode: 2,
      appId: 'app',
    });
    await eventually(() => expect(framesOf(client)).toHaveLength(1));
    expect(framesOf(client)[0]).toMatchObject({
      headers,
      dinfo: { headers, priority: 3, correlationId: 'c', messageId: 'm', timestamp: 1_700_000_000, deliveryMode: 2 },
    });
  });

  test('10.5: msg by content type', async () => {
    const client = await brainlife.open();
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', instance, instance);
    const bodies: readonly (readonly [string | undefined, string])[] = [
      ['application/json', '[1,{"a":null}]'],
      ['text/json', 'false'],
      ['application/json', '{'],
      ['application/json', ''],
      ['application/json; charset=utf-8', '{}'],
      ['text/plain', 'hi'],
      [undefined, '{}'],
    ];
    for (const [contentType, body] of bodies) {
      await brainlife.publishBytes('wf.task', instance, Buffer.from(body), contentType ? { contentType } : {});
    }
    await eventually(() => expect(framesOf(client)).toHaveLength(bodies.length));
    const bytes = (text: string) => ({ type: 'Buffer', data: [...Buffer.from(text)] });
    expect(framesOf(client).map(({ msg }) => msg)).toEqual([
      [1, { a: null }],
      false,
      null,
      null,
      { data: bytes('{}'), contentType: 'application/json; charset=utf-8' },
      { data: bytes('hi'), contentType: 'text/plain' },
      { data: bytes('{}') },
    ]);
    expect(framesOf(client).map(({ dinfo }) => [dinfo['parseError'], dinfo['rawData']])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      [{}, '{'],
      [{}, ''],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });
});

describeWithRabbitMq('10.8: what is no bind', () => {
  test.each(['', 'x', '{"bind":'])('text that is no JSON ends the connection: %j', async (text) => {
    const client = await brainlife.open();
    client.send(text);
    expect(await client.closed).toEqual({ code: 1006, reason: '' });
  });

  test.each([
    '{}',
    '[1]',
    '7',
    'null',
    '{"bind":true}',
    '{"bind":null}',
    '{"bind":{"ex":"wf.task"}}',
    '{"bind":{"ex":"wf.task","key":7}}',
    '{"bind":{"ex":"toString","key":"a"}}',
    '{"bind":{"ex":"__proto__","key":"a"}}',
    '{"bind":{"ex":"nope","key":"a"}}',
  ])('%s is nothing to anybody', async (text) => {
    const [client, other] = [await brainlife.open(), await brainlife.open()];
    const instance = mine();
    client.send(text);
    await brainlife.untilBound(client, 'wf.task', instance, instance);
    expect(client.errors).toEqual([]);
    await settled(other);
  });

  test('a key of a megabyte ends its own connection only', async () => {
    const [client, other] = [await brainlife.open(), await brainlife.open()];
    client.bind('wf.task', `mine.${'x'.repeat(1_000_000)}`);
    expect(await client.closed).toMatchObject({ code: 1009 });
    await settled(other);
  });

  test.each([
    ['longer than AMQP has', `mine.${'x'.repeat(255)}`],
    ['longer than any pattern', `mine.${'x'.repeat(2000)}`],
    ['of too many #', 'mine.#.#.#.#.#'],
  ])('a key %s is nothing to anybody', async (_, key) => {
    const client = await brainlife.open();
    client.bind('wf.task', key);
    client.send({ bind: { ex: 'wf.task', key, id: 1 } });
    await eventually(() => expect(client.messages).toEqual([{ error: { code: 'bind_invalid', id: 1 } }]));
  });
});

describeWithRabbitMq('10.11: several binds', () => {
  test('of several exchanges on one connection, as process.vue has them', async () => {
    const client = await brainlife.open();
    const [instance, project] = [mine(), mine()];
    await brainlife.untilBound(client, 'wf.task', `${instance}.#`, `${instance}.t`);
    await brainlife.untilBound(client, 'warehouse', `dataset.*.*.${project}.#`, `dataset.update.1.${project}.d`);
    await brainlife.publish('wf.task', `${instance}.t9`, { a: 1 });
    await brainlife.publish('warehouse', `dataset.create.7.${project}.d1`, { b: 2 });
    await brainlife.publish('warehouse', `rule.create.7.${project}.d1`, { c: 3 });
    await eventually(() => expect(framesOf(client)).toHaveLength(2));
    await settled(client);
    const seen = framesOf(client).map(({ dinfo, msg }) => [dinfo['exchange'], msg]);
    expect(seen).toContainEqual(['wf.task', { a: 1 }]);
    expect(seen).toContainEqual(['warehouse', { b: 2 }]);
    expect(seen).toHaveLength(2);
  });

  test('that overlap are a frame each', async () => {
    const client = await brainlife.open();
    const instance = mine();
    for (const pattern of ['.#', '.*', '.t1', '.t1']) {
      await client.bound('wf.task', `${instance}${pattern}`);
    }
    await brainlife.publish('wf.task', `${instance}.t1`, { n: 1 });
    await brainlife.publish('wf.task', `${instance}.t1.x`, { n: 2 });
    await eventually(() => expect(client.frames).toHaveLength(5));
    await settled(client);
    expect(client.frames.map(({ msg }) => msg)).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }, { n: 1 }, { n: 2 }]);
  });
});

testWithRabbitMq('a web client of brainlife: ReconnectingWebSocket, which binds again whenever it opens', async () => {
  const instance = mine();
  const socket = new ReconnectingWebSocket(`${brainlife.url}/subscribe?jwt=${brainlife.issuer.token()}`, [], {
    WebSocket,
    minReconnectionDelay: 10,
    maxReconnectionDelay: 50,
  });
  onTestFinished(() => socket.close());
  const received: { readonly msg: { readonly n: number } }[] = [];
  let opened = 0;
  socket.onopen = () => {
    opened += 1;
    socket.send(JSON.stringify({ bind: { ex: 'wf.task', key: `${instance}.#` } }));
  };
  socket.onmessage = ({ data }) => void received.push(JSON.parse(String(data)));
  const gets = (n: number) =>
    eventually(async () => {
      await brainlife.publish('wf.task', `${instance}.t`, { n });
      expect(received.some(({ msg }) => msg.n === n)).toBe(true);
    });
  await gets(1);
  // Not JSON: the gateway cuts it, and it comes back.
  socket.send('bye');
  await eventually(() => expect(opened).toBe(2));
  await gets(2);
});

describeWithRabbitMq('10.14: HTTP', () => {
  test.each(['/health', '/health/', '/api/event/health'])('GET %s', async (path) => {
    const answer = await fetch(`${brainlife.gateway.url}${path}`, { headers: { origin: 'https://brainlife.io' } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.json()).toEqual({ status: 'ok', amqp_connected: true, message: 'all good' });
  });

  test.each(['/subscribe', '/api/event/subscribe', '/notification', '/'])('GET %s is 404', async (path) => {
    expect((await fetch(`${brainlife.gateway.url}${path}`)).status).toBe(404);
  });

  test('another WebSocket path is 404', async () => {
    const socket = new WebSocket(`${brainlife.url}/other`);
    await expect(new Promise((_, reject) => socket.on('error', reject))).rejects.toThrow('404');
  });
});

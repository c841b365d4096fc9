import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendJson } from '../support/brainlife-backend.ts';
import { type Brainlife, framesOf, mine, startBrainlife } from '../support/brainlife-gateway.ts';
import { eventually } from '../support/eventually.ts';
import { type RelayClient, settled } from '../support/relay-client.ts';
import { describeWithRabbitMq } from '../support/with-brokers.ts';

let brainlife: Brainlife;
beforeAll(async () => {
  brainlife = await startBrainlife();
});
afterAll(() => brainlife[Symbol.asyncDispose]());

/** What a client hears of a bind: an error, or nothing although another bind behind it has been answered. */
async function answersTo(client: RelayClient, exchange: string, key: string): Promise<readonly unknown[]> {
  const id = `${exchange} ${key}`;
  client.bind(exchange, key);
  client.send({ bind: { ex: exchange, key, id } });
  await eventually(() =>
    expect(client.messages.some((message) => JSON.stringify(message).includes('"id"'))).toBe(true),
  );
  await settled(client);
  return client.messages.filter((message) => !JSON.stringify(message).includes('"id"'));
}

const deniedOn = (exchange: string) => [{ error: `Access denided ${exchange}` }];

describeWithRabbitMq('10.6: denied', () => {
  test('is answered, and the connection and its earlier binds go on', async () => {
    const client = await brainlife.open();
    const instance = mine();
    await brainlife.untilBound(client, 'wf.task', `${instance}.#`, `${instance}.t`);
    client.bind('wf.task', 'theirs.#');
    await eventually(() => expect(client.errors).toEqual(deniedOn('wf.task')));
    expect(client.texts.at(-1)).toBe('{"error":"Access denided wf.task"}');
    await brainlife.publish('wf.task', 'theirs.t', {});
    await brainlife.publish('wf.task', `${instance}.t`, { n: 1 });
    await eventually(() => expect(framesOf(client).map(({ msg }) => msg)).toEqual([{ n: 1 }]));
  });
});

describeWithRabbitMq('10.7: silence', () => {
  test.each([
    ['an exchange that is not configured', 'amaretti', 'a', 'stream_unknown'],
    ['a key without its project', 'warehouse', 'dataset.update.1', 'bind_invalid'],
    ['a key whose project has no known place', 'warehouse', 'dataset.#.1.mine', 'bind_invalid'],
    ['9: another collection', 'warehouse', 'comment_project.*.*.mine', 'bind_invalid'],
    ['a collection that is a name of every object', 'warehouse', 'constructor.a.b.mine', 'bind_invalid'],
    ['an empty key', 'wf.task', '', 'bind_invalid'],
  ])('%s', async (_, exchange, key, code) => {
    const client = await brainlife.open();
    const asked = brainlife.backend.requests.length;
    expect(await answersTo(client, exchange, key)).toEqual([]);
    expect(client.messages).toEqual([{ error: { code, id: `${exchange} ${key}` } }]);
    expect(brainlife.backend.requests.length).toBe(asked);
  });
});

describeWithRabbitMq('10.9: the check', () => {
  test.each([
    ['wf.task', (name: string) => `${name}.t.#`, (name: string) => `/amaretti/event/checkaccess/instance/${name}`],
    [
      'warehouse',
      (name: string) => `rule.*.*.${name}.#`,
      (name: string) => `/warehouse/event/checkaccess/project/${name}`,
    ],
    [
      'warehouse.dataset',
      (name: string) => `${name}.*`,
      (name: string) => `/warehouse/event/checkaccess/project/${name}`,
    ],
    ['wf', (name: string) => `${name}.a/b.#`, (name: string) => `/amaretti/event/checkaccess/${name}.a%2Fb.%23`],
  ])('of %s relays the token of the client', async (exchange, keyOf, urlOf) => {
    const token = brainlife.issuer.token({ sub: mine() });
    const client = await brainlife.openWith(`?jwt=${token}`);
    const name = mine();
    await client.bound(exchange, keyOf(name));
    expect(brainlife.backend.requests.filter(({ url }) => url.includes(name))).toEqual([
      { url: urlOf(name), authorization: `Bearer ${token}` },
    ]);
  });

  test.each([
    ['200 and ok', true, 200, '{"status":"ok"}'],
    ['200 and ok for an admin', true, 200, '{"status":"ok","admin":true}'],
    ['401 and ok: the status is not looked at', true, 401, '{"status":"ok"}'],
    ['500 and ok', true, 500, '{"status":"ok"}'],
    ['200 and something else', false, 200, '{"status":"no"}'],
    ['200 and ok elsewhere', false, 200, '{"body":{"status":"ok"}}'],
    ['200 and a list', false, 200, '[{"status":"ok"}]'],
    ['200 and text', false, 200, '"ok"'],
    ['200 and null', false, 200, 'null'],
    ['200 and nothing', false, 200, ''],
    ['200 and HTML', false, 200, '<html><body>{"status":"ok"}</body></html>'],
    ['401 and text', false, 401, "no such instance or you don't have access to it"],
    ['500 and a message', false, 500, '{"message":"UnauthorizedError: jwt malformed"}'],
    ['302', false, 302, '{"status":"redirected"}'],
    ['more than any answer has', false, 200, `{"status":"ok","x":"${'x'.repeat(100_000)}"}`],
  ])('answers %s: allowed %s', async (_, allows, status, body) => {
    const client = await brainlife.open();
    const instance = mine();
    brainlife.backend.answer(instance, (request, response) => {
      const headers = { location: `${brainlife.backend.url}${request.url}`, 'content-type': 'application/json' };
      response.writeHead(status, headers).end(body);
    });
    if (allows) {
      await brainlife.untilBound(client, 'wf.task', instance, instance);
    } else {
      client.bind('wf.task', instance);
      await eventually(() => expect(client.messages).toEqual(deniedOn('wf.task')));
    }
    await settled(client);
  });

  test('answers only after a while', async () => {
    const client = await brainlife.open();
    const instance = mine();
    brainlife.backend.answer(
      instance,
      (_, response) => void setTimeout(() => sendJson(response, 200, { status: 'ok' }), 1500),
    );
    await brainlife.untilBound(client, 'wf.task', instance, instance);
  });

  test('never answers, or breaks off: not allowed, and the connection goes on', async () => {
    const client = await brainlife.open();
    const [silent, broken, well] = [mine(), mine(), mine()];
    brainlife.backend.answer(silent, () => undefined);
    brainlife.backend.answer(broken, (request) => request.socket.destroy());
    client.bind('wf.task', broken);
    await eventually(() => expect(client.errors).toHaveLength(1));
    client.bind('wf.task', silent);
    await brainlife.untilBound(client, 'wf.task', well, well);
    const both = [...deniedOn('wf.task'), ...deniedOn('wf.task')];
    await eventually(() => expect(client.errors).toEqual(both), 20_000);
  });

  test('cannot be reached: not allowed, and as soon as it is back it is asked again', async () => {
    const client = await brainlife.open();
    const instance = mine();
    await brainlife.backend.down();
    client.bind('wf.task', instance);
    client.bind('warehouse', `dataset.update.1.${instance}`);
    await eventually(() => expect(client.errors).toHaveLength(2));
    await brainlife.backend.up();
    await eventually(() => client.bound('wf.task', instance));
  });

  test('the dots of a path change nothing of who is asked', async () => {
    const client = await brainlife.open();
    const asked = brainlife.backend.requests.length;
    client.bind('wf', '..');
    await eventually(() => expect(client.errors).toEqual(deniedOn('wf')));
    expect(brainlife.backend.requests.length).toBe(asked);
  });
});

describeWithRabbitMq('10.10: wf.instance by group', () => {
  test.each([
    ['5.#', {}, true],
    ['71.i', {}, true],
    ['0.i', {}, true],
    ['na.i', {}, true],
    ['na.i', { gids: undefined }, true],
    ['6.#', {}, false],
    ['#', {}, false],
    ['*.i', {}, false],
    ['5x.i', {}, false],
    ['5', { gids: undefined }, false],
    ['5', { gids: [] }, false],
  ])('%s with %j: allowed %s', async (key, claims, allows) => {
    const client = await brainlife.open(claims);
    const asked = brainlife.backend.requests.length;
    if (allows) await client.bound('wf.instance', key);
    else {
      client.bind('wf.instance', key);
      await eventually(() => expect(client.messages).toEqual(deniedOn('wf.instance')));
    }
    expect(brainlife.backend.requests.length).toBe(asked);
  });
});

describeWithRabbitMq('10.10: warehouse by project', () => {
  test.each(['dataset', 'project', 'rule'])('%s', async (collection) => {
    const client = await brainlife.open();
    const project = mine();
    await brainlife.untilBound(
      client,
      'warehouse',
      `${collection}.update.*.${project}`,
      `${collection}.update.7.${project}`,
    );
    client.bind('warehouse', `${collection}.update.*.theirs`);
    await eventually(() => expect(client.errors).toEqual(deniedOn('warehouse')));
  });
});

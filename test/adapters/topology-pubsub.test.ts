import { expect, inject, onTestFinished, test } from 'vitest';
import { applyTopology } from '../../src/bootstrap/topology.ts';
import { eventually } from '../support/eventually.ts';
import { fakeCommandIo } from '../support/fake-command-io.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { apply, configFile, openProject, ownProject } from './topology-fixture.ts';

const emulator = inject('pubsubEmulatorHost');
const discard = { onDeadLetter: 'discard' };
const deadLetter = { topic: 'dead', by: 'policy', deliveriesMax: 5, subscription: 'dead-kept' };

/** A config with these sources, and the one project that it is about. */
async function given(...sources: readonly object[]) {
  const project = ownProject();
  const file = configFile(
    sources.map((settings, index) => ({ name: `source-${index}`, pubsub: { project, emulator, ...settings } })),
  );
  const view = await openProject(emulator, project);
  const [topics, subscriptions] = [`projects/${project}/topics`, `projects/${project}/subscriptions`];
  return { project, file, view, topics, subscriptions };
}

describeWithPubSub('topology apply at the Pub/Sub emulator', () => {
  test('makes what the config names, and finds it there afterwards', async () => {
    const { file, view, topics, subscriptions } = await given(
      { subscriptions: ['orders.v1:edge-orders'], ordered: true, deadLetter: { topic: 'dead' } },
      { subscriptions: ['prices.v1:edge-prices'], deadLetter },
    );
    const kept = 'keeping messages for 7 days (as Pub/Sub has it)';
    const { code, lines } = await apply(file);
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        `created topic ${topics}/orders.v1`,
        `created topic ${topics}/dead`,
        `created topic ${topics}/prices.v1`,
        `created subscription ${subscriptions}/dead-kept: of ${topics}/dead, never expiring, ${kept}`,
        `created subscription ${subscriptions}/edge-orders: of ${topics}/orders.v1, with message ordering, ${kept}`,
        `created subscription ${subscriptions}/edge-prices: of ${topics}/prices.v1, dead letters to ${topics}/dead after 5 deliveries, ${kept}`,
        '6 created',
      ],
    });
    expect(await view.topics()).toEqual(['dead', 'orders.v1', 'prices.v1']);
    expect(await view.subscriptions()).toEqual(['dead-kept', 'edge-orders', 'edge-prices']);
    const made = async (id: string) => (await view.client.subscription(id).getMetadata())[0];
    expect(await made('edge-orders')).toMatchObject({
      topic: `${topics}/orders.v1`,
      enableMessageOrdering: true,
      deadLetterPolicy: null,
    });
    expect(await made('edge-prices')).toMatchObject({
      topic: `${topics}/prices.v1`,
      enableMessageOrdering: false,
      deadLetterPolicy: { deadLetterTopic: `${topics}/dead`, maxDeliveryAttempts: 5 },
    });
    // A policy without a time is "never"; without a policy Pub/Sub would take 31 days.
    expect(await made('dead-kept')).toMatchObject({ topic: `${topics}/dead`, expirationPolicy: { ttl: null } });

    const again = await apply(file);
    expect({ code: again.code, lines: again.lines }).toEqual({
      code: 0,
      lines: [
        `exists topic ${topics}/orders.v1`,
        `exists topic ${topics}/dead`,
        `exists topic ${topics}/prices.v1`,
        `exists subscription ${subscriptions}/dead-kept`,
        `exists subscription ${subscriptions}/edge-orders`,
        `exists subscription ${subscriptions}/edge-prices`,
        '6 exist',
      ],
    });
  });

  test('with --dry-run only tells, and makes nothing', async () => {
    const { file, view, topics, subscriptions } = await given({ subscriptions: ['orders.v1:edge'], deadLetter });
    const { code, lines } = await apply(file, { dryRun: true });
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        `would create topic ${topics}/orders.v1`,
        `would create topic ${topics}/dead`,
        expect.stringContaining(`would create subscription ${subscriptions}/dead-kept: of ${topics}/dead, never`),
        expect.stringContaining(
          `would create subscription ${subscriptions}/edge: of ${topics}/orders.v1, dead letters to`,
        ),
        '4 would be created; nothing was changed',
      ],
    });
    expect([await view.topics(), await view.subscriptions()]).toEqual([[], []]);
  });

  test('makes what is missing of what is partly there', async () => {
    const { file, view, topics, subscriptions } = await given({
      subscriptions: ['orders.v1:edge-orders', 'prices.v1:edge-prices'],
      ...discard,
    });
    await view.topic('prices.v1');
    await view.subscription('edge-prices', 'prices.v1');
    const { code, lines } = await apply(file, { dryRun: true });
    expect(code).toBe(0);
    expect(lines.map((line) => line.replace(/:.*/, ''))).toEqual([
      `would create topic ${topics}/orders.v1`,
      `exists topic ${topics}/prices.v1`,
      `would create subscription ${subscriptions}/edge-orders`,
      `exists subscription ${subscriptions}/edge-prices`,
      '2 would be created, 2 exist; nothing was changed',
    ]);
    expect((await apply(file)).lines.at(-1)).toBe('2 created, 2 exist');
    expect((await apply(file)).lines.at(-1)).toBe('4 exist');
  });

  test('several at once do not stand in the way of each other', async () => {
    const { file, view } = await given({ subscriptions: ['orders.v1:edge'], deadLetter });
    const applied = await Promise.all(Array.from({ length: 6 }, () => apply(file)));
    expect(applied.map(({ code, stderr }) => ({ code, stderr }))).toEqual(applied.map(() => ({ code: 0, stderr: '' })));
    const created = applied.flatMap(({ lines }) => lines.filter((line) => line.startsWith('created')));
    expect(new Set(created).size).toBe(4);
    expect(await view.topics()).toEqual(['dead', 'orders.v1']);
    expect(await view.subscriptions()).toEqual(['dead-kept', 'edge']);
  });

  test('the policy works: after five deliveries a message is with the dead letters', async () => {
    const { file, view } = await given({ subscriptions: ['orders.v1:edge'], deadLetter });
    await apply(file);
    const attempts: number[] = [];
    const dead: { readonly data: string; readonly from: string | undefined }[] = [];
    const edge = view.client.subscription('edge');
    const kept = view.client.subscription('dead-kept');
    onTestFinished(async () => void (await Promise.all([edge.close(), kept.close()])));
    edge.on('message', (message) => {
      attempts.push(message.deliveryAttempt);
      message.nack();
    });
    kept.on('message', (message) => {
      dead.push({
        data: String(message.data),
        from: message.attributes['CloudPubSubDeadLetterSourceSubscription'],
      });
      message.ack();
    });
    await view.client.topic('orders.v1').publishMessage({ data: Buffer.from('poison') });
    await eventually(() => expect(dead).toEqual([{ data: 'poison', from: 'edge' }]));
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
  });

  test('tells in what an existing subscription differs, and leaves it as it is', async () => {
    const { file, view, topics, subscriptions } = await given(
      { subscriptions: ['orders.v1:unordered'], ordered: true, ...discard },
      { subscriptions: ['elsewhere', 'no-policy', 'nine', 'pushes'].map((id) => `orders.v1:${id}`), deadLetter },
    );
    for (const id of ['orders.v1', 'old', 'dead']) await view.topic(id);
    const policy = { deadLetterTopic: `${topics}/dead`, maxDeliveryAttempts: 5 };
    const good = { deadLetterPolicy: policy };
    await view.subscription('unordered', 'orders.v1', good);
    await view.subscription('elsewhere', 'old', good);
    await view.subscription('no-policy', 'orders.v1');
    await view.subscription('nine', 'orders.v1', { deadLetterPolicy: { ...policy, maxDeliveryAttempts: 9 } });
    await view.subscription('pushes', 'orders.v1', { ...good, pushConfig: { pushEndpoint: 'http://127.0.0.1:1/' } });
    const all = async () =>
      Promise.all(
        ['unordered', 'elsewhere', 'no-policy', 'nine', 'pushes'].map((id) =>
          view.client.subscription(id).getMetadata(),
        ),
      );
    const before = JSON.stringify(await all());

    const gcloud = `CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://${emulator}/ gcloud`;
    const again =
      'correct the config; or make it again, since this cannot be changed, and lose the messages that it holds: ';
    const remake = (id: string) =>
      `  ${again}${gcloud} pubsub subscriptions delete ${subscriptions}/${id}, then apply again`;
    const update = (id: string, flags: string) =>
      `  ${gcloud} pubsub subscriptions update ${subscriptions}/${id} ${flags}`;
    const policyFlags = `--dead-letter-topic=${topics}/dead --max-delivery-attempts=5`;
    const { code, lines, stderr } = await apply(file);
    expect({ code, lines: lines.slice(2), stderr }).toEqual({
      code: 7,
      lines: [
        expect.stringContaining(`created subscription ${subscriptions}/dead-kept`),
        `differs subscription ${subscriptions}/unordered: message ordering is not enabled`,
        remake('unordered'),
        `differs subscription ${subscriptions}/elsewhere: its topic is ${topics}/old, not ${topics}/orders.v1`,
        remake('elsewhere'),
        `differs subscription ${subscriptions}/no-policy: it has no dead letter policy`,
        update('no-policy', policyFlags),
        `differs subscription ${subscriptions}/nine: its dead letters are moved after 9 deliveries, not 5`,
        update('nine', policyFlags),
        `differs subscription ${subscriptions}/pushes: it pushes to http://127.0.0.1:1/, and the source pulls`,
        update('pushes', "--push-endpoint=''"),
        '1 created, 2 exist, 5 differ',
      ],
      stderr: '',
    });
    expect(JSON.stringify(await all())).toBe(before);
    expect((await apply(file, { dryRun: true })).code).toBe(7);
  });

  test('what every instance makes for itself is not made, its topic is', async () => {
    const { file, view, topics } = await given({
      subscriptions: ['orders.v1:edge'],
      perInstance: true,
      ...discard,
    });
    expect(await apply(file)).toEqual({
      code: 0,
      lines: [`created topic ${topics}/orders.v1`, '1 created'],
      stderr: 'edgeward: Source "source-0" makes subscriptions of its own for every instance (perInstance).\n',
    });
    expect(await view.subscriptions()).toEqual([]);
  });

  test('a subscription without a topic is looked for, and cannot be made', async () => {
    const { file, view, subscriptions } = await given({ subscriptions: ['nameless'], ...discard });
    expect(await apply(file)).toEqual({
      code: 7,
      lines: [
        `missing subscription ${subscriptions}/nameless: the config does not name its topic`,
        '  write TOPIC:nameless in the config, and apply it again',
        '1 missing',
      ],
      stderr: '',
    });
    await view.topic('orders.v1');
    await view.subscription('nameless', 'orders.v1');
    expect(await apply(file)).toEqual({
      code: 0,
      lines: [`exists subscription ${subscriptions}/nameless`, '1 exists'],
      stderr: '',
    });
  });

  test('with --json prints one object for each thing', async () => {
    const { file, view, topics, subscriptions } = await given({
      subscriptions: ['orders.v1:edge', 'nameless'],
      ordered: true,
      ...discard,
    });
    await view.topic('orders.v1');
    await view.subscription('edge', 'orders.v1');
    const { code, lines } = await apply(file, { json: true });
    expect(code).toBe(7);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { outcome: 'exists', kind: 'topic', name: `${topics}/orders.v1` },
      {
        outcome: 'differs',
        kind: 'subscription',
        name: `${subscriptions}/edge`,
        differences: ['message ordering is not enabled'],
        remedy: expect.stringContaining(`gcloud pubsub subscriptions delete ${subscriptions}/edge`),
      },
      {
        outcome: 'missing',
        kind: 'subscription',
        name: `${subscriptions}/nameless`,
        reason: 'the config does not name its topic',
        remedy: expect.stringContaining('TOPIC:nameless'),
      },
    ]);
  });

  test('leaves no connection behind', async () => {
    await using proxy = await createTcpProxy(Number(emulator.split(':')[1]));
    let most = 0;
    const source = { project: ownProject(), emulator: proxy.host, subscriptions: ['orders.v1:edge'], ...discard };
    const cli = fakeCommandIo();
    const stdout = (text: string) => {
      most = Math.max(most, proxy.connections);
      cli.io.stdout(text);
    };
    await applyTopology(configFile([{ pubsub: source }]), {}, { ...cli.io, stdout });
    expect(cli.stdout()).toMatch(/2 created/);
    expect(most).toBeGreaterThan(0);
    await eventually(() => expect(proxy.connections).toBe(0));
  });

  test('several sources and projects are one topology', async () => {
    const [project, other] = [ownProject(), ownProject()];
    const dead = { topic: `projects/${other}/topics/dead` };
    const file = configFile([
      { name: 'one', pubsub: { project, emulator, subscriptions: ['orders.v1:one'], deadLetter: dead } },
      { name: 'two', pubsub: { project, emulator, subscriptions: ['orders.v1:two'], deadLetter: dead } },
      { memory: discard },
    ]);
    const { code, lines, stderr } = await apply(file);
    expect({ code, last: lines.at(-1) }).toEqual({ code: 0, last: '4 created' });
    expect(stderr.match(/are lost\. deadLetter\.subscription of the source/g)).toHaveLength(2);
    expect(await (await openProject(emulator, project)).subscriptions()).toEqual(['one', 'two']);
    expect(await (await openProject(emulator, other)).topics()).toEqual(['dead']);
  });
});

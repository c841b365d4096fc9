import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { type EmulatorProject, emulatorProject } from '../support/emulator-rest.ts';
import { eventually, eventuallyMsMax } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { startPubSubEmulator } from '../support/pubsub-emulator.ts';
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { describeWithOwnPubSub } from '../support/with-brokers.ts';

const testMsMax = 120_000;
/** Silence is noticed after 10 s, and the question whether anybody is there takes its time as well. */
const silenceMsMax = 30_000;
/** What was on the wire in an outage comes again after its lease: 10 s, and some more. */
const leaseMsMax = 90_000;

const range = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => first + index);

/** Published while all is well, and still coming when the outage begins. */
const load = range(0, 1000);
const perPublish = 100;
/** Received when the outage begins. */
const receivedMin = 50;
const during = range(1000, 100);
const after = range(1100, 100);

const publish = (broker: EmulatorProject, numbers: readonly number[]) =>
  broker.publish('numbers', ...numbers.map((number) => ({ data: Buffer.from(String(number)).toString('base64') })));

async function publishLoad(broker: EmulatorProject): Promise<void> {
  for (let first = 0; first < load.length; first += perPublish) {
    await publish(broker, load.slice(first, first + perPublish));
  }
}

/** A project on an emulator with what `startGateway` consumes from. */
async function createProject(emulator: string): Promise<EmulatorProject> {
  const broker = emulatorProject(emulator, `outage-${randomUUID()}`);
  await createTopology(broker);
  return broker;
}

async function createTopology(broker: EmulatorProject): Promise<void> {
  await broker.createTopic('numbers');
  await broker.createSubscription('edge', 'numbers');
}

/** @param emulator as the gateway reaches it. */
async function startGateway(project: string, emulator: string): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-outage-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  const source = `{ project: ${project}, emulator: "${emulator}", subscriptions: ["numbers:edge"], onDeadLetter: discard`;
  await writeFile(
    file,
    `listen: { port: 0 }
sources: [{ pubsub: ${source}, startTimeoutMs: 60000 } }]
endpoints: [{ socketio: { rooms: [{ templates: [everybody] }] } }]
routes: [{ eachOf: [everybody] }]
`,
  );
  return startGatewayProcess({ args: ['start', file] });
}

/** A stock client that is connected, and counts. */
async function connectCounting(url: string) {
  const socket = io(url, { transports: ['websocket'], forceNew: true });
  onTestFinished(() => void socket.disconnect());
  const counts = new Map<number, number>();
  const disconnects: string[] = [];
  const hasSome = Promise.withResolvers<void>();
  socket.on('numbers', (number: number) => {
    counts.set(number, (counts.get(number) ?? 0) + 1);
    if (counts.size === receivedMin) hasSome.resolve();
  });
  socket.on('disconnect', (reason) => disconnects.push(reason));
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
  const { id } = socket;
  return {
    counts,
    hasSome: hasSome.promise,
    missing: (numbers: readonly number[]) => numbers.filter((number) => !counts.has(number)),
    expectStillConnected: () => {
      expect(disconnects).toEqual([]);
      expect(socket.connected).toBe(true);
      expect(socket.id).toBe(id);
    },
  };
}

type CountingClient = Awaited<ReturnType<typeof connectCounting>>;

const connectBoth = (url: string): Promise<readonly CountingClient[]> =>
  Promise.all([connectCounting(url), connectCounting(url)]);

const received = (clients: readonly CountingClient[], numbers: readonly number[], limitMs = eventuallyMsMax) =>
  eventually(() => {
    for (const client of clients) expect(client.missing(numbers), 'lost').toEqual([]);
  }, limitMs);

/** @returns what `/readyz` says of the source. That clients may be sent here is so all the time: they are served. */
async function sourceOf({ url }: GatewayProcess): Promise<unknown> {
  const answer = await fetch(`${url}/readyz`);
  expect(answer.status).toBe(200);
  const { sources } = (await answer.json()) as { readonly sources: readonly unknown[] };
  return sources[0];
}

const tellsOfOutage = (gateway: GatewayProcess, why: string, limitMs = eventuallyMsMax): Promise<void> =>
  eventually(async () => {
    const reason: unknown = expect.stringContaining(why);
    expect(await sourceOf(gateway)).toEqual({ name: 'pubsub', state: 'waiting', reason });
  }, limitMs);

const consumes = (gateway: GatewayProcess): Promise<void> =>
  eventually(async () => expect(await sourceOf(gateway)).toEqual({ name: 'pubsub', state: 'consuming' }));

/** Only what was on its way when the outage began may come again. @returns how much of it did. */
function timesAgain(clients: readonly CountingClient[]): number {
  const again = clients.flatMap(({ counts }) => [...counts].filter(([, times]) => times > 1));
  expect(
    again.filter(([number]) => !load.includes(number)),
    'received again',
  ).toEqual([]);
  return again.reduce((sum, [, times]) => sum + times - 1, 0);
}

/** The clients are connected as they were, and have every number. */
async function expectWhole(clients: readonly CountingClient[]): Promise<string> {
  await received(clients, [...load, ...during, ...after], leaseMsMax);
  for (const { expectStillConnected } of clients) expectStillConnected();
  return `${load.length} messages under way at most, ${timesAgain(clients)} received again by a client`;
}

describeWithOwnPubSub('a gateway whose Pub/Sub', () => {
  test('is frozen says so, keeps its clients, and loses nothing', { timeout: testMsMax }, async ({ annotate }) => {
    await using emulator = await startPubSubEmulator();
    const broker = await createProject(emulator.host);
    await using gateway = await startGateway(broker.project, emulator.host);
    const clients = await connectBoth(gateway.url);

    const loaded = publishLoad(broker);
    await Promise.all(clients.map(({ hasSome }) => hasSome));
    emulator.freeze();
    for (const { missing } of clients) expect(missing(load), 'there was load').not.toEqual([]);
    await tellsOfOutage(gateway, `Pub/Sub at ${emulator.host} does not answer`, silenceMsMax);
    // Who publishes now waits.
    const published = publish(broker, during);
    for (const { expectStillConnected } of clients) expectStillConnected();

    emulator.thaw();
    await Promise.all([loaded, published]);
    await consumes(gateway);
    await publish(broker, after);
    await received(clients, after);
    await annotate(await expectWhole(clients));
  });

  test('is cut off says so, keeps its clients, and loses nothing', { timeout: testMsMax }, async ({ annotate }) => {
    await using emulator = await startPubSubEmulator();
    await using proxy = await createTcpProxy(emulator.port);
    const broker = await createProject(emulator.host);
    await using gateway = await startGateway(broker.project, proxy.host);
    const clients = await connectBoth(gateway.url);

    const loaded = publishLoad(broker);
    await Promise.all(clients.map(({ hasSome }) => hasSome));
    proxy.cut();
    for (const { missing } of clients) expect(missing(load), 'there was load').not.toEqual([]);
    await tellsOfOutage(gateway, `Pub/Sub at ${proxy.host} does not answer`);
    await loaded;
    await publish(broker, during);
    for (const { missing, expectStillConnected } of clients) {
      expect(missing(during)).toEqual(during);
      expectStillConnected();
    }

    proxy.restore();
    const begin = performance.now();
    await consumes(gateway);
    const consumingMs = Math.round(performance.now() - begin);
    await publish(broker, after);
    await received(clients, after, leaseMsMax);
    const afterMs = Math.round(performance.now() - begin);
    await received(clients, during, leaseMsMax);
    const duringMs = Math.round(performance.now() - begin);
    const times = `consuming ${consumingMs} ms after the cut, new events ${afterMs} ms, those of the cut ${duringMs} ms`;
    await annotate(`${await expectWhole(clients)}; ${times}`);
  });

  test('dies and comes back empty says so, and goes on within 10 s of its topology', {
    timeout: testMsMax,
  }, async ({ annotate }) => {
    await using first = await startPubSubEmulator();
    const broker = await createProject(first.host);
    await using gateway = await startGateway(broker.project, first.host);
    const clients = await connectBoth(gateway.url);
    await publish(broker, load);
    await received(clients, load);

    await first.kill();
    await tellsOfOutage(gateway, `Pub/Sub at ${first.host} does not answer`);
    await using second = await startPubSubEmulator(first.port);
    await tellsOfOutage(gateway, `subscription "edge" does not exist at ${second.host}`);

    await createTopology(broker);
    const begin = performance.now();
    await publish(broker, after);
    await received(clients, after);
    const resumedMs = performance.now() - begin;
    expect(resumedMs).toBeLessThan(10_000);
    await consumes(gateway);
    for (const { expectStillConnected } of clients) expectStillConnected();
    await annotate(`consumed ${Math.round(resumedMs)} ms after the topology, ${timesAgain(clients)} received again`);
  });
});

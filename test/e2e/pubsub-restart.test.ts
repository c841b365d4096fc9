import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket as NetSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { expect, inject, onTestFinished } from 'vitest';
import { type EmulatorProject, emulatorProject } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { startEdgeward, startGatewayProcess } from '../support/gateway-process.ts';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { testWithPubSub } from '../support/with-brokers.ts';

/** Two processes start beside whatever else this machine does. */
const startMsMax = 30_000;

const messages = 4000;
const clientsEach = 4;
const messagesPerPublish = 50;
const publishers = 2;
/** Received by all clients of the first instance, when its broker falls silent. */
const receivedBeforeSilence = 600;
/** Published in the silence. It reaches the first instance together with the signal. */
const onTheWay = 1000;
/** Of each message: what is on the way is more than is handed over in one turn. JSON may end with spaces. */
const payloadBytes = 1000;

type Instance = { readonly project: string; readonly emulator: string; readonly port: number };

async function configFile({ project, emulator, port }: Instance): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-restart-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'gateway.yaml');
  const source = `{ project: ${project}, emulator: "${emulator}", subscriptions: ["numbers:edge"], onDeadLetter: discard`;
  await writeFile(
    file,
    `listen: { port: ${port} }
log: { format: json }
sources: [{ pubsub: ${source}, startTimeoutMs: 60000 } }]
endpoints: [{ socketio: { rooms: [{ templates: [everybody] }] } }]
routes: [{ eachOf: [everybody] }]
`,
  );
  return file;
}

/** What clients connect to: it leads new connections to where it is told, like a load balancer. */
async function startBalancer(first: number) {
  let port = first;
  const sockets = new Set<NetSocket>();
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
      one.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (next: number) => {
      port = next;
    },
  };
}

/** Whoever takes it next may find it taken, but nobody is given it soon. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** How often each number was received. */
type Counts = Map<number, number>;

/** A stock client, connected, that counts. */
async function counting(url: string): Promise<{ readonly socket: Socket; readonly received: Counts }> {
  const socket = io(url, {
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
  });
  onTestFinished(() => void socket.disconnect());
  const received: Counts = new Map();
  socket.on('numbers', (number: number) => received.set(number, (received.get(number) ?? 0) + 1));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, received };
}

const clientsOf = (url: string) => Promise.all(Array.from({ length: clientsEach }, () => counting(url)));

/** Publishes running numbers without a pause, whatever else happens. */
async function publishAll(broker: EmulatorProject, onPublished: (count: number) => void): Promise<void> {
  let next = 0;
  let published = 0;
  const publishOnAndOn = async (): Promise<void> => {
    while (next < messages) {
      const numbers = Array.from({ length: messagesPerPublish }, (_, index) => next + index);
      next += messagesPerPublish;
      const data = numbers.map((number) => ({
        data: Buffer.from(String(number).padEnd(payloadBytes)).toString('base64'),
      }));
      await broker.publish('numbers', ...data);
      published += messagesPerPublish;
      onPublished(published);
    }
  };
  await Promise.all(Array.from({ length: publishers }, publishOnAndOn));
}

const all = new Set(Array.from({ length: messages }, (_, number) => number));

/** What every one of them has. */
const atAll = (clients: readonly Counts[]): ReadonlySet<number> =>
  clients.reduce<ReadonlySet<number>>((common, counts) => common.intersection(counts), all);

const timesAgain = (clients: readonly Counts[]): number =>
  clients.flatMap((counts) => [...counts.values()]).reduce((again, times) => again + times - 1, 0);

testWithPubSub(
  'SIGTERM under load, and a second instance on the same subscription: nothing is lost',
  { timeout: 120_000 },
  async ({ annotate }) => {
    const emulator = inject('pubsubEmulatorHost');
    const broker = emulatorProject(emulator, `restart-${randomUUID()}`);
    await broker.createTopic('numbers');
    await broker.createSubscription('edge', 'numbers');
    await using toOne = await createTcpProxy(Number(emulator.split(':')[1]));
    await using toTwo = await createTcpProxy(Number(emulator.split(':')[1]));
    const config = (proxy: TcpProxy, port: number) =>
      configFile({ project: broker.project, emulator: proxy.host, port });

    await using one = await startGatewayProcess({ args: ['start', await config(toOne, 0)] });
    const balancer = await startBalancer(Number(new URL(one.url).port));
    const ofOne = await clientsOf(balancer.url);

    // The second one listens, and has its clients, before anything comes from its broker.
    toTwo.stall();
    const port = await freePort();
    const two = startEdgeward({ args: ['start', await config(toTwo, port)] });
    onTestFinished(() => void two.process.kill('SIGKILL'));
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
      expect(answer?.status, two.output()).toBe(200);
    }, startMsMax);
    const ofTwo = await clientsOf(`http://127.0.0.1:${port}`);

    // What a client has when it is cut came from the first instance, and what comes later from the second.
    const cut = ofOne.map(
      ({ socket, received }) =>
        new Promise<{ readonly reason: string; readonly counts: Counts }>((resolve) =>
          socket.once('disconnect', (reason) => resolve({ reason, counts: new Map(received) })),
        ),
    );
    let silentFrom = 0;
    let signalAt = 0;
    await publishAll(broker, (published) => {
      if (silentFrom === 0 && ofOne.every(({ received }) => received.size >= receivedBeforeSilence)) {
        silentFrom = published;
        toOne.stall();
      } else if (silentFrom > 0 && signalAt === 0 && published >= silentFrom + onTheWay) {
        signalAt = published;
        balancer.leadTo(port);
        toTwo.resume();
        toOne.resume();
        // In the middle of what comes at once.
        ofOne[0]?.socket.once('numbers', () => one.signal('SIGTERM'));
      }
    });
    expect(signalAt, 'there was load before the signal').toBeGreaterThan(0);
    expect(signalAt, 'there was load after the signal').toBeLessThan(messages);
    expect(await one.exited, one.output()).toBe(0);
    const cuts = await Promise.all(cut);
    expect(cuts.map(({ reason }) => reason)).toEqual(cuts.map(() => 'transport close'));

    // Whoever was connected to an instance all the time has everything that this one took.
    const byOne = atAll(cuts.map(({ counts }) => counts));
    await eventually(() => {
      const byTwo = atAll(ofTwo.map(({ received }) => received));
      expect([...all.difference(byOne.union(byTwo))], 'lost').toEqual([]);
    });
    // Who was cut came back by itself, and gets what the second one takes.
    for (const { socket, received } of ofOne) {
      await eventually(() => expect([socket.connected, received.has(messages - 1)]).toEqual([true, true]));
    }

    two.process.kill('SIGTERM');
    expect(await two.exited, two.output()).toBe(0);
    for (const { output } of [one, two]) expect(output()).toMatch(/"abandoned":0,.*"msg":"gateway has stopped"/);
    expect(await broker.pull('edge'), 'left with the broker').toEqual([]);
    const byTwo = atAll(ofTwo.map(({ received }) => received));
    const byBoth = byOne.intersection(byTwo).size;
    const again = timesAgain([...cuts.map(({ counts }) => counts), ...ofTwo.map(({ received }) => received)]);
    await annotate(
      `${messages} messages, ${signalAt} before the signal: ${byOne.size} by the first instance, ${byTwo.size} by the ` +
        `second, ${byBoth} by both; received again by a client: ${again}`,
    );
  },
);

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
import { createTcpProxy } from '../support/tcp-proxy.ts';
import { testWithPubSub } from '../support/with-brokers.ts';

/** Two processes start beside whatever else this machine does. */
const startMsMax = 30_000;

const messages = 2000;
const messagesPerPublish = 100;
const clientsEach = 4;
/** Received by all clients of the first instance when the signal comes, */
const receivedMin = 500;
/** and on their way at that moment: with the broker, on the wire, in the hands of the instance. */
const onTheWayMin = 50;
/** Until then no more than these, so that there is something left to publish afterwards. */
const onTheWayMax = 400;
/** What was on the wire to an instance that has gone comes again after its lease: 10 s, and some more. */
const leaseMsMax = 45_000;
/** Of what an instance has handed over nothing comes again: it is settled before the process ends. */
const duplicatesMax = messages / 100;

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

const messageOf = (number: number) => ({ data: Buffer.from(String(number)).toString('base64') });

type Load = {
  /** Whether it goes on, when so many were published. */
  readonly mayGoOn: (published: number) => boolean;
  readonly onPublished: (published: number) => void;
};

/** Publishes running numbers as fast as it may. */
async function publishAll(broker: EmulatorProject, { mayGoOn, onPublished }: Load): Promise<void> {
  for (let first = 0; first < messages; first += messagesPerPublish) {
    await eventually(() => expect(mayGoOn(first)).toBe(true), startMsMax);
    const numbers = Array.from({ length: messagesPerPublish }, (_, index) => first + index);
    await broker.publish('numbers', ...numbers.map(messageOf));
    onPublished(first + messagesPerPublish);
  }
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
    await using toTwo = await createTcpProxy(Number(emulator.split(':')[1]));
    const config = (host: string, port: number) => configFile({ project: broker.project, emulator: host, port });

    await using one = await startGatewayProcess({ args: ['start', await config(emulator, 0)] });
    const balancer = await startBalancer(Number(new URL(one.url).port));
    const ofOne = await clientsOf(balancer.url);

    // The second one listens, and has its clients, before anything comes from its broker.
    toTwo.stall();
    const port = await freePort();
    const two = startEdgeward({ args: ['start', await config(toTwo.host, port)] });
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
    let publishedBefore = 0;
    let signalledAt = 0;
    const receivedByOne = () => Math.min(...ofOne.map(({ received }) => received.size));
    await publishAll(broker, {
      mayGoOn: (published) => signalledAt > 0 || published - receivedByOne() < onTheWayMax,
      onPublished(published) {
        const received = receivedByOne();
        if (signalledAt > 0 || received < receivedMin || published - received < onTheWayMin) return;
        publishedBefore = published;
        signalledAt = performance.now();
        balancer.leadTo(port);
        one.signal('SIGTERM');
        toTwo.resume();
      },
    });
    expect(publishedBefore, 'there was load before the signal').toBeGreaterThan(0);
    expect(publishedBefore, 'there was load after the signal').toBeLessThan(messages);
    expect(await one.exited, one.output()).toBe(0);
    const cuts = await Promise.all(cut);
    expect(cuts.map(({ reason }) => reason)).toEqual(cuts.map(() => 'transport close'));

    // Whoever was connected to an instance all the time has everything that this one took.
    const byOne = atAll(cuts.map(({ counts }) => counts));
    await eventually(() => {
      const byTwo = atAll(ofTwo.map(({ received }) => received));
      expect([...all.difference(byOne.union(byTwo))], 'lost').toEqual([]);
    }, leaseMsMax);
    const completeMs = Math.round(performance.now() - signalledAt);
    // Who was cut comes back by itself, and gets what the second one takes.
    await eventually(() => expect(ofOne.map(({ socket }) => socket.connected)).toEqual(ofOne.map(() => true)));
    await broker.publish('numbers', messageOf(messages));
    for (const { received } of [...ofOne, ...ofTwo]) {
      await eventually(() => expect(received.has(messages)).toBe(true));
    }

    two.process.kill('SIGTERM');
    expect(await two.exited, two.output()).toBe(0);
    for (const { output } of [one, two]) expect(output()).toMatch(/"abandoned":0,.*"msg":"gateway has stopped"/);
    expect(await broker.pull('edge'), 'left with the broker').toEqual([]);
    const byTwo = atAll(ofTwo.map(({ received }) => received));
    const byBoth = byOne.intersection(byTwo).size;
    const again = timesAgain([...cuts.map(({ counts }) => counts), ...ofTwo.map(({ received }) => received)]);
    await annotate(
      `${messages} messages, ${publishedBefore} before the signal: ${byOne.size} by the first instance, ${byTwo.size} by the ` +
        `second, ${byBoth} by both; ${again} received again by a client; complete ${completeMs} ms after the signal`,
    );
    expect(byBoth + again, 'received again').toBeLessThanOrEqual(duplicatesMax);
  },
);

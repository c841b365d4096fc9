import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import type { Settlement } from '../../src/application/ports/event-source.ts';
import { countingClock } from '../support/counting-clock.ts';
import { type EmulatorProject, emulatorProject, type RestMessage } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { type PushServer, pushServer } from '../support/pubsub-push.ts';
import { pushAdmission } from '../support/push-admission.ts';
import { type PushForwarder, startPushForwarder } from '../support/push-forwarder.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { testWithPubSub } from '../support/with-brokers.ts';

type Pushing = {
  readonly broker: EmulatorProject;
  readonly forwarder: PushForwarder;
  readonly server: PushServer;
  readonly clock: ReturnType<typeof countingClock>;
};

/** The topic `orders.v1`, which the emulator pushes to a source. Dead letters can be pulled from `dead-letters-pull`. */
async function pushing(
  settings: Readonly<Record<string, unknown>>,
  subscription: (broker: EmulatorProject) => Readonly<Record<string, unknown>> = () => ({}),
): Promise<Pushing> {
  const host = inject('pubsubEmulatorHost');
  const broker = emulatorProject(host, `push-${randomUUID()}`);
  const { admission, token } = await pushAdmission(recordingObserver());
  const clock = countingClock();
  const server = await pushServer(
    { project: broker.project, emulator: host, onDeadLetter: undefined, ...settings },
    { admission, clock },
  );
  const forwarder = await startPushForwarder(async () => `Bearer ${token}`);
  forwarder.forwardTo(server.url);
  for (const topic of ['orders.v1', 'dead-letters']) await broker.createTopic(topic);
  await broker.createSubscription('dead-letters-pull', 'dead-letters');
  await broker.createSubscription('orders-push', 'orders.v1', {
    pushConfig: { pushEndpoint: forwarder.url },
    ...subscription(broker),
  });
  onTestFinished(async () => {
    await broker.deleteSubscription('orders-push');
    await server[Symbol.asyncDispose]();
    await forwarder.close();
  });
  return { broker, forwarder, server, clock };
}

const message = (text: string): RestMessage => ({
  data: Buffer.from(text).toString('base64'),
  attributes: { 'Tenant-Id': 'T1' },
});

const deadLetter: Settlement = { kind: 'dead-letter', cause: 'nobody can handle it' };

testWithPubSub(
  'dead letters by policy: after five times 422 the emulator has moved the message, and its neighbours are through',
  async () => {
    const { broker, forwarder, server } = await pushing(
      { deadLetter: { topic: 'dead-letters', by: 'policy' } },
      ({ project }) => ({
        deadLetterPolicy: { deadLetterTopic: `projects/${project}/topics/dead-letters`, maxDeliveryAttempts: 5 },
      }),
    );
    const taken: string[] = [];
    await server.source.start(async ({ event }) => {
      const text = Buffer.from(event.payload).toString();
      if (text === 'poison') return deadLetter;
      taken.push(text);
      return { kind: 'accept' };
    });
    await broker.publish('orders.v1', message('before'), message('poison'), message('after'));
    await eventually(() => expect(taken.toSorted()).toEqual(['after', 'before']));
    const letters: RestMessage[] = [];
    // Five times a second each, and more where the machine is busy.
    await eventually(async () => {
      letters.push(...(await broker.pull('dead-letters-pull')));
      expect(letters).toHaveLength(1);
    }, 20_000);
    expect(Buffer.from(letters[0]?.data ?? '', 'base64').toString()).toBe('poison');
    expect(letters[0]?.attributes).toMatchObject({ 'Tenant-Id': 'T1', CloudPubSubDeadLetterSourceDeliveryCount: '5' });
    expect(forwarder.statuses.toSorted((a, b) => a - b)).toEqual([204, 204, 422, 422, 422, 422, 422]);
  },
);

testWithPubSub(
  'dead letters by Edgeward, to a topic that is not there: the message stays, and the log names the topic',
  async () => {
    const { broker, forwarder, server } = await pushing({ deadLetter: { topic: 'nowhere' } });
    await server.source.start(async () => deadLetter);
    await broker.publish('orders.v1', message('m0'));
    await eventually(() => expect(forwarder.statuses.length).toBeGreaterThanOrEqual(2));
    expect(new Set(forwarder.statuses)).toEqual(new Set([503]));
    const [fault] = server.observer.of('source-fault').map(({ error }) => error);
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: 'pubsub_missing', message: expect.stringContaining('"nowhere"') });
    // What is missing is created, and the message is through.
    await broker.createTopic('nowhere');
    await eventually(() => expect(forwarder.statuses.at(-1)).toBe(204));
  },
);

testWithPubSub(
  'a handler that is slower than the acknowledgement deadline: pushed again by the emulator, and handled once',
  async () => {
    const { broker, forwarder, server, clock } = await pushing(
      { deadLetter: { topic: 'dead-letters' }, leaseMsMax: 60_000 },
      () => ({
        ackDeadlineSeconds: 10,
      }),
    );
    const held = Promise.withResolvers<Settlement>();
    let handled = 0;
    await server.source.start(() => {
      handled += 1;
      return held.promise;
    });
    await broker.publish('orders.v1', message('slow'));
    // A timer for each request that waits.
    await eventually(() => expect(clock.pending).toBe(2), 20_000);
    held.resolve({ kind: 'accept' });
    await eventually(() => expect(forwarder.statuses).toEqual([204, 204]));
    await broker.publish('orders.v1', message('next'));
    await eventually(() => expect(forwarder.statuses).toEqual([204, 204, 204]));
    expect(handled).toBe(2);
  },
);

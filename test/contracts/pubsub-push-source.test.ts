import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import type { EventSource } from '../../src/application/ports/event-source.ts';
import { countingClock } from '../support/counting-clock.ts';
import { emulatorProject, type RestMessage } from '../support/emulator-rest.ts';
import { eventually } from '../support/eventually.ts';
import { type PushServer, pushServer } from '../support/pubsub-push.ts';
import { pushAdmission } from '../support/push-admission.ts';
import { startPushForwarder } from '../support/push-forwarder.ts';
import { recordingObserver } from '../support/recording-observer.ts';
import { describeWithPubSub, testWithPubSub } from '../support/with-brokers.ts';
import { eventSourceContract } from './event-source-contract.ts';
import type { DeadLetter, EventSourceHarness, HarnessContext, PublishedMessage } from './event-source-harness.ts';
import { handlerProbe, retry } from './handler-probe.ts';
import { bytesOf, textOf } from './test-data.ts';

const inFlightMax = 4;

/** Shorter than any acknowledgement deadline: what takes longer is pushed again because the source says so. */
const leaseMsMax = 3000;

/** The emulator pushes again a second after it was refused; twice that is well before the next lease has passed. */
const redeliverMs = 2000;

/** It pushes two messages of a subscription at once, so that the limit is met only with several. */
const topics = ['contract-0.v1', 'contract-1.v1', 'contract-2.v1'];

const topicOf = (key = ''): string => topics[(key.charCodeAt(key.length - 1) || 0) % topics.length] ?? '';

type PushHarness = EventSourceHarness & {
  /** Ends the pushing. @returns what the emulator itself still has. */
  pulled(): Promise<readonly string[]>;
};

async function pushHarness({ clock, observer }: HarnessContext): Promise<PushHarness> {
  const broker = emulatorProject(inject('pubsubEmulatorHost'), `push-${randomUUID()}`);
  const { admission, token } = await pushAdmission(observer);
  const settings = {
    project: broker.project,
    emulator: inject('pubsubEmulatorHost'),
    subscriptions: topics.map((topic) => `${topic}:${topic}-push`),
    inFlightMax,
    ordered: true,
    leaseMsMax,
    onDeadLetter: undefined,
    deadLetter: { topic: 'dead-letters' },
  };
  const serve = () => pushServer(settings, { clock, observer, admission });
  const [first, second]: readonly [PushServer, PushServer] = [await serve(), await serve()];
  const forwarder = await startPushForwarder(async () => `Bearer ${token}`);
  forwarder.forwardTo(first.url);
  const deadLetters: DeadLetter[] = [];
  await Promise.all(['dead-letters', ...topics].map((topic) => broker.createTopic(topic)));
  await broker.createSubscription('dead-letters-pull', 'dead-letters');
  await Promise.all(
    topics.map((topic) =>
      broker.createSubscription(`${topic}-push`, topic, {
        enableMessageOrdering: true,
        pushConfig: { pushEndpoint: `${forwarder.url}/v1/push/push` },
      }),
    ),
  );

  async function publish({ payload, key, attributes }: PublishedMessage): Promise<void> {
    const message: RestMessage = {
      data: Buffer.from(payload).toString('base64'),
      // A message must have something.
      attributes: attributes ? Object.fromEntries(attributes) : payload.byteLength === 0 ? { empty: 'yes' } : {},
      ...(key === undefined ? {} : { orderingKey: key }),
    };
    const ids = await broker.publish(topicOf(key), message);
    for (const id of ids) forwarder.keyOf(id, key ?? '');
  }

  return {
    source: first.source,
    secondSource(): EventSource {
      forwarder.forwardTo(second.url);
      return second.source;
    },
    async publish(message) {
      const published = publish(message);
      forwarder.holdUntil(published);
      await published;
    },
    backlog: async () => forwarder.unacknowledged.size,
    async deadLettered() {
      for (const { data = '', attributes = {} } of await broker.pull('dead-letters-pull')) {
        deadLetters.push({ payload: Buffer.from(data, 'base64'), attributes: new Map(Object.entries(attributes)) });
      }
      return deadLetters;
    },
    async quiet() {
      // What waits for an answer is hidden by its lease; what does not, comes again soon or never.
      const { waitingSince } = forwarder;
      await wait(redeliverMs);
      if (waitingSince !== undefined) await wait(waitingSince + leaseMsMax - Date.now() + redeliverMs);
    },
    async pulled() {
      const messages: string[] = [];
      for (const topic of topics) await broker.stopPushing(`${topic}-push`);
      await eventually(async () => {
        for (const topic of topics) {
          const pulled = await broker.pull(`${topic}-push`);
          messages.push(...pulled.map(({ data = '' }) => Buffer.from(data, 'base64').toString()));
        }
        expect(messages.length).toBeGreaterThan(0);
      });
      return messages;
    },
    inFlightMax,
    secrets: [token],
    async [Symbol.asyncDispose]() {
      for (const topic of topics) await broker.deleteSubscription(`${topic}-push`);
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
      await forwarder.close();
    },
  };
}

process.stdout.write(
  'The Pub/Sub emulator signs no token and leaves ordering keys out: a forwarder of the test adds them to each push.\n',
);

describeWithPubSub('at the emulator', () => {
  eventSourceContract('Pub/Sub push', pushHarness, { sideBySide: true });
});

testWithPubSub('what the harness calls the backlog is what the emulator has', async () => {
  await using harness = await pushHarness({ clock: countingClock(), observer: recordingObserver() });
  const probe = handlerProbe((message) => (textOf(message) === 'd' ? retry : { kind: 'accept' }));
  await harness.source.start(probe.handler);
  // Three keys of one topic.
  for (const name of ['a', 'd', 'g']) await harness.publish({ payload: bytesOf(name), key: name });
  await eventually(async () => {
    expect(probe.messages.length).toBeGreaterThanOrEqual(3);
    expect(await harness.backlog()).toBe(1);
  });
  await harness.quiet();
  expect(await harness.pulled()).toEqual(['d']);
});

import { inject } from 'vitest';
import { pubsubProject } from '../support/pubsub-broker.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { eventSourceContract } from './event-source-contract.ts';
import { pubsubHarness } from './pubsub-harness.ts';

const makeHarness = pubsubHarness(inject('pubsubEmulatorHost'), {
  settings: ({ deadLetters }) => ({ deadLetter: { topic: deadLetters, by: 'policy' } }),
  subscription: ({ deadLetters }) => ({
    deadLetterPolicy: {
      deadLetterTopic: `projects/${pubsubProject}/topics/${deadLetters}`,
      maxDeliveryAttempts: 5,
    },
  }),
});

describeWithPubSub('at the emulator', () => {
  eventSourceContract('Pub/Sub with a dead letter policy', makeHarness, { sideBySide: true });
});

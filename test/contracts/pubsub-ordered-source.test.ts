import { inject } from 'vitest';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { eventSourceContract } from './event-source-contract.ts';
import { pubsubHarness } from './pubsub-harness.ts';

const makeHarness = pubsubHarness(inject('pubsubEmulatorHost'), {
  settings: () => ({ ordered: true }),
  subscription: () => ({ enableMessageOrdering: true }),
});

describeWithPubSub('at the emulator', () => {
  eventSourceContract('ordered Pub/Sub', makeHarness, { sideBySide: true });
});

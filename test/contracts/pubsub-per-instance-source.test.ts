import { inject } from 'vitest';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { eventSourceContract } from './event-source-contract.ts';
import { pubsubHarness } from './pubsub-harness.ts';

const makeHarness = pubsubHarness(inject('pubsubEmulatorHost'), { settings: () => ({ perInstance: true }) });

describeWithPubSub('at the emulator', () => {
  eventSourceContract('Pub/Sub per instance', makeHarness, { sideBySide: true });
});

import { inject } from 'vitest';
import { describeWithPubSub } from '../support/with-brokers.ts';
import { eventSourceContract } from './event-source-contract.ts';
import { pubsubHarness } from './pubsub-harness.ts';

const host = inject('pubsubEmulatorHost');

describeWithPubSub('at the emulator', () => {
  eventSourceContract('Pub/Sub', pubsubHarness(host), { sideBySide: true });
});

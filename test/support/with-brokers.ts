import { describe, inject, test } from 'vitest';

/** Suites that need the Pub/Sub emulator that all share. Skipped where there is none, which the end of the run says. */
const hasPubSub = Boolean(inject('pubsubEmulatorHost'));
export const describeWithPubSub = describe.skipIf(!hasPubSub);
export const testWithPubSub = test.skipIf(!hasPubSub);

/** Suites that freeze or kill emulators of their own. */
export const describeWithOwnPubSub = describe.skipIf(!inject('canStartPubSubEmulators'));

/** Suites that need the RabbitMQ that all share. */
const hasRabbitMq = Boolean(inject('amqpUrl'));
export const describeWithRabbitMq = describe.skipIf(!hasRabbitMq);
export const testWithRabbitMq = test.skipIf(!hasRabbitMq);

/** Suites that stop or kill a RabbitMQ of their own. */
export const describeWithOwnRabbitMq = describe.skipIf(!inject('canStartRabbitMq'));

import { describe, inject, test } from 'vitest';

/** Suites that need the Pub/Sub emulator that all share. Skipped where there is none, which the end of the run says. */
const hasPubSub = Boolean(inject('pubsubEmulatorHost'));
export const describeWithPubSub = describe.skipIf(!hasPubSub);
export const testWithPubSub = test.skipIf(!hasPubSub);

/** Suites that freeze or kill emulators of their own. */
export const describeWithOwnPubSub = describe.skipIf(!inject('canStartPubSubEmulators'));

import type { TestProject } from 'vitest/node';
import { describeMissing, type MissingBroker, refuseInCi } from './broker-report.ts';
import { searchBroker } from './broker-search.ts';
import { lackForPubSubEmulator } from './pubsub-emulator.ts';
import { pubsubPlaces, pubsubProbes } from './pubsub-places.ts';
import { lackForRabbitMq } from './rabbitmq-broker.ts';
import { placeOf, rabbitMqPlaces, rabbitMqProbes } from './rabbitmq-places.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the Pub/Sub emulator that all tests share; empty where there is none. */
    pubsubEmulatorHost: string;
    /** Whether tests can start emulators of their own, to freeze and to kill. */
    canStartPubSubEmulators: boolean;
    /** URL of the RabbitMQ that all tests share; empty where there is none. */
    amqpUrl: string;
    /** Whether tests can start a RabbitMQ of their own, to stop and to kill. */
    canStartRabbitMq: boolean;
  }
}

/** Finds or starts the brokers that all tests of a run share. What it started ends with the run, however that ends. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Projects are set up one after the other, and all of them see what the root has.
  const root = project.vitest.getRootProject();
  if ('pubsubEmulatorHost' in root.getProvidedContext()) return undefined;

  const rabbitMq = await searchBroker(rabbitMqPlaces(rabbitMqProbes));
  // Last, as it may start one, which nobody ends where the other search fails.
  const found = await searchBroker(pubsubPlaces(pubsubProbes));
  const [lack, rabbitMqLack] = [lackForPubSubEmulator(), lackForRabbitMq()];
  const missing: MissingBroker[] = [];
  if ('address' in found) print(`Pub/Sub emulator of the tests: ${found.address} (${found.how})\n`);
  else missing.push({ notTested: 'whatever needs a Pub/Sub emulator', reasons: found });
  if (lack) missing.push({ notTested: 'what happens when Pub/Sub freezes or dies', reasons: [lack] });
  if ('address' in rabbitMq) print(`RabbitMQ of the tests: ${placeOf(rabbitMq.address)} (${rabbitMq.how})\n`);
  else missing.push({ notTested: 'whatever needs a RabbitMQ', reasons: rabbitMq });
  if (rabbitMqLack) missing.push({ notTested: 'what happens when RabbitMQ stops or dies', reasons: [rabbitMqLack] });
  const summary = describeMissing(missing);
  try {
    refuseInCi(summary, process.env);
  } catch (refusal) {
    if ('address' in found) await found.end();
    throw refusal;
  }

  root.provide('pubsubEmulatorHost', 'address' in found ? found.address : '');
  root.provide('canStartPubSubEmulators', lack === undefined);
  root.provide('amqpUrl', 'address' in rabbitMq ? rabbitMq.address : '');
  root.provide('canStartRabbitMq', rabbitMqLack === undefined);
  return async () => {
    if ('address' in found) await found.end();
    // Last, below the results, where it is read.
    if (summary !== '') print(`\n${summary}`);
  };
}

const print = (text: string): void => void process.stderr.write(text);

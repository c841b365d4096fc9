import { startPubSubContainer } from './broker-containers.ts';
import { type BrokerPlace, givenAddress, runningAt, type StartedBroker, startable } from './broker-search.ts';
import { lackForPubSubEmulator, startPubSubEmulator } from './pubsub-emulator.ts';

/** What the search finds out about this machine. */
export type PubSubProbes = {
  readonly environment: NodeJS.ProcessEnv;
  readonly answers: (host: string) => Promise<boolean>;
  readonly startInstalled: () => Promise<StartedBroker | string>;
  readonly startContainer: () => Promise<StartedBroker | string>;
};

/** Where a Pub/Sub emulator may be, in the order in which to look. */
export const pubsubPlaces = (probes: PubSubProbes): readonly BrokerPlace[] => [
  givenAddress('PUBSUB_EMULATOR_HOST', probes.environment['PUBSUB_EMULATOR_HOST'], probes.answers),
  runningAt('127.0.0.1:8085', probes.answers),
  startable('what is installed', probes.startInstalled),
  startable('a container', probes.startContainer),
];

export const pubsubProbes: PubSubProbes = {
  environment: process.env,
  // Other emulators of the SDK answer GET / as well, but have no topics.
  answers: async (host) => {
    const answer = await fetch(`http://${host}/v1/projects/edgeward/topics`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined);
    return answer?.ok === true && /^\{/.test(await answer.text());
  },
  startInstalled: async () => {
    const lack = lackForPubSubEmulator();
    if (lack !== undefined) return lack;
    const emulator = await startPubSubEmulator();
    return { address: emulator.host, end: () => emulator.kill() };
  },
  startContainer: startPubSubContainer,
};

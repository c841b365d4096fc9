import type { CallOptions, PubSub } from '@google-cloud/pubsub';
import { Fault } from '../../../application/fault.ts';
import type { Topology, TopologyOutcome, TopologyStep } from '../../../application/ports/topology.ts';
import { untilAborted } from '../../until-aborted.ts';
import { openPubSubClient, pubsubAddress } from './pubsub-client.ts';
import {
  alreadyExists,
  credentialsMissing,
  deadlineExceeded,
  notFound,
  pubsubFault,
  statusOf,
} from './pubsub-fault.ts';
import { creationDetail, creationOptions, creationPermission, topicToSubscribe } from './pubsub-topology-creation.ts';
import { differencesOf, type FoundSubscription } from './pubsub-topology-differences.ts';
import { planTopology, type TopologySource, type Wanted, type WantedSubscription } from './pubsub-topology-plan.ts';

/** How long one answer of Pub/Sub is waited for. */
const answerMsMax = 10_000;

/**
 * What sources need of Pub/Sub: one topology for each place that they reach it at. Topics and subscriptions are made,
 * and never changed or deleted.
 */
export function createPubSubTopologies(sources: readonly TopologySource[]): readonly Topology[] {
  const places = Map.groupBy(sources, ({ settings: { emulator, apiEndpoint, credentialsFile } }) =>
    JSON.stringify([emulator, apiEndpoint, credentialsFile]),
  );
  return [...places.values()].flatMap(([first, ...others]) => (first ? [createTopology(first, others)] : []));
}

function createTopology(first: TopologySource, others: readonly TopologySource[]): Topology {
  const sources = [first, ...others];
  const { wanted, notes } = planTopology(sources);
  let opened: Promise<PubSub> | undefined;
  const address = pubsubAddress(first.settings);
  const source = sources.map(({ name }) => name).join('", "');
  const open = () => {
    opened ??= openPubSubClient(first.settings).catch(() => Promise.reject(credentialsMissing(source, address)));
    return opened;
  };
  return {
    steps: wanted.map((one) => createStep(one, { source, address, emulator: first.settings.emulator }, open)),
    notes,
    async close() {
      const client = await opened?.catch(() => undefined);
      await client?.close();
    },
  };
}

/**
 * One call to Pub/Sub. Rejects with a `Fault`.
 * @param expected a status that is an answer as well, without a value.
 */
type Ask = <T>(
  permission: string,
  expected: number,
  call: (client: PubSub, options: CallOptions) => Promise<T>,
) => Promise<T | undefined>;

type Place = { readonly source: string; readonly address: string; readonly emulator: string | undefined };

/** gcloud knows nothing of PUBSUB_EMULATOR_HOST: a command meant for an emulator would reach a project of that name. */
const commandsFor = (emulator: string, text: string): string =>
  text.replaceAll('gcloud ', `CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://${emulator}/ gcloud `);

function createStep(wanted: Wanted, place: Place, open: () => Promise<PubSub>): TopologyStep {
  const { kind, name } = wanted;
  return {
    kind,
    name,
    async apply(mode, signal) {
      const ask: Ask = async (permission, expected, call) => {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]);
        // Retries of the client's own would hide what is wrong until the time is over.
        const answer = open().then((client) => call(client, { timeout: answerMsMax, retry: null }));
        try {
          return await untilAborted(answer, limit, noAnswer);
        } catch (error) {
          if (statusOf(error) === expected) return undefined;
          if (error instanceof Fault) throw error;
          throw pubsubFault(error, { ...place, permission, resource: `${kind} ${name}` });
        }
      };
      const applied = wanted.kind === 'topic' ? applyTopic(name, mode, ask) : applySubscription(wanted, mode, ask);
      const outcome = await applied;
      if (place.emulator === undefined || !('remedy' in outcome)) return outcome;
      return { ...outcome, remedy: commandsFor(place.emulator, outcome.remedy) };
    },
  };
}

const noAnswer = (): Error =>
  Object.assign(new Error(`no answer within ${answerMsMax / 1000} s`), { code: deadlineExceeded });

type Mode = Parameters<TopologyStep['apply']>[0];

async function applyTopic(name: string, mode: Mode, ask: Ask): Promise<TopologyOutcome> {
  const found = await ask('pubsub.topics.get', notFound, (client, options) => client.topic(name).getMetadata(options));
  if (found) return { kind: 'exists' };
  if (mode === 'look') return { kind: 'would-create' };
  const made = await ask('pubsub.topics.create', alreadyExists, (client, options) => client.createTopic(name, options));
  return { kind: made ? 'created' : 'exists' };
}

async function applySubscription(wanted: WantedSubscription, mode: Mode, ask: Ask): Promise<TopologyOutcome> {
  const { name } = wanted;
  const found = await findSubscription(name, ask);
  if (found) return compared(wanted, found);
  const known = topicToSubscribe(wanted);
  if (!known.ok) return known.reason;
  const topic = known.value;
  if (mode === 'look') return { kind: 'would-create', detail: creationDetail(wanted) };
  const made = await ask(creationPermission(wanted), alreadyExists, (client, gaxOpts) =>
    client.createSubscription(topic, name, { ...creationOptions(wanted), gaxOpts }),
  );
  if (made) return { kind: 'created', detail: creationDetail(wanted, made[1]) };
  // Somebody else was faster.
  const others = await findSubscription(name, ask);
  return others ? compared(wanted, others) : { kind: 'exists' };
}

async function findSubscription(name: string, ask: Ask): Promise<FoundSubscription | undefined> {
  const answer = await ask('pubsub.subscriptions.get', notFound, (client, options) =>
    client.subscription(name).getMetadata(options),
  );
  return answer?.[0];
}

function compared(wanted: WantedSubscription, found: FoundSubscription): TopologyOutcome {
  const differences = differencesOf(wanted, found);
  return differences ? { kind: 'differs', ...differences } : { kind: 'exists' };
}

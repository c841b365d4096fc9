import type { protos } from '@google-cloud/pubsub';
import type { WantedPush, WantedSubscription } from './pubsub-topology-plan.ts';
import { isSameTopic } from './subscription-check.ts';

/** What Pub/Sub says of a subscription. */
export type FoundSubscription = protos.google.pubsub.v1.ISubscription;

/** In what a subscription is not as the config needs it, and what to do about that. */
export type TopologyDifferences = { readonly differences: readonly string[]; readonly remedy: string };

/** @param flag of `gcloud pubsub subscriptions update`; absent where a subscription cannot be changed. */
type Difference = { readonly what: string; readonly flag?: string };

/**
 * Only what the config needs counts: a filter, a retry policy, a longer deadline are the business of whoever set them.
 * Nothing where all is well.
 */
export function differencesOf(wanted: WantedSubscription, actual: FoundSubscription): TopologyDifferences | undefined {
  const found = [
    ...topicDifference(wanted, actual),
    ...orderingDifference(wanted, actual),
    ...policyDifference(wanted, actual),
    ...expiryDifference(wanted, actual),
    ...pushDifferences(wanted.push, actual),
  ];
  if (found.length === 0) return undefined;
  return { differences: found.map(({ what }) => what), remedy: remedyFor(wanted.name, found) };
}

function remedyFor(name: string, found: readonly Difference[]): string {
  const flags = found.flatMap(({ flag }) => flag ?? []);
  if (flags.length === found.length) return `gcloud pubsub subscriptions update ${name} ${flags.join(' ')}`;
  return (
    'correct the config; or make it again, since this cannot be changed, and lose the messages that it holds: ' +
    `gcloud pubsub subscriptions delete ${name}, then apply again`
  );
}

function topicDifference({ topic }: WantedSubscription, actual: FoundSubscription): readonly Difference[] {
  if (actual.detached) return [{ what: 'it is detached from its topic' }];
  if (topic === undefined || isSameTopic(actual.topic, topic)) return [];
  return [{ what: `its topic is ${actual.topic}, not ${topic}` }];
}

const orderingDifference = ({ ordered }: WantedSubscription, actual: FoundSubscription): readonly Difference[] =>
  ordered && !actual.enableMessageOrdering ? [{ what: 'message ordering is not enabled' }] : [];

function policyDifference({ deadLetter }: WantedSubscription, actual: FoundSubscription): readonly Difference[] {
  if (!deadLetter) return [];
  const { topic, deliveriesMax } = deadLetter;
  const flag = policyFlags(deadLetter);
  const policy = actual.deadLetterPolicy;
  if (!policy?.deadLetterTopic) return [{ what: 'it has no dead letter policy', flag }];
  if (!isSameTopic(policy.deadLetterTopic, topic)) {
    return [{ what: `its dead letters go to ${policy.deadLetterTopic}, not ${topic}`, flag }];
  }
  if (policy.maxDeliveryAttempts === deliveriesMax) return [];
  const what = `its dead letters are moved after ${policy.maxDeliveryAttempts} deliveries, not ${deliveriesMax}`;
  return [{ what, flag }];
}

function expiryDifference(
  { neverExpires }: WantedSubscription,
  { expirationPolicy }: FoundSubscription,
): readonly Difference[] {
  const seconds = Number(expirationPolicy?.ttl?.seconds ?? 0);
  if (!neverExpires || seconds === 0) return [];
  const days = Math.floor(seconds / 86_400);
  return [{ what: `it is deleted after ${days} days without a reader`, flag: '--expiration-period=never' }];
}

/** A subscription is either pulled or pushed. */
function pushDifferences(push: WantedPush | undefined, actual: FoundSubscription): readonly Difference[] {
  const endpoint = actual.pushConfig?.pushEndpoint ?? '';
  if (!push) {
    const what = `it pushes to ${withoutQuery(endpoint)}, and the source pulls`;
    return endpoint === '' ? [] : [{ what, flag: "--push-endpoint=''" }];
  }
  const wrong = whatIsWrong(push, endpoint, actual.pushConfig?.oidcToken ?? {});
  const seconds = actual.ackDeadlineSeconds ?? 0;
  const short = `its acknowledgement deadline is ${seconds} s, shorter than ${push.ackDeadlineSeconds} s`;
  return [
    ...(wrong === undefined ? [] : [{ what: wrong, flag: pushFlags(push) }]),
    ...(actual.pushConfig?.noWrapper ? [{ what: 'it unwraps what it pushes', flag: unwrapFlag }] : []),
    ...(seconds < push.ackDeadlineSeconds ? [{ what: short, flag: `--ack-deadline=${push.ackDeadlineSeconds}` }] : []),
  ];
}

/** Header names have no case, so attributes would lose theirs. */
const unwrapFlag = '--clear-push-no-wrapper-config';

/** What one flag cannot set is set by all of them together, so the first is enough. */
function whatIsWrong(push: WantedPush, endpoint: string, token: protos.google.pubsub.v1.PushConfig.IOidcToken) {
  if (endpoint === '') return 'it is pulled, and the source is pushed to';
  if (push.endpoint !== undefined && endpoint !== push.endpoint) {
    return `it pushes to ${withoutQuery(endpoint)}, not ${push.endpoint}`;
  }
  const account = token.serviceAccountEmail ?? '';
  if (push.account !== undefined && account !== push.account) {
    return `it pushes with tokens of ${account || 'nobody'}, not ${push.account}`;
  }
  if (push.authenticated && account === '') return 'it pushes without a token, and the source asks for one';
  const audience = token.audience || endpoint;
  if (account === '' || push.audiences.length === 0 || push.audiences.includes(audience)) return undefined;
  return `its tokens are for ${withoutQuery(audience)}, not ${push.audiences.join(' or ')}`;
}

/** Some put a secret there. */
const withoutQuery = (url: string): string => url.replace(/\?.*/s, '?***');

/** For gcloud. */
export const policyFlags = ({ topic, deliveriesMax }: NonNullable<WantedSubscription['deadLetter']>): string =>
  `--dead-letter-topic=${topic} --max-delivery-attempts=${deliveriesMax}`;

/** For gcloud; in capitals what nobody has said. */
export function pushFlags({ path, endpoint, authenticated, account, audiences: [audience] }: WantedPush): string {
  const signed = authenticated || account !== undefined;
  return [
    `--push-endpoint=${endpoint ?? `https://HOST${path}`}`,
    ...(signed ? [`--push-auth-service-account=${account ?? 'ACCOUNT'}`] : []),
    ...(signed && audience !== undefined ? [`--push-auth-token-audience=${audience}`] : []),
  ].join(' ');
}

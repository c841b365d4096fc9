import type { CreateSubscriptionOptions } from '@google-cloud/pubsub';
import type { TopologyOutcome } from '../../../application/ports/topology.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { type FoundSubscription, policyFlags, pushFlags } from './pubsub-topology-differences.ts';
import type { WantedPush, WantedSubscription } from './pubsub-topology-plan.ts';

/** What a subscription is made with. What is not here is left to Pub/Sub: how long it keeps messages, above all. */
export function creationOptions({
  ordered,
  deadLetter,
  neverExpires,
  push,
}: WantedSubscription): CreateSubscriptionOptions {
  return {
    enableMessageOrdering: ordered ?? false,
    ...(deadLetter
      ? { deadLetterPolicy: { deadLetterTopic: deadLetter.topic, maxDeliveryAttempts: deadLetter.deliveriesMax } }
      : {}),
    // A policy without a time is "never", no policy is Pub/Sub's own 31 days.
    ...(neverExpires ? { expirationPolicy: {} } : {}),
    ...(push ? { ackDeadlineSeconds: push.ackDeadlineSeconds, pushConfig: pushConfig(push) } : {}),
  };
}

function pushConfig({
  endpoint = '',
  account,
  audiences: [audience],
}: WantedPush): NonNullable<CreateSubscriptionOptions['pushConfig']> {
  if (account === undefined) return { pushEndpoint: endpoint };
  const oidcToken = { serviceAccountEmail: account, ...(audience === undefined ? {} : { audience }) };
  return { pushEndpoint: endpoint, oidcToken };
}

/** What a subscription was made with, for people. @param made what Pub/Sub says of it; absent where it is not made. */
export function creationDetail(wanted: WantedSubscription, made?: FoundSubscription): string {
  const { topic, ordered, deadLetter, neverExpires, push } = wanted;
  return [
    `of ${topic}`,
    ...(ordered ? ['with message ordering'] : []),
    ...(deadLetter ? [`dead letters to ${deadLetter.topic} after ${deadLetter.deliveriesMax} deliveries`] : []),
    ...(push ? [`pushing to ${push.endpoint} with a deadline of ${push.ackDeadlineSeconds} s`] : []),
    ...(neverExpires ? ['never expiring'] : []),
    `keeping messages ${retention(made)}`,
  ].join(', ');
}

function retention(made: FoundSubscription | undefined): string {
  const seconds = Number(made?.messageRetentionDuration?.seconds ?? 0);
  return seconds > 0 ? `for ${seconds / 86_400} days (as Pub/Sub has it)` : 'as long as Pub/Sub has it';
}

/** What it takes to make a subscription, for people: one of these is what is missing. */
export const creationPermission = ({ topic, push }: WantedSubscription): string =>
  [
    'pubsub.subscriptions.create',
    `or pubsub.topics.attachSubscription on ${topic}`,
    ...(push?.account === undefined ? [] : [`or iam.serviceAccounts.actAs on ${push.account}`]),
  ].join(', ');

/** The topic to make a subscription of, or why it cannot be made. */
export function topicToSubscribe(wanted: WantedSubscription): Verdict<string, TopologyOutcome> {
  const { name, topic, ordered, push, deadLetter } = wanted;
  if (topic === undefined) {
    const remedy = `write TOPIC:${name.split('/').at(-1)} in the config, and apply it again`;
    return refused({ kind: 'missing', reason: 'the config does not name its topic', remedy });
  }
  const unknown = push && whatIsUnknown(push);
  if (!push || unknown === undefined) return allowed(topic);
  const flags = [
    `--topic=${topic}`,
    `--ack-deadline=${push.ackDeadlineSeconds}`,
    ...(ordered ? ['--enable-message-ordering'] : []),
    ...(deadLetter ? [policyFlags(deadLetter)] : []),
    pushFlags(push),
  ];
  return refused({
    kind: 'missing',
    reason: `it is not known ${unknown}`,
    remedy: `gcloud pubsub subscriptions create ${name} ${flags.join(' ')}`,
  });
}

function whatIsUnknown({ endpoint, authenticated, account }: WantedPush): string | undefined {
  if (endpoint === undefined) return 'where Pub/Sub reaches the gateway (--push-url)';
  return authenticated && account === undefined ? 'whose tokens come with what is pushed (--push-account)' : undefined;
}

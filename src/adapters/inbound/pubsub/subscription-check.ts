import type { protos } from '@google-cloud/pubsub';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import type { PubSubSettings } from './pubsub-settings.ts';
import { fullName, parseTopicName, type SubscriptionName } from './resource-name.ts';

/** What Pub/Sub says of a subscription. */
export type FoundSubscription = protos.google.pubsub.v1.ISubscription;

/** What Pub/Sub puts in the place of a topic that was deleted. */
const deletedTopic = '_deleted-topic_';

/** Fewer than this no dead letter policy can have (https://cloud.google.com/pubsub/docs/dead-letter-topics). */
const deliveriesMin = 5;

/** Whether a subscription is what the config takes it for. @returns the id of its topic, or what is wrong with it. */
export function checkSubscription(
  found: FoundSubscription,
  wanted: SubscriptionName,
  settings: Pick<PubSubSettings, 'project' | 'ordered' | 'deadLetter'>,
): Verdict<string> {
  const { project, ordered, deadLetter } = settings;
  const topic = wanted.topic && fullName('topics', wanted.topic, project);
  if (found.detached) return refused('is detached from its topic, so nothing will come of it; create it anew');
  if (found.pushConfig?.pushEndpoint) return refused('pushes its messages; a source of the kind pubsubPush takes them');
  if (topic !== undefined && found.topic !== deletedTopic && !isSameTopic(found.topic, topic)) {
    return refused(`belongs to ${found.topic}, and not to ${topic}; correct the config`);
  }
  if (ordered && !found.enableMessageOrdering) {
    return refused('has no message ordering, which `ordered: true` needs; create it anew with it, or leave that out');
  }
  if (deadLetter?.by === 'policy') {
    const why = policyFault(found.deadLetterPolicy, deadLetter.topic, project);
    if (why !== undefined) return refused(why);
  }
  const id = wanted.topic?.id ?? found.topic?.split('/').at(-1) ?? deletedTopic;
  return id === deletedTopic ? refused('belongs to a topic that was deleted; create both anew') : allowed(id);
}

type Policy = FoundSubscription['deadLetterPolicy'];

function policyFault(policy: Policy, deadLetterTopic: string, project: string): string | undefined {
  const parsed = parseTopicName(deadLetterTopic);
  const topic = parsed.ok ? fullName('topics', parsed.value, project) : deadLetterTopic;
  const advice = 'edgeward topology apply says how to give it one';
  if (!policy?.deadLetterTopic) return `has no dead letter policy, which \`by: policy\` needs; ${advice}`;
  if (!isSameTopic(policy.deadLetterTopic, topic)) {
    return `has a dead letter policy with ${policy.deadLetterTopic}, and not with ${topic}; correct the config`;
  }
  const deliveries = policy.maxDeliveryAttempts ?? 0;
  if (deliveries >= deliveriesMin) return undefined;
  return `has a dead letter policy of ${deliveries} deliveries, fewer than ${deliveriesMin}; ${advice}`;
}

/** A project has a number beside its id, and who created something by it is answered by it. */
export function isSameTopic(found: string | null | undefined, topic: string): boolean {
  const [, project = '', , id] = found?.split('/') ?? [];
  return found === topic || (/^\d+$/.test(project) && id === topic.split('/').at(-1));
}

import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';

/** A topic or subscription: its id, and its project where that is not the one of the settings. */
export type ResourceName = { readonly id: string; readonly project?: string };

/** A subscription, and its topic where that is known. */
export type SubscriptionName = ResourceName & { readonly topic?: ResourceName };

/** Of topics and subscriptions alike (https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names). */
const idPattern = /^(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/;
const idRule = 'must be 3 to 255 letters, digits and -._~+%, begin with a letter, and not with `goog`';

/** `id`, or `projects/PROJECT/topics/id`. */
export const parseTopicName = (text: string): Verdict<ResourceName> => parseResource(text, 'topics');

/** `id` or `topic:id`, each of them also in full: `projects/PROJECT/subscriptions/id`. */
export function parseSubscriptionName(text: string): Verdict<SubscriptionName> {
  const parts = text.split(':');
  if (parts.length > 2) return refused('must be subscription or topic:subscription');
  const subscription = parseResource(parts.at(-1) ?? '', 'subscriptions');
  if (!subscription.ok || parts.length === 1) return subscription;
  const topic = parseTopicName(parts[0] ?? '');
  return topic.ok ? allowed({ ...subscription.value, topic: topic.value }) : refused(`topic ${topic.reason}`);
}

/** `projects/PROJECT/topics/id` */
export const fullName = (kind: 'topics' | 'subscriptions', { id, project }: ResourceName, ownProject: string): string =>
  `projects/${project ?? ownProject}/${kind}/${id}`;

function parseResource(text: string, kind: 'topics' | 'subscriptions'): Verdict<ResourceName> {
  const full = /^projects\/([^/]+)\/(topics|subscriptions)\/([^/]*)$/.exec(text);
  if (text.includes('/') && full?.[2] !== kind) return refused(`must be an id, or projects/PROJECT/${kind}/ID`);
  const id = full?.[3] ?? text;
  if (!idPattern.test(id)) return refused(idRule);
  return allowed(full?.[1] === undefined ? { id } : { id, project: full[1] });
}

import type { Verdict } from '../../../domain/verdict.ts';
import { pushPath } from './pubsub-push-path.ts';
import type { PubSubPushSettings, PubSubSettings } from './pubsub-settings.ts';
import { fullName, parseSubscriptionName, parseTopicName } from './resource-name.ts';

/** What a config does not say of push subscriptions. */
export type PushTarget = {
  /** Where Pub/Sub reaches the gateway: `https://host`, with the path of a proxy where there is one. */
  readonly url?: string | undefined;
  /** E-mail address of the service account whose tokens come with what is pushed. */
  readonly account?: string | undefined;
  /** Whom these tokens may be for; none: the gateway does not look at it. */
  readonly audiences: readonly string[];
};

export type TopologySource = { readonly name: string } & (
  | { readonly kind: 'pubsub'; readonly settings: PubSubSettings }
  | { readonly kind: 'pubsubPush'; readonly settings: PubSubPushSettings; readonly target: PushTarget }
);

export type WantedTopic = { readonly kind: 'topic'; readonly name: string };

export type WantedSubscription = {
  readonly kind: 'subscription';
  readonly name: string;
  /** Absent where the config does not name it: then the subscription can be looked for, and not made. */
  readonly topic?: string;
  readonly ordered?: true;
  readonly deadLetter?: { readonly topic: string; readonly deliveriesMax: number };
  /** It stays, however long nobody reads it. */
  readonly neverExpires?: true;
  readonly push?: WantedPush;
};

export type WantedPush = {
  /** Where the gateway takes what is pushed. */
  readonly path: string;
  /** The whole URL, where it is known. */
  readonly endpoint?: string;
  readonly account?: string;
  /** The first is asked for. */
  readonly audiences: readonly string[];
  /** Whether the gateway refuses what comes without a token. */
  readonly authenticated: boolean;
  readonly ackDeadlineSeconds: number;
};

export type Wanted = WantedTopic | WantedSubscription;

/** @param notes what else is to be known or done, for people. */
export type TopologyPlan = { readonly wanted: readonly Wanted[]; readonly notes: readonly string[] };

/**
 * What sources need, each thing once: topics before their subscriptions, and what keeps dead letters before there can be
 * any. Where two sources need different things of one subscription, both are in it, and one of them may find a difference.
 */
export function planTopology(sources: readonly TopologySource[]): TopologyPlan {
  const wanted = new Map(sources.flatMap(wantedBy).map((one) => [JSON.stringify(one), one]));
  return {
    wanted: [...wanted.values()].toSorted((one, other) => rank(one) - rank(other)),
    notes: [...new Set(sources.flatMap(notesFor))],
  };
}

function rank(one: Wanted): number {
  if (one.kind === 'topic') return 0;
  if (one.neverExpires) return 1;
  // Of all that is wanted of a subscription only this cannot be had later.
  return one.ordered ? 2 : 3;
}

function wantedBy(source: TopologySource): readonly Wanted[] {
  const needs = needsOf(source);
  const subscriptions = source.settings.subscriptions.flatMap((text): readonly Wanted[] => {
    const parsed = valid(parseSubscriptionName(text));
    const name = fullName('subscriptions', parsed, source.settings.project);
    if (parsed.topic === undefined) return [{ kind: 'subscription', name, ...needs }];
    const topic = fullName('topics', parsed.topic, source.settings.project);
    const subscription: Wanted = { kind: 'subscription', name, topic, ...needs };
    return [{ kind: 'topic', name: topic }, ...(ownSubscriptions(source) ? [] : [subscription])];
  });
  return [...subscriptions, ...wantedForDeadLetters(source)];
}

/** Whether every instance makes subscriptions of its own when it starts. */
const ownSubscriptions = (source: TopologySource): boolean => source.kind === 'pubsub' && source.settings.perInstance;

function needsOf(source: TopologySource): Omit<WantedSubscription, 'kind' | 'name' | 'topic'> {
  const { deadLetter } = source.settings;
  const topic = deadLetterTopic(source);
  const byPolicy = deadLetter?.by === 'policy' && topic !== undefined;
  return {
    ...(source.settings.ordered ? { ordered: true } : {}),
    ...(byPolicy ? { deadLetter: { topic, deliveriesMax: deadLetter.deliveriesMax } } : {}),
    ...(source.kind === 'pubsubPush' ? { push: wantedPush(source) } : {}),
  };
}

function wantedPush({ name, settings, target }: TopologySource & { readonly kind: 'pubsubPush' }): WantedPush {
  const path = pushPath(name);
  const { url, account, audiences } = target;
  return {
    path,
    ...(url === undefined ? {} : { endpoint: `${url.replace(/\/$/, '')}${path}` }),
    ...(account === undefined ? {} : { account }),
    audiences,
    authenticated: settings.credentials.some(({ optional }) => !optional),
    // Pub/Sub takes 10 to 600 seconds.
    ackDeadlineSeconds: Math.max(10, Math.ceil(settings.leaseMsMax / 1000)),
  };
}

function deadLetterTopic({ settings }: TopologySource): string | undefined {
  const { deadLetter, project } = settings;
  return deadLetter && fullName('topics', valid(parseTopicName(deadLetter.topic)), project);
}

function wantedForDeadLetters(source: TopologySource): readonly Wanted[] {
  const { deadLetter, project } = source.settings;
  const topic = deadLetterTopic(source);
  if (topic === undefined) return [];
  if (deadLetter?.subscription === undefined) return [{ kind: 'topic', name: topic }];
  const name = fullName('subscriptions', valid(parseSubscriptionName(deadLetter.subscription)), project);
  return [
    { kind: 'topic', name: topic },
    // Nobody reads dead letters for months, and after 31 days without a reader Pub/Sub deletes a subscription.
    { kind: 'subscription', name, topic, neverExpires: true },
  ];
}

function notesFor(source: TopologySource): readonly string[] {
  const { deadLetter, emulator } = source.settings;
  const topic = deadLetterTopic(source);
  const notes: string[] = [];
  if (ownSubscriptions(source)) {
    notes.push(`Source "${source.name}" makes subscriptions of its own for every instance (perInstance).`);
  }
  if (topic !== undefined && deadLetter?.subscription === undefined) {
    notes.push(
      `A topic without a subscription keeps nothing: unless something else subscribes to ${topic}, its dead letters are ` +
        `lost. deadLetter.subscription of the source "${source.name}" names what keeps them.`,
    );
  }
  return emulator === undefined ? [...notes, ...wantedBy(source).flatMap(forwardingRights)] : notes;
}

/** Dead letters are moved by an account of Pub/Sub's own: https://cloud.google.com/pubsub/docs/handling-failures */
function forwardingRights(wanted: Wanted): readonly string[] {
  if (wanted.kind === 'topic' || wanted.deadLetter === undefined) return [];
  const [, project = ''] = wanted.name.split('/');
  const number = `$(gcloud projects describe ${project} --format='value(projectNumber)')`;
  const member = `--member="serviceAccount:service-${number}@gcp-sa-pubsub.iam.gserviceaccount.com"`;
  return [
    `Pub/Sub moves dead letters of ${wanted.name} only when its own service account may do so:\n` +
      `  gcloud pubsub topics add-iam-policy-binding ${wanted.deadLetter.topic} --role=roles/pubsub.publisher ${member}\n` +
      `  gcloud pubsub subscriptions add-iam-policy-binding ${wanted.name} --role=roles/pubsub.subscriber ${member}`,
  ];
}

/** The settings have been checked before. */
function valid<T>(verdict: Verdict<T>): T {
  if (verdict.ok) return verdict.value;
  throw new Error(`the settings let through what they should have refused: ${verdict.reason}`);
}

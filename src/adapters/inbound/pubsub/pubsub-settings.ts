import { z } from 'zod';
import { millisecondsMax } from '../../settings-fields.ts';
import { publishSettings } from '../publish-settings.ts';
import { fullName, parseSubscriptionName, parseTopicName } from './resource-name.ts';

const wholeNumber = (min: number, max: number) => z.number().int().min(min).max(max);

const topicText = z.string().superRefine((text, context) => {
  const topic = parseTopicName(text);
  if (!topic.ok) context.addIssue({ code: 'custom', message: topic.reason });
});

const subscriptionText = z.string().superRefine((text, context) => {
  const subscription = parseSubscriptionName(text);
  if (!subscription.ok) context.addIssue({ code: 'custom', message: subscription.reason });
});

/** How Pub/Sub is reached. */
const connectionFields = {
  project: z
    .string()
    .regex(/^[a-z][a-z0-9:.-]{0,127}$/, 'must be the id of a Google Cloud project')
    .describe('Id of the Google Cloud project.'),
  emulator: z
    .string()
    .regex(/^[^\s/:]+:\d{1,5}$/, 'must be host:port, without a scheme')
    .optional()
    .describe('`host:port` of a Pub/Sub emulator, spoken to without TLS and without credentials.'),
  apiEndpoint: z
    .string()
    .regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, 'must be a host name, with or without a port')
    .optional()
    .describe('Another endpoint of the service, such as `europe-west1-pubsub.googleapis.com`.'),
  credentialsFile: z
    .string()
    .min(1)
    .optional()
    .describe('File with the key of a service account; by default Application Default Credentials are looked for.'),
};

const publishLimits = z.strictObject({
  pendingMax: wholeNumber(1, 1_000_000)
    .default(10_000)
    .describe('How many events may wait for Pub/Sub to confirm them; more are refused, to be published later.'),
  pendingBytesMax: wholeNumber(1024, 1_073_741_824)
    .default(67_108_864)
    .describe('How many bytes they may have. One event is always taken.'),
  confirmTimeoutMs: millisecondsMax(600_000)
    .min(100)
    .default(10_000)
    .describe('How long Pub/Sub may take to confirm an event (ms).'),
});

const deadLetterSettings = z
  .strictObject({
    topic: topicText.describe('Topic of the dead letters.'),
    by: z
      .enum(['edgeward', 'policy'])
      .default('edgeward')
      .describe(
        '`edgeward` publishes a dead letter, with cause and origin as attributes, and then acknowledges the message. ' +
          '`policy` gives the message back until the dead letter policy of the subscription moves it.',
      ),
    deliveriesMax: wholeNumber(5, 100)
      .default(5)
      .describe('With `policy`: how often Pub/Sub delivers a message before it moves it.'),
    subscription: subscriptionText
      .refine(
        (text) => !text.includes(':'),
        'must be the id of a subscription alone; its topic is that of the dead letters',
      )
      .optional()
      .describe('Subscription that keeps the dead letters; `edgeward topology apply` creates it.'),
  })
  .optional()
  .describe('Where messages go that can never be handled. Either this or `onDeadLetter`.');

const deadLetterFields = {
  deadLetter: deadLetterSettings,
  onDeadLetter: z
    .literal('discard')
    .optional()
    .describe('`discard` when there is to be no such place. Either this or `deadLetter`.'),
};

type DeadLetterChoice = { readonly deadLetter?: unknown; readonly onDeadLetter?: unknown };
type Issue = { readonly path: (string | number)[]; readonly message: string };

function deadLetterIssues({ deadLetter, onDeadLetter }: DeadLetterChoice): readonly Issue[] {
  if ((deadLetter === undefined) !== (onDeadLetter === undefined)) return [];
  const message = deadLetter
    ? 'deadLetter and onDeadLetter: discard contradict each other; leave one of them out'
    : 'say where dead letters go (deadLetter), or onDeadLetter: discard';
  return [{ path: ['onDeadLetter'], message }];
}

function connectionIssues({ emulator, apiEndpoint, credentialsFile }: Partial<PubSubConnection>): readonly Issue[] {
  if (emulator === undefined) return [];
  const message = 'contradicts `emulator`, which has its own address and no credentials; leave one of them out';
  return [
    ...(apiEndpoint === undefined ? [] : [{ path: ['apiEndpoint'], message }]),
    ...(credentialsFile === undefined ? [] : [{ path: ['credentialsFile'], message }]),
  ];
}

function withoutTopic(subscriptions: readonly string[], why: string): readonly Issue[] {
  return subscriptions.flatMap((text, index) => {
    const subscription = parseSubscriptionName(text);
    if (!subscription.ok || subscription.value.topic !== undefined) return [];
    return [{ path: ['subscriptions', index], message: `must be topic:subscription, ${why}` }];
  });
}

/** What is consumed twice comes twice, or loses its order. */
function repeated(subscriptions: readonly string[], project: string): readonly Issue[] {
  const names = subscriptions.map((text) => {
    const subscription = parseSubscriptionName(text);
    return subscription.ok ? fullName('subscriptions', subscription.value, project) : undefined;
  });
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return [];
    return [
      { path: ['subscriptions', index], message: `is the subscription of [${first}], too; leave one of them out` },
    ];
  });
}

/** The streaming-pull source: one section of the config. */
export const pubsubSettings = z
  .strictObject({
    ...connectionFields,
    subscriptions: z
      .array(subscriptionText)
      .min(1)
      .max(1000)
      .describe(
        '`subscription` or `topic:subscription`. With the topic given it is not asked for, which needs no permission. ' +
          'The stream of an event is the id of its topic.',
      ),
    perInstance: z
      .boolean()
      .default(false)
      .describe(
        'Every process gets every message: it creates subscriptions of its own, whose names begin with those given, ' +
          'and deletes them when it stops. Else processes with the same subscription share its messages.',
      ),
    perInstanceExpiryMs: millisecondsMax(31_536_000_000)
      .min(86_400_000)
      .default(86_400_000)
      .describe('After how long Pub/Sub deletes such a subscription itself when its process has died (ms).'),
    ordered: z
      .boolean()
      .default(false)
      .describe('Messages of one ordering key go one by one, in order. The subscriptions must have ordering enabled.'),
    inFlightMax: wholeNumber(1, 100_000)
      .default(1000)
      .describe('How many messages of each subscription may be unsettled at once.'),
    inFlightBytesMax: wholeNumber(1024, 1_073_741_824)
      .default(33_554_432)
      .describe('How many bytes of each subscription may be unsettled at once. One message is always taken.'),
    streamsPerSubscription: wholeNumber(1, 20)
      .default(2)
      .describe('How many streaming pulls are open for each subscription; with `ordered` it is always one.'),
    leaseMsMax: millisecondsMax(3_600_000)
      .min(10_000)
      .default(600_000)
      .describe('How long a message may stay unsettled; its lease is extended until then (ms).'),
    whenMissing: z
      .enum(['fail', 'wait'])
      .default('fail')
      .describe('A subscription that does not exist makes the start fail, or is waited for.'),
    startTimeoutMs: millisecondsMax(60_000)
      .min(100)
      .default(5000)
      .describe('How long the start may take before it fails, saying what Pub/Sub has not answered (ms).'),
    reconnectMsMin: millisecondsMax(60_000).min(10).default(200).describe('The first delay before another try (ms).'),
    reconnectMsMax: millisecondsMax(600_000)
      .min(10)
      .default(5000)
      .describe('The longest delay before another try (ms). Half of each delay is random.'),
    publish: publishLimits.prefault({}).describe('For a source that another section publishes to.'),
    reopenAfterIdleMs: millisecondsMax(86_400_000)
      .default(600_000)
      .describe('A subscription that brought nothing for so long is opened anew (ms); 0: never.'),
    ...deadLetterFields,
  })
  .superRefine((settings, context) => {
    const { perInstance, ordered, subscriptions, reconnectMsMin, reconnectMsMax, deadLetter } = settings;
    const issues: Issue[] = [
      ...deadLetterIssues(settings),
      ...connectionIssues(settings),
      ...repeated(settings.subscriptions, settings.project),
    ];
    if (perInstance) issues.push(...withoutTopic(subscriptions, 'because perInstance creates the subscription'));
    if (perInstance && deadLetter?.by === 'policy') {
      issues.push({ path: ['deadLetter', 'by'], message: 'must be edgeward with perInstance' });
    }
    if (ordered && deadLetter?.by === 'policy') {
      const message = 'must be edgeward with ordered: what is given back is counted against its successors too';
      issues.push({ path: ['deadLetter', 'by'], message });
    }
    if (reconnectMsMax < reconnectMsMin) {
      issues.push({ path: ['reconnectMsMax'], message: 'must not be shorter than `reconnectMsMin`' });
    }
    for (const { path, message } of issues) context.addIssue({ code: 'custom', path, message });
  });

export type PubSubSettings = z.infer<typeof pubsubSettings>;
export type PubSubConnection = Pick<PubSubSettings, 'project' | 'emulator' | 'apiEndpoint' | 'credentialsFile'>;

/** The source that Pub/Sub pushes to, at `/v1/push/NAME`: one section of the config. */
export const pubsubPushSettings = z
  .strictObject({
    ...connectionFields,
    ...publishSettings,
    subscriptions: z
      .array(subscriptionText)
      .min(1)
      .max(1000)
      .describe('`topic:subscription` of each that may push here. Others are refused.'),
    ordered: z
      .boolean()
      .default(false)
      .describe(
        'The subscriptions have message ordering enabled: Pub/Sub pushes the next message of an ordering key when the one ' +
          'before it has been acknowledged.',
      ),
    bodyBytesMax: wholeNumber(1024, 104_857_600)
      .default(15_728_640)
      .describe('A larger request is refused (413). A message of 10 MB makes one of 14 MB.'),
    inFlightMax: wholeNumber(1, 100_000)
      .default(256)
      .describe('How many messages may be unsettled at once. Others are told to come again (503).'),
    inFlightBytesMax: wholeNumber(1024, 1_073_741_824)
      .default(67_108_864)
      .describe('How many bytes of requests may be under way at once. One request is always taken.'),
    leaseMsMax: millisecondsMax(600_000)
      .min(1000)
      .default(10_000)
      .describe('The acknowledgement deadline of the subscriptions: how long Pub/Sub waits for an answer (ms).'),
    retryAfterMs: millisecondsMax(600_000).default(1000).describe('What a 503 says of when to come again (ms).'),
    ...deadLetterFields,
  })
  .superRefine((settings, context) => {
    const issues = [
      ...deadLetterIssues(settings),
      ...connectionIssues(settings),
      ...repeated(settings.subscriptions, settings.project),
      ...withoutTopic(settings.subscriptions, 'because what is pushed does not say its topic'),
    ];
    for (const { path, message } of issues) context.addIssue({ code: 'custom', path: [...path], message });
  });

export type PubSubPushSettings = z.infer<typeof pubsubPushSettings>;

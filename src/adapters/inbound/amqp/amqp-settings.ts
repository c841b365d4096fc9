import { z } from 'zod';
import { streamTypes } from '../../../domain/stream-index.ts';
import { millisecondsMax } from '../../settings-fields.ts';
import { parseAmqpUrl } from './amqp-address.ts';

const wholeNumber = (min: number, max: number) => z.number().int().min(min).max(max);

/** Names and keys are short strings on the wire (AMQP 0-9-1, section 4.2.5.3). */
const shortText = z.string().refine((text) => Buffer.byteLength(text) <= 255, 'must be at most 255 bytes');
const named = shortText.min(1);

const urlText = z.string().superRefine((text, context) => {
  const address = parseAmqpUrl(text);
  if (!address.ok) context.addIssue({ code: 'custom', message: address.reason });
});

const tlsSettings = z.strictObject({
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('File with the certificates to trust (PEM), instead of the well-known.'),
  certificateFile: z.string().min(1).optional().describe('File with the own certificate (PEM), for brokers that ask.'),
  keyFile: z.string().min(1).optional().describe('File with the key of `certificateFile` (PEM).'),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe('The name that the certificate of the broker must have; by default that of the URL.'),
});

/** How the broker is reached. */
const connectionFields = {
  urls: z
    .array(urlText)
    .min(1)
    .max(16)
    .describe(
      '`amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://`. Several are the nodes of one cluster: they are tried in ' +
        'turn.',
    ),
  vhost: named.optional().describe('The virtual host; by default that of the URL, and `/` where it has none.'),
  heartbeatSeconds: wholeNumber(0, 3600)
    .optional()
    .describe(
      'How often each side says that it is there (s); a broker that is silent for two to three times as long is gone. ' +
        '0: never. By default that of the URL (`?heartbeat=`), and 15 where it has none.',
    ),
  tls: tlsSettings.prefault({}).describe('For `amqps://`.'),
  startTimeoutMs: millisecondsMax(60_000)
    .min(100)
    .default(5000)
    .describe(
      'How long the start may take before it fails, saying what the broker has not answered (ms). Each of several URLs ' +
        'has an equal part of it.',
    ),
  whenUnreachable: z
    .enum(['fail', 'wait'])
    .default('fail')
    .describe(
      'A broker that does not answer makes the start fail, or is waited for, as it is later on. One that refuses the ' +
        'user, the password or the virtual host makes it fail.',
    ),
  reconnectMsMin: millisecondsMax(60_000).min(10).default(200).describe('The first delay before another try (ms).'),
  reconnectMsMax: millisecondsMax(600_000)
    .min(10)
    .default(5000)
    .describe('The longest delay before another try (ms). Half of each delay is random.'),
};

const declaredQueueSettings = z.strictObject({
  bindings: z
    .array(
      z.strictObject({
        exchange: named.describe('An exchange, which must be there: it is not declared.'),
        pattern: shortText.default('#').describe('The routing keys that it is bound for.'),
      }),
    )
    .min(1)
    .max(100)
    .describe('What it gets.'),
});

const subscriptionSettings = z.strictObject({
  exchange: named.describe('An exchange that is there.'),
  pattern: shortText
    .default('#')
    .describe('The binding key; on a topic exchange with `*` for one word and `#` for any number.'),
});

const intakeFields = {
  queues: z
    .array(named)
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Durable queues that are there, classic or quorum, to consume from. No streams: those forget nothing, and begin ' +
        'at their end each time. Processes with the same queue share its messages. Either this, ' +
        'or `subscribe` and `bindings`.',
    ),
  declare: z
    .record(named, declaredQueueSettings)
    .default({})
    .describe(
      'Those of `queues` that are this gateway’s own, with what they are bound to: each is declared as durable, and ' +
        'nothing of it is ever taken away. An exchange that is missing counts as a queue that is.',
    ),
  exclusive: z
    .boolean()
    .default(false)
    .describe(
      'With `queues`: nobody else may consume from them as long as this process does. Where somebody else does it counts ' +
        'as missing.',
    ),
  bindings: z
    .record(named, z.enum(streamTypes))
    .refine((exchanges) => Object.keys(exchanges).length > 0, 'must have at least one exchange')
    .optional()
    .describe(
      'Exchanges that clients may bind, with their types: what a client asks for is bound to one queue of this process, ' +
        'which is gone with it. By itself, or beside `subscribe`.',
    ),
  subscribe: z
    .array(subscriptionSettings)
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'What every process takes for itself, by one queue of its own, which is gone with it. By itself, or beside ' +
        '`bindings`: what several of them match is taken once.',
    ),
  declareMissing: z
    .boolean()
    .default(false)
    .describe(
      'With `bindings`: whether exchanges that are not there are declared at the start, durable. For those that nobody ' +
        'else has the say of, such as that of an endpoint which publishes what its clients send.',
    ),
  renewBindingsMs: millisecondsMax(3_600_000)
    .default(30_000)
    .describe(
      'With `bindings` and `subscribe`: how often everything that is bound is bound again (ms), since an exchange that was deleted and ' +
        'made anew has lost it without a word. 0: never.',
    ),
  queueBytesMax: wholeNumber(1024, 1_073_741_824)
    .default(67_108_864)
    .describe(
      'With `bindings` and `subscribe`: how many bytes may wait in that queue (`x-max-length-bytes`), and as many in this process; the ' +
        'oldest messages go first.',
    ),
  inFlightMax: wholeNumber(1, 65_535)
    .default(256)
    .describe(
      'How many messages may be unsettled at once; of each queue, with `queues` (the prefetch of its consumer).',
    ),
  ordered: z
    .boolean()
    .default(false)
    .describe('With `queues`: messages of a queue go one by one, in order, also across a retry.'),
  redeliverDelayMs: millisecondsMax(600_000)
    .min(1)
    .default(1000)
    .describe('With `queues`: how long a message that could not be handled is kept before it is given back (ms).'),
  whenMissing: z
    .enum(['fail', 'wait'])
    .default('fail')
    .describe('A queue or exchange that is not there, or is there otherwise, makes the start fail, or is waited for.'),
};

const deadLetterSettings = z
  .strictObject({
    by: z
      .enum(['edgeward', 'policy'])
      .default('edgeward')
      .describe(
        '`edgeward` publishes a dead letter, with cause and origin as headers, and acknowledges the message once the ' +
          'broker has it. `policy` rejects the message, which the queue must have a dead letter exchange for: without ' +
          'one it is gone, and nobody but the broker can see that.',
      ),
    exchange: shortText
      .optional()
      .describe(
        'With `edgeward`: exchange of the dead letters. Empty text is the default one, which leads to the queue `key`.',
      ),
    key: shortText
      .optional()
      .describe('With `edgeward`: routing key of the dead letters; by default that of the message.'),
  })
  .optional()
  .describe('With `queues`: where messages go that can never be handled. Either this or `onDeadLetter`.');

const settlingFields = {
  deadLetter: deadLetterSettings,
  onDeadLetter: z
    .literal('discard')
    .optional()
    .describe('With `queues`: `discard` when there is to be no such place. Either this or `deadLetter`.'),
};

const publishSettings = z.strictObject({
  unroutable: z
    .enum(['refuse', 'accept'])
    .default('refuse')
    .describe('What an event is to its publisher that the exchange leads to no queue.'),
  pendingMax: wholeNumber(1, 1_000_000)
    .default(10_000)
    .describe('How many events may wait for the broker to confirm them; more are refused, to be published later.'),
  pendingBytesMax: wholeNumber(1024, 1_073_741_824)
    .default(67_108_864)
    .describe('How many bytes of payload they may have. One event is always taken.'),
  confirmTimeoutMs: millisecondsMax(600_000)
    .min(100)
    .default(10_000)
    .describe('How long an event waits for the broker, also while it is away (ms).'),
});

type Issue = { readonly path: (string | number)[]; readonly message: string };
type Chosen = z.output<z.ZodObject<typeof connectionFields & typeof intakeFields & typeof settlingFields>>;

function declareIssues({ queues = [], declare }: Chosen): readonly Issue[] {
  return Object.keys(declare)
    .filter((queue) => !queues.includes(queue))
    .map((queue) => ({ path: ['declare', queue], message: 'is none of `queues`; add it there' }));
}

function modeIssues(settings: Chosen): readonly Issue[] {
  const { queues, bindings, subscribe, ordered, exclusive, declareMissing, deadLetter, onDeadLetter } = settings;
  const own = bindings ? 'bindings' : subscribe && 'subscribe';
  if ((queues === undefined) === (own === undefined)) {
    const message = queues
      ? `queues and ${own} contradict each other; make two sources of them`
      : 'say which queues to consume from (queues), what to take of exchanges (subscribe), or what clients may bind ' +
        '(bindings)';
    return [{ path: ['queues'], message }];
  }
  if (queues && declareMissing) return [{ path: ['declareMissing'], message: 'is for bindings; leave it out' }];
  if (queues) return [...deadLetterIssues(deadLetter, onDeadLetter)];
  const message = 'is for queues; a message of a binding is gone once it has been handed over';
  return Object.entries({
    ordered: ordered || undefined,
    exclusive: exclusive || undefined,
    deadLetter,
    onDeadLetter,
  }).flatMap(([name, value]) => (value === undefined ? [] : [{ path: [name], message }]));
}

function deadLetterIssues(deadLetter: Chosen['deadLetter'], onDeadLetter: Chosen['onDeadLetter']): readonly Issue[] {
  if ((deadLetter === undefined) === (onDeadLetter === undefined)) {
    const message = deadLetter
      ? 'deadLetter and onDeadLetter: discard contradict each other; leave one of them out'
      : 'say where dead letters go (deadLetter), or onDeadLetter: discard';
    return [{ path: ['onDeadLetter'], message }];
  }
  if (deadLetter === undefined) return [];
  const { by, exchange, key } = deadLetter;
  const path = ['deadLetter', 'exchange'];
  if (by === 'edgeward' && exchange === undefined) return [{ path, message: 'must name the exchange of dead letters' }];
  if (by === 'edgeward' && exchange === '' && !key) return [{ path, message: 'is the default one, which needs a key' }];
  if (by === 'edgeward' || (exchange === undefined && key === undefined)) return [];
  return [{ path, message: 'contradicts by: policy, where the queue itself says it; leave it out' }];
}

function connectionIssues({ urls, tls, reconnectMsMin, reconnectMsMax }: Chosen): readonly Issue[] {
  const issues: Issue[] = [];
  const addresses = urls.map(parseAmqpUrl);
  const isTls = addresses.some((address) => !address.ok || address.value.protocol === 'amqps');
  if (!isTls && Object.values(tls).some((value) => value !== undefined)) {
    issues.push({ path: ['tls'], message: 'is for amqps://, and no URL is one' });
  }
  if ((tls.certificateFile === undefined) !== (tls.keyFile === undefined)) {
    issues.push({ path: ['tls', 'keyFile'], message: 'certificateFile and keyFile need each other' });
  }
  if (reconnectMsMax < reconnectMsMin) {
    issues.push({ path: ['reconnectMsMax'], message: 'must not be shorter than `reconnectMsMin`' });
  }
  return issues;
}

/** RabbitMQ: one section of the config. */
export const amqpSettings = z
  .strictObject({
    ...connectionFields,
    ...intakeFields,
    ...settlingFields,
    publish: publishSettings.prefault({}).describe('For a source that is named by `publishTo` of another.'),
  })
  .superRefine((settings, context) => {
    for (const { path, message } of [
      ...modeIssues(settings),
      ...declareIssues(settings),
      ...connectionIssues(settings),
    ]) {
      context.addIssue({ code: 'custom', path, message });
    }
  });

export type AmqpSettings = z.infer<typeof amqpSettings>;

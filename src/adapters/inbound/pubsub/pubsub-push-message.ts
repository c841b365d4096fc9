import { z } from 'zod';
import { Event } from '../../../domain/event.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { readBase64 } from '../base64.ts';
import { type Problem, problem } from '../http-problem.ts';
import { readJson } from '../json-document.ts';

/** A message as it was pushed. */
export type PushedMessage = {
  /** The same whenever it is pushed again, and no other's. */
  readonly key: string;
  readonly event: Event;
  /** How often Pub/Sub has tried, from 1; 0 where the subscription has no dead letter policy: nobody counts there. */
  readonly deliveryAttempt: number;
};

/** What is needed to read a message: itself it names neither its topic nor the source. */
export type PushIntake = {
  readonly source: string;
  /** From the full name of a subscription to its id and that of its topic. */
  readonly subscriptions: ReadonlyMap<string, { readonly id: string; readonly topic: string }>;
};

const text = z.string('must be a text');

/** Entries and no record, so that `__proto__` is a name like any other. */
const attributes = z
  .custom<object>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object of names and texts',
  )
  .transform((given) => Object.entries(given))
  .pipe(z.array(z.tuple([text, text])));

/** The wrapped form, both ways of writing a name (https://cloud.google.com/pubsub/docs/push). It may get further fields. */
const pushed = z.object(
  {
    subscription: text,
    deliveryAttempt: z.int('must be a whole number').min(0, 'must not be negative').default(0),
    message: z
      .object(
        {
          data: text.default(''),
          attributes: attributes.default([]),
          messageId: text.optional(),
          message_id: text.optional(),
          publishTime: text.optional(),
          publish_time: text.optional(),
          orderingKey: text.default(''),
        },
        'must be a message; a push without wrapping is not taken',
      )
      .transform(({ messageId, message_id, publishTime, publish_time, ...others }) => ({
        ...others,
        id: messageId ?? message_id,
        publishTime: publishTime ?? publish_time,
      })),
  },
  'must be an object',
);
type Pushed = z.output<typeof pushed>;

/** Deeper than the wrapped form is. */
const depthMax = 8;

/** @param body JSON in UTF-8. The reasons quote nothing of it but the name of the subscription. */
export function readPush(body: Uint8Array, { source, subscriptions }: PushIntake): Verdict<PushedMessage, Problem> {
  const document = readJson(body, { depthMax });
  if (!document.ok) return refused(problem('body_invalid', `The body ${document.reason}.`));
  const parsed = pushed.safeParse(document.value.value);
  if (!parsed.success) return refused(invalid(...firstMistake(parsed.error)));
  const { subscription: name, message, deliveryAttempt } = parsed.data;
  const subscription = subscriptions.get(name);
  if (!subscription) return refused(unknownSubscription(name));
  const fields = readFields(message);
  if (!fields.ok) return fields;
  return allowed({
    key: `${name} ${fields.value.id}`,
    deliveryAttempt,
    event: new Event({
      ...fields.value,
      stream: subscription.topic,
      key: message.orderingKey,
      attributes: new Map(message.attributes),
      origin: {
        source,
        properties: { subscription: subscription.id, ...(deliveryAttempt > 0 ? { deliveryAttempt } : {}) },
      },
    }),
  });
}

type Fields = Pick<Event, 'id' | 'payload' | 'publishedAt'>;

function readFields({ id, data, publishTime }: Pushed['message']): Verdict<Fields, Problem> {
  if (id === undefined || id === '') return refused(invalid('message.messageId', 'must not be empty'));
  const payload = readBase64(data);
  if (!payload) return refused(invalid('message.data', 'must be base64 with padding (RFC 4648 section 4)'));
  const publishedAt = Date.parse(publishTime ?? '');
  if (Number.isNaN(publishedAt)) return refused(invalid('message.publishTime', 'must be a time of RFC 3339'));
  return allowed({ id, payload, publishedAt });
}

const invalid = (place: string, message: string): Problem =>
  problem('message_invalid', `${place} ${message}.`.trimStart());

/** What stands in `attributes` is the publisher's, and so are the names. */
function firstMistake({ issues }: z.ZodError): readonly [place: string, message: string] {
  const [issue] = issues;
  const path = issue?.path ?? [];
  const place = path[1] === 'attributes' ? 'message.attributes' : path.join('.');
  return [place === '' ? 'The body' : place, issue?.message ?? 'is no push of Pub/Sub'];
}

const nameCharactersMax = 300;

const unknownSubscription = (name: string): Problem =>
  problem(
    'subscription_unknown',
    `No subscription of this source is called "${name.slice(0, nameCharactersMax).toWellFormed()}".`,
  );

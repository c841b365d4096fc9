import type { Message } from '@google-cloud/pubsub';
import { Event } from '../../../domain/event.ts';

/** What is read of a message. */
export type PulledMessage = Pick<Message, 'id' | 'data' | 'attributes' | 'orderingKey' | 'deliveryAttempt'> & {
  readonly publishTime: Date;
};

/** Where a message came from: the ids of the topic and the subscription. A message itself names neither. */
export type MessageOrigin = { readonly source: string; readonly topic: string; readonly subscription: string };

/** `deliveryAttempt` is 0 where the subscription has no dead letter policy: nobody counts there. */
export function eventOf(message: PulledMessage, { source, topic, subscription }: MessageOrigin): Event {
  const { id, data, attributes, orderingKey, publishTime, deliveryAttempt } = message;
  return new Event({
    id,
    stream: topic,
    key: orderingKey ?? '',
    attributes: new Map(Object.entries(attributes)),
    payload: data,
    publishedAt: publishTime.getTime(),
    origin: { source, properties: { subscription, ...(deliveryAttempt > 0 ? { deliveryAttempt } : {}) } },
  });
}

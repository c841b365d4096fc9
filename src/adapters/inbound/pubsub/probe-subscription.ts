import type { PubSub } from '@google-cloud/pubsub';
import type { Fault } from '../../../application/fault.ts';
import { type PubSubPlace, pubsubFault, statusOf } from './pubsub-fault.ts';

/** No message has it, so acknowledging it changes nothing. */
const ackIdOfNothing = 'edgeward-probe';

/** Answers of a broker that is there, knows the subscription and lets it be consumed from: 3 INVALID_ARGUMENT above all. */
const goodAnswers: ReadonlySet<number | undefined> = new Set([3, 8, 9, 11, 12]);

/**
 * Whether a subscription can be consumed from. It takes the permission of consuming and none beside, and no quota of
 * administrator operations, which `getSubscription` would take.
 *
 * @returns why not.
 */
export async function probeSubscription(
  client: PubSub,
  subscription: string,
  place: PubSubPlace,
  timeoutMs: number,
): Promise<Fault | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const reqOpts = { subscription, ackIds: [ackIdOfNothing] };
  const gaxOpts = { timeout: timeoutMs, retry: null };
  client.request({ client: 'SubscriberClient', method: 'acknowledge', reqOpts, gaxOpts }, (error) =>
    error ? reject(error) : resolve(),
  );
  try {
    await promise;
    return undefined;
  } catch (error) {
    return goodAnswers.has(statusOf(error)) ? undefined : pubsubFault(error, place);
  }
}

import { type CallOptions, Duration, SubscriptionCloseBehaviors, type SubscriptionOptions } from '@google-cloud/pubsub';
import type { BackOff } from '../../../application/back-off.ts';
import { deadlineExceeded, unavailable } from './pubsub-fault.ts';
import type { PubSubSettings } from './pubsub-settings.ts';

/** Settlements wait this long for others to go with them; a message counts as in flight until they have gone. */
const settlementBatchMs = 10;
const settlementBatchMessages = 1000;

const settlementCallMsMax = 10_000;
const settlementMsMax = 60_000;

/** How long one opening of a stream may take. What comes of it is seen by the probe. */
const streamOpenMsMax = 30_000;

/** What is read of an emulator whatever the settings say: it sends past every limit that it is told. */
const emulatorMessagesMin = 10_000;
const emulatorBytesMin = 64 * 1024 * 1024;

/**
 * How many subscribers there are for a subscription, of one stream each. More streams of one subscriber have its limits
 * each, but it stops reading when they have brought as much together: what the broker has sent beyond is nobody's then,
 * its lease ends, and it comes twice.
 */
export const subscribersOf = ({ streamsPerSubscription, inFlightMax, ordered }: PubSubSettings): number =>
  // One stream could overtake another with a message of the same key.
  ordered ? 1 : Math.min(streamsPerSubscription, inFlightMax);

/**
 * How each of them works. It hands over all that it has, which the intake then holds: told to hold excess messages itself
 * (`allowExcessMessages: false`) it forgets those behind one that filled the limit of bytes, and does not finish closing
 * as long as it holds any.
 */
export function subscriberOptions(settings: PubSubSettings, backOff: BackOff): SubscriptionOptions {
  const { leaseMsMax } = settings;
  const lease = Duration.from({ milliseconds: leaseMsMax });
  return {
    flowControl: { ...limitsOf(settings), allowExcessMessages: true },
    streamingOptions: {
      maxStreams: 1,
      highWaterMark: 0,
      timeout: streamOpenMsMax,
      retryMinBackoff: Duration.from({ milliseconds: backOff.delayMsMin }),
      retryMaxBackoff: Duration.from({ milliseconds: backOff.delayMsMax }),
    },
    batching: {
      maxMessages: settlementBatchMessages,
      maxMilliseconds: settlementBatchMs,
      callOptions: settlementCall(backOff),
    },
    maxExtensionTime: lease,
    closeOptions: { behavior: SubscriptionCloseBehaviors.WaitForProcessing, timeout: lease },
  };
}

/** The share of one subscriber. */
function limitsOf(settings: PubSubSettings): { readonly maxMessages: number; readonly maxBytes: number } {
  const { emulator, inFlightMax, inFlightBytesMax } = settings;
  const subscribers = subscribersOf(settings);
  const maxMessages = Math.ceil(inFlightMax / subscribers);
  const maxBytes = Math.ceil(inFlightBytesMax / subscribers);
  if (emulator === undefined) return { maxMessages, maxBytes };
  return { maxMessages: Math.max(maxMessages, emulatorMessagesMin), maxBytes: Math.max(maxBytes, emulatorBytesMin) };
}

/** Settlements are tried again for as long as the broker might not have offered the message anew. */
const settlementCall = ({ delayMsMin, delayMsMax }: BackOff): CallOptions => ({
  retry: {
    retryCodes: [unavailable, deadlineExceeded],
    backoffSettings: {
      initialRetryDelayMillis: delayMsMin,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: delayMsMax,
      initialRpcTimeoutMillis: settlementCallMsMax,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: settlementCallMsMax,
      totalTimeoutMillis: settlementMsMax,
    },
  },
});

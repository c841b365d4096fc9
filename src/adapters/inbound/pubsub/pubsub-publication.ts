import type { Event } from '../../../domain/event.ts';
import { allowed, refused, type Verdict } from '../../../domain/verdict.ts';
import { parseTopicName, type ResourceName } from './resource-name.ts';

/** What Pub/Sub takes (https://cloud.google.com/pubsub/quotas#resource_limits); the last one is of a whole request. */
const attributesMax = 100;
const nameBytesMax = 256;
const valueBytesMax = 1024;
const keyBytesMax = 1024;
export const requestBytesMax = 9_500_000;

/** What a message costs in a request beside its data, roughly. */
const overheadBytes = 256;

export type Publication = {
  readonly topic: ResourceName;
  readonly key: string;
  readonly message: {
    readonly data: Uint8Array;
    readonly attributes: Record<string, string>;
    readonly orderingKey?: string;
  };
  readonly bytes: number;
};

/**
 * The event as a message: its stream is the topic, its key the ordering key, and Pub/Sub gives it an id of its own. Refused
 * when Pub/Sub would never take it; the reason holds nothing of what is in it.
 */
export function publicationOf({ stream, key, attributes, payload }: Event): Verdict<Publication> {
  const topic = parseTopicName(stream);
  if (!topic.ok) return refused(`"${stream}" is no topic: it ${topic.reason}`);
  if (Buffer.byteLength(key) > keyBytesMax) return refused(`its key has more than ${keyBytesMax} bytes`);
  if (attributes.size > attributesMax) return refused(`it has more than ${attributesMax} attributes`);
  let bytes = overheadBytes + payload.byteLength + Buffer.byteLength(key);
  for (const [name, value] of attributes) {
    const [nameBytes, valueBytes] = [Buffer.byteLength(name), Buffer.byteLength(value)];
    if (nameBytes === 0 || nameBytes > nameBytesMax || name.startsWith('goog')) {
      return refused('the name of an attribute is empty, too long, or begins with "goog"');
    }
    if (valueBytes > valueBytesMax) return refused(`an attribute has more than ${valueBytesMax} bytes`);
    bytes += nameBytes + valueBytes + 16;
  }
  if (payload.byteLength === 0 && attributes.size === 0) return refused('it has neither data nor attributes');
  if (bytes > requestBytesMax) return refused(`it has more than ${requestBytesMax} bytes`);
  const message = {
    data: payload,
    attributes: Object.fromEntries(attributes),
    ...(key === '' ? {} : { orderingKey: key }),
  };
  return allowed({ topic: topic.value, key, message, bytes });
}

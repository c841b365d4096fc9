import type { Event } from '../../../domain/event.ts';
import { deadLetterAttributes } from '../../dead-letter-attributes.ts';

/** What Pub/Sub takes (https://cloud.google.com/pubsub/quotas#resource_limits); the last one is of a whole request. */
const attributesMax = 100;
const nameBytesMax = 256;
const valueBytesMax = 1024;
const requestBytesMax = 10_000_000;

/** What a message costs in a request beside its data and attributes: the topic's name, tags and lengths. */
const overheadBytes = 1024;
const attributeOverheadBytes = 16;

/** Names that only Pub/Sub itself may give. A message that passed a schema has some of them. */
const isReserved = (name: string): boolean => name.startsWith('goog');

const leftOutName = 'Dead-Letter-Left-Out';

export type DeadLetter = { readonly data: Uint8Array; readonly attributes: Readonly<Record<string, string>> };

/**
 * A dead letter that Pub/Sub takes: the same bytes, and as many attributes as there is room for. Cause and origin come
 * first, then the event's own in their order; `Dead-Letter-Left-Out` says how many of these found no room.
 */
export function deadLetterOf(event: Event, source: string, cause: string): DeadLetter {
  const all = [...deadLetterAttributes(event, source, cause)];
  const ours = all.filter(isOurs).map(shortened);
  const theirs = all.filter((each) => !isOurs(each));
  const room = requestBytesMax - overheadBytes - event.payload.length;
  let kept = fitting([...ours, ...theirs], room);
  if (kept.length < all.length) {
    // The place for it is found before it is known what it says.
    const counted = fitting([...ours, [leftOutName, '0000'], ...theirs], room);
    const leftOut = String(all.length + 1 - counted.length);
    kept = counted.map(([name, value]) => [name, name === leftOutName ? leftOut : value]);
  }
  return { data: event.payload, attributes: Object.fromEntries(kept) };
}

type Attribute = readonly [name: string, value: string];

const isOurs = ([name]: Attribute): boolean => name.startsWith('Dead-Letter-');

function fitting(wanted: readonly Attribute[], room: number): readonly Attribute[] {
  const kept: Attribute[] = [];
  let left = room;
  for (const attribute of wanted) {
    const [name, value] = attribute;
    const [nameBytes, valueBytes] = [Buffer.byteLength(name), Buffer.byteLength(value)];
    const bytes = nameBytes + valueBytes + attributeOverheadBytes;
    const isTaken = nameBytes > 0 && nameBytes <= nameBytesMax && valueBytes <= valueBytesMax && !isReserved(name);
    if (!isTaken || bytes > left || kept.length === attributesMax) continue;
    left -= bytes;
    kept.push(attribute);
  }
  return kept;
}

/** No character is cut in two. */
function shortened([name, value]: Attribute): Attribute {
  const { read } = new TextEncoder().encodeInto(value, new Uint8Array(valueBytesMax));
  return [name, value.slice(0, read)];
}

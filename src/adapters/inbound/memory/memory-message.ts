import { Event } from '../../../domain/event.ts';
import { deadLetterAttributes } from '../../dead-letter-attributes.ts';
import { eventId } from '../event-id.ts';

/** What an event costs beside its texts and bytes: the objects that hold it, roughly. */
const overheadBytes = 256;

/** What an event counts against `bytesMax`. Texts count two bytes a character, which is the most they take. */
export function sizeOf(event: Event): number {
  let characters = event.id.length + event.stream.length + event.key.length + (event.contentType?.length ?? 0);
  for (const [name, value] of event.attributes) characters += name.length + value.length;
  return overheadBytes + event.payload.byteLength + characters * 2;
}

/** An event that was published without an id gets one here, once, so that every attempt has the same. */
export const withId = (event: Event): Event =>
  event.id === '' ? new Event({ ...fieldsOf(event), id: eventId() }) : event;

/** The event as the source hands it over: with itself as the origin. */
export const takenFrom = (event: Event, source: string): Event =>
  event.origin.source === source
    ? event
    : new Event({ ...fieldsOf(event), origin: { source, properties: event.origin.properties } });

/** What goes to the dead letter stream: the same bytes under the same id, with cause and origin as attributes. */
export function deadLetterOf(event: Event, stream: string, source: string, cause: string): Event {
  return new Event({
    ...fieldsOf(event),
    stream,
    attributes: deadLetterAttributes(event, source, cause),
    origin: { source, properties: {} },
  });
}

const fieldsOf = ({ id, stream, key, attributes, unreadable, payload, contentType, publishedAt, origin }: Event) => ({
  id,
  stream,
  key,
  attributes,
  unreadable,
  payload,
  contentType,
  publishedAt,
  origin,
});

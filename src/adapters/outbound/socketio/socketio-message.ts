import { Fault } from '../../../application/fault.ts';
import type { Event } from '../../../domain/event.ts';
import { eventNameReference, metaReference, type SocketioSettings } from './socketio-settings.ts';

/** Encodes an event as the text of a WebSocket message. Throws a `Fault` for names that no client can be sent. */
export type SocketioEncoder = (event: Event) => string;

/** An Engine.IO message (4) that is a Socket.IO event (2). */
const eventPacket = '42';

/** A client that is sent one of these disconnects (https://socket.io/docs/v4/emit-cheatsheet/#reserved-events). */
const reservedNames: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/**
 * `42["<name>",<data>,<meta>]`: data is the payload's own text where it is JSON, else its bytes as base64 text
 * (hiiretail section 6).
 */
export function createSocketioEncoder(
  settings: Pick<SocketioSettings, 'namespace' | 'eventName' | 'meta'>,
): SocketioEncoder {
  const prefix = settings.namespace === '/' ? eventPacket : `${eventPacket}${settings.namespace},`;
  const metaOf = createMeta(settings.meta);
  return (event) => {
    const name = settings.eventName.replaceAll(eventNameReference, (_, part: string) =>
      part === 'stream' ? event.stream : event.key,
    );
    if (reservedNames.has(name)) {
      throw new Fault(
        'event_name_reserved',
        'dead-letter',
        `Event ${event.id}: Socket.IO clients cannot be sent an event named "${name}". Rename its stream, or put more ` +
          'into `eventName`.',
      );
    }
    return `${prefix}[${JSON.stringify(name)},${dataOf(event)},${JSON.stringify(metaOf(event))}]`;
  };
}

function dataOf(event: Event): string {
  const json = event.jsonText();
  if (json !== null) return json;
  const { buffer, byteOffset, byteLength } = event.payload;
  return `"${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}"`;
}

type Meta = Record<string, string>;

function createMeta({ names, fields }: SocketioSettings['meta']): (event: Event) => Meta {
  const rename = names === 'camel-case' ? camelCase : (name: string) => name;
  const references = Object.entries(fields).map(
    ([field, text]) => [field, metaReference.exec(text)?.[1] ?? ''] as const,
  );
  const reserved = new Set(Object.keys(fields));
  return (event) => {
    // Without a prototype, so that `__proto__` and `constructor` are names like any other.
    const meta: Meta = Object.create(null);
    for (const [field, reference] of references) {
      const value = fieldOf(event, reference);
      if (value !== undefined) meta[field] = value;
    }
    // Sorted, so that of two names which become one the alphabetically first wins, whatever the broker's order.
    for (const attribute of [...event.attributes.keys()].sort()) {
      const name = rename(attribute);
      if (!reserved.has(name)) meta[name] ??= event.attributes.get(attribute) ?? '';
    }
    return meta;
  };
}

function fieldOf(event: Event, reference: string): string | undefined {
  switch (reference) {
    case 'id':
      return event.id;
    case 'publishedAt':
      return new Date(event.publishedAt).toISOString();
    case 'stream':
      return event.stream;
    case 'key':
      return event.key;
    default:
      return event.attributes.get(reference);
  }
}

/**
 * Words end at `-`, `_`, `.` and space. A word all in capitals is lower-cased, any other keeps its letters; then the
 * first one starts low and the others high. A name without a word stays as it is.
 */
export function camelCase(name: string): string {
  const words = name.split(/[-_. ]+/).filter((word) => word !== '');
  if (words.length === 0) return name;
  const calm = words.map((word) => (word === word.toUpperCase() ? word.toLowerCase() : word));
  return calm.map((word, index) => (index === 0 ? startLow(word) : startHigh(word))).join('');
}

const startLow = (word: string): string => withFirst(word, (letter) => letter.toLowerCase());
const startHigh = (word: string): string => withFirst(word, (letter) => letter.toUpperCase());

/** By code point, so that no letter is cut in two. */
function withFirst(word: string, change: (letter: string) => string): string {
  const [first = ''] = word;
  return change(first) + word.slice(first.length);
}

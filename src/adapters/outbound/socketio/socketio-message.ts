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
  const nameOf = createName(settings.eventName);
  const metaOf = createMeta(settings.meta);
  return (event) => {
    const name = nameOf(event);
    if (reservedNames.has(name)) {
      throw new Fault(
        'event_name_reserved',
        'dead-letter',
        `Event ${event.id}: Socket.IO clients cannot be sent an event named "${name}". Rename its stream, or put more ` +
          'into `eventName`.',
      );
    }
    return `${prefix}[${JSON.stringify(name)},${dataOf(event)},${metaOf(event)}]`;
  };
}

/** The plain texts of the setting and the parts between them, which are every second one. */
function createName(eventName: string): (event: Event) => string {
  const texts = eventName.split(eventNameReference);
  return (event) => {
    let name = '';
    for (const [index, text] of texts.entries()) {
      name += index % 2 === 0 ? text : text === 'stream' ? event.stream : event.key;
    }
    return name;
  };
}

function dataOf(event: Event): string {
  const json = event.jsonText();
  if (json !== null) return json;
  const { buffer, byteOffset, byteLength } = event.payload;
  return `"${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}"`;
}

/** Which attributes are told, and the beginning of the member that tells each. */
type Members = readonly { readonly attribute: string; readonly begin: string }[];

/** Events of one kind have the same attributes, and `next` are those with one more. */
type Kind = { readonly next: Map<string, Kind>; members: Members | undefined };

/** Of further ones it is worked out each time anew. */
const kindsKnownMax = 1000;

/** The object as JSON. */
function createMeta({ names, fields }: SocketioSettings['meta']): (event: Event) => string {
  const rename = names === 'camel-case' ? camelCase : (name: string) => name;
  const references = Object.entries(fields).map(([field, text]) => ({
    begin: `${JSON.stringify(field)}:`,
    read: fieldReader(metaReference.exec(text)?.[1] ?? ''),
  }));
  const membersOf = createMembers(rename, new Set(Object.keys(fields)));
  return (event) => {
    let members = '';
    for (const { begin, read } of references) {
      const value = read(event);
      if (value !== undefined) members += `,${begin}${JSON.stringify(value)}`;
    }
    for (const { attribute, begin } of membersOf(event.attributes)) {
      members += `,${begin}${JSON.stringify(event.attributes.get(attribute))}`;
    }
    return `{${members.slice(1)}}`;
  };
}

function createMembers(
  rename: (name: string) => string,
  reserved: ReadonlySet<string>,
): (attributes: ReadonlyMap<string, string>) => Members {
  const none: Kind = { next: new Map(), members: [] };
  let kinds = 1;
  return (attributes) => {
    let kind = none;
    for (const name of attributes.keys()) {
      let next = kind.next.get(name);
      if (!next) {
        if (kinds >= kindsKnownMax) return chooseMembers([...attributes.keys()], rename, reserved);
        kinds += 1;
        next = { next: new Map(), members: undefined };
        kind.next.set(name, next);
      }
      kind = next;
    }
    kind.members ??= chooseMembers([...attributes.keys()], rename, reserved);
    return kind.members;
  };
}

/** Sorted, so that of two names which become one the alphabetically first wins, whatever the broker's order. */
function chooseMembers(
  attributes: readonly string[],
  rename: (name: string) => string,
  reserved: ReadonlySet<string>,
): Members {
  const taken = new Set(reserved);
  const members: { attribute: string; begin: string }[] = [];
  for (const attribute of attributes.toSorted()) {
    const name = rename(attribute);
    if (taken.has(name)) continue;
    taken.add(name);
    members.push({ attribute, begin: `${JSON.stringify(name)}:` });
  }
  return members;
}

function fieldReader(reference: string): (event: Event) => string | undefined {
  switch (reference) {
    case 'id':
      return ({ id }) => id;
    case 'publishedAt':
      return createIsoTime();
    case 'stream':
      return ({ stream }) => stream;
    case 'key':
      return ({ key }) => key;
    default:
      return ({ attributes }) => attributes.get(reference);
  }
}

/** Most events are of the same second as the one before, and all but the milliseconds is the same then. */
function createIsoTime(): (event: Event) => string {
  let knownSecond = Number.NaN;
  let beginning = '';
  return ({ publishedAt }) => {
    const at = Math.trunc(publishedAt);
    const second = Math.floor(at / 1000);
    if (second !== knownSecond) {
      beginning = new Date(second * 1000).toISOString().slice(0, -'000Z'.length);
      knownSecond = second;
    }
    return `${beginning}${String(at - second * 1000).padStart(3, '0')}Z`;
  };
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

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

/** An attribute that is told, and the beginning of the member that tells it. */
type Member = { readonly attribute: string; readonly name: string; readonly begin: string };
type Members = readonly Member[];

/** Events of one kind have the same attributes in the same order, and `next` are those with one more. */
type Kind = { readonly next: Map<string, Kind>; members: Members | undefined };

const kindsKnownMax = 1000;
/** After so many events of further ones it begins anew: who sends ever other names does not keep those of others out. */
const unknownMax = 10_000;
/** A kind that is known holds as many members; for events with more of them it is worked out each time. */
const attributesKnownMax = 32;
const namesKnownMax = 1000;

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
  const memberOf = createMember(rename);
  const choose = (attributes: ReadonlyMap<string, string>) => chooseMembers([...attributes.keys()], memberOf, reserved);
  const known = new Map<string, Kind>();
  let kinds = 0;
  let unknown = 0;
  return (attributes) => {
    if (attributes.size > attributesKnownMax) return choose(attributes);
    if (unknown >= unknownMax) {
      known.clear();
      kinds = 0;
      unknown = 0;
    }
    let next = known;
    let kind: Kind | undefined;
    for (const name of attributes.keys()) {
      kind = next.get(name);
      if (!kind) {
        if (kinds >= kindsKnownMax) {
          unknown += 1;
          return choose(attributes);
        }
        kinds += 1;
        kind = { next: new Map(), members: undefined };
        next.set(name, kind);
      }
      next = kind.next;
    }
    if (!kind) return [];
    kind.members ??= choose(attributes);
    return kind.members;
  };
}

/** Names come again in other kinds, and some clients write theirs in another order each time. */
function createMember(rename: (name: string) => string): (attribute: string) => Member {
  const known = new Map<string, Member>();
  return (attribute) => {
    const found = known.get(attribute);
    if (found) return found;
    const name = rename(attribute);
    const member = { attribute, name, begin: `${JSON.stringify(name)}:` };
    if (known.size >= namesKnownMax) known.clear();
    known.set(attribute, member);
    return member;
  };
}

/** Sorted, so that of two names which become one the alphabetically first wins, whatever the broker's order. */
function chooseMembers(
  attributes: readonly string[],
  memberOf: (attribute: string) => Member,
  reserved: ReadonlySet<string>,
): Members {
  const taken = new Set(reserved);
  const members: Member[] = [];
  for (const attribute of attributes.toSorted()) {
    const member = memberOf(attribute);
    if (taken.has(member.name)) continue;
    taken.add(member.name);
    members.push(member);
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

import type { MessageHandler } from '../../src/application/ports/event-source.ts';
import { accept } from '../contracts/handler-probe.ts';
import { changedAttributes, type Mutant, withEvent, withHandler } from './broken-memory-source.ts';

const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

const dropping =
  (drop: (message: Parameters<MessageHandler>[0]) => boolean) =>
  (handler: MessageHandler): MessageHandler =>
  async (message) =>
    drop(message) ? accept : handler(message);

function writtenAgain(payload: Uint8Array): Uint8Array {
  try {
    return bytes(JSON.stringify(JSON.parse(text(payload))));
  } catch {
    return payload;
  }
}

export const messageMutants: readonly Mutant[] = [
  {
    name: 'bodies are read and written as UTF-8',
    fails: ['S5'],
    make: withEvent(({ payload }) => ({ payload: bytes(text(payload)) })),
  },
  {
    name: 'JSON bodies are parsed and written again',
    fails: ['S5'],
    make: withEvent(({ payload }) => ({ payload: writtenAgain(payload) })),
  },
  {
    name: 'empty bodies are dropped',
    fails: ['S5'],
    make: withHandler(dropping(({ event }) => event.payload.byteLength === 0)),
  },
  {
    name: 'bodies end at 64 KiB',
    fails: ['S5'],
    make: withEvent(({ payload }) => ({ payload: payload.subarray(0, 65_536) })),
  },
  {
    name: 'attribute names are lower-cased',
    fails: ['S6'],
    make: withEvent((event) => changedAttributes(event, ([name, value]) => [[name.toLowerCase(), value]])),
  },
  {
    name: 'attribute values go through Latin-1',
    fails: ['S6'],
    make: withEvent((event) =>
      changedAttributes(event, ([name, value]) => [[name, Buffer.from(value, 'latin1').toString('latin1')]]),
    ),
  },
  {
    name: 'attribute values are trimmed',
    fails: ['S6'],
    make: withEvent((event) => changedAttributes(event, ([name, value]) => [[name, value.trim()]])),
  },
  {
    name: 'empty attributes are dropped',
    fails: ['S6'],
    make: withEvent((event) => changedAttributes(event, (attribute) => (attribute[1] === '' ? [] : [attribute]))),
  },
  {
    name: 'attributes of its own are mixed in',
    fails: ['S6', 'S17'],
    make: withEvent(({ attributes }) => ({ attributes: new Map([...attributes, ['x-delivery-count', '1']]) })),
  },
  {
    name: 'attributes go through a plain object',
    fails: ['S6.1'],
    make: withEvent(({ attributes }) => {
      const plain: Record<string, string> = {};
      for (const [name, value] of attributes) plain[name] = value;
      return { attributes: new Map(Object.entries(plain)) };
    }),
  },
  { name: 'no id is made', fails: ['S17'], make: withEvent(() => ({ id: '' })) },
  { name: 'every message has the same id', fails: ['S17'], make: withEvent(() => ({ id: 'id' })) },
  {
    name: 'messages without attributes are dropped',
    fails: ['S17'],
    make: withHandler(dropping(({ event }) => event.attributes.size === 0)),
  },
  {
    name: 'the origin is the publisher',
    fails: ['S22'],
    make: withEvent(() => ({ origin: { source: 'publisher', properties: {} } })),
  },
  { name: 'the key is lost', fails: ['S22'], make: withEvent(() => ({ key: '' })) },
  {
    name: 'times are in seconds',
    fails: ['S22'],
    make: withEvent(({ publishedAt }) => ({ publishedAt: publishedAt / 1000 })),
  },
];

import { expect } from 'vitest';
import type { Clause } from './clause.ts';
import { handlerProbe } from './handler-probe.ts';
import { bytesOf } from './test-data.ts';

/** Every byte value, over and over: no text in any encoding that somebody might try. */
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 131 + 89) & 0xff);

const payloads: readonly { readonly what: string; readonly payload: Uint8Array }[] = [
  { what: 'nothing', payload: new Uint8Array() },
  { what: 'invalid UTF-8', payload: Uint8Array.of(0xff, 0xfe, 0xc3, 0x28, 0x00, 0x80) },
  { what: 'a byte order mark', payload: Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d) },
  { what: 'JSON with spaces of its own', payload: bytesOf('{ "a" : 1.0,\n"a": 12345678901234567890 }\r\n') },
  { what: '256 KiB', payload: noise(256 * 1024) },
];

/** How a message reaches the handler. */
export const messageClauses: readonly Clause[] = [
  {
    id: 'S5',
    promise: 'a body is kept byte for byte: empty, not UTF-8, 256 KiB',
    async run({ harness, source, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      for (const [index, { what, payload }] of payloads.entries()) {
        await harness.publish({ payload });
        await eventually(() => expect(probe.messages, what).toHaveLength(index + 1));
        const received = probe.messages[index]?.event.payload;
        expect(received?.byteLength, what).toBe(payload.byteLength);
        expect(received && Buffer.compare(received, payload), what).toBe(0);
      }
    },
  },
  {
    id: 'S6',
    promise: 'attributes are kept: the case of names, non-ASCII names and values, empty values, nothing added',
    async run({ harness, source, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      const attributes = new Map([
        ['Tenant-Id', 'T1'],
        ['tenant-id', 't2'],
        ['Größe', 'naïve ☕ 👍'],
        ['empty', ''],
        ['spaced', ' a  b '],
      ]);
      await harness.publish({ payload: bytesOf('m0'), attributes });
      await eventually(() => expect(probe.messages).toHaveLength(1));
      expect(sorted(probe.messages[0]?.event.attributes)).toEqual(sorted(attributes));
    },
  },
  {
    id: 'S6.1',
    promise: '`__proto__` and `constructor` are attribute names like any other',
    async run({ harness, source, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      const attributes = new Map([
        ['__proto__', 'p'],
        ['constructor', 'c'],
        ['toString', 't'],
      ]);
      await harness.publish({ payload: bytesOf('m0'), attributes });
      await eventually(() => expect(probe.messages).toHaveLength(1));
      expect(sorted(probe.messages[0]?.event.attributes)).toEqual(sorted(attributes));
    },
  },
  {
    id: 'S17',
    promise: 'a message without id, key and attributes reaches the handler, with an id',
    async run({ harness, source, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0') });
      await harness.publish({ payload: bytesOf('m1') });
      await eventually(() => expect(probe.messages).toHaveLength(2));
      const [first, second] = probe.messages;
      expect(first?.event.id).toBeTruthy();
      expect(second?.event.id).toBeTruthy();
      expect(second?.event.id).not.toBe(first?.event.id);
      expect(first?.event.attributes.size).toBe(0);
    },
  },
  {
    id: 'S22',
    promise: 'an event says where it is from: source, stream, key, time',
    async run({ harness, source, eventually }) {
      const probe = handlerProbe();
      await source.start(probe.handler);
      await harness.publish({ payload: bytesOf('m0'), key: 'tenant.T1' });
      await eventually(() => expect(probe.messages).toHaveLength(1));
      const event = probe.messages[0]?.event;
      expect(event?.origin.source).toBe(source.name);
      expect(event?.stream).toBeTruthy();
      expect(event?.key).toBe('tenant.T1');
      // A broker's clock may be a little off; nobody's is off by a day.
      expect(Math.abs((event?.publishedAt ?? 0) - Date.now())).toBeLessThan(86_400_000);
    },
  },
];

const sorted = (attributes: ReadonlyMap<string, string> | undefined): readonly (readonly [string, string])[] =>
  [...(attributes ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));

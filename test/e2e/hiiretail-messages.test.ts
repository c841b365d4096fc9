import type { Message } from '@google-cloud/pubsub';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { connectRaw, connectStock, type RawClient, type StockClient } from '../support/hiiretail-clients.ts';
import { type HiiretailGateway, type Publication, startHiiretail } from '../support/hiiretail-gateway.ts';
import { describeWithPubSub } from '../support/with-brokers.ts';

const baskets = 'att.private.notification.baskets.v1';
/** Everything that a topic's name may hold (hiiretail section 5; cloud.google.com/pubsub/docs/pubsub-basics). */
const strange = 'Iam.public_output-events.v1+iam.group~created%2Fx';

describeWithPubSub('hiiretail: messages', () => {
  let gateway: HiiretailGateway;
  let stock: StockClient;
  let raw: RawClient;
  beforeAll(async () => {
    gateway = await startHiiretail({ topics: [baskets, strange] });
    const token = await gateway.issuers.ocms.mint({ tid: 't1', buid: 'u1', wid: '0001' });
    stock = await connectStock(gateway.url, { token });
    raw = await connectRaw(gateway.url, '', token);
  });
  afterAll(async () => {
    stock[Symbol.dispose]();
    raw[Symbol.dispose]();
    await gateway[Symbol.asyncDispose]();
  });

  type Arrived = {
    /** Everything that the stock client's handler got. */
    readonly event: readonly unknown[];
    readonly data: unknown;
    readonly meta: Readonly<Record<string, unknown>>;
    /** The packet as it came over the wire. */
    readonly packet: string;
  };

  /** Publishes to the tenant of the clients, and waits until both have it. */
  async function arrive({ topic = baskets, data, attributes = {} }: Partial<Publication>): Promise<Arrived> {
    const messageId = await gateway.publish({
      topic,
      attributes: { 'Tenant-Id': 't1', ...attributes },
      ...(data === undefined ? {} : { data }),
    });
    return await eventually(() => {
      const event = stock.received.find(([, , meta]) => (meta as Arrived['meta'])['messageId'] === messageId);
      const packet = raw.packets.find((each) => each.includes(`"messageId":"${messageId}"`));
      if (!event || packet === undefined) throw new Error(`${messageId} has not come to both yet`);
      return { event, data: event[1], meta: event[2] as Arrived['meta'], packet };
    });
  }

  describe('data', () => {
    const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64');
    const bytes = (...values: number[]) => Buffer.from(values);

    test.concurrent.each<readonly [what: string, text: string, value: unknown]>([
      ['an object', '{"a":{"b":[1,"two",null]}}', { a: { b: [1, 'two', null] } }],
      ['an empty object', '{}', {}],
      ['an array', '[1,[],"x"]', [1, [], 'x']],
      ['an empty array', '[]', []],
      ['a number', '42', 42],
      ['a fraction', '-1.50e-3', -0.0015],
      ['zero', '0', 0],
      ['text', '"text"', 'text'],
      ['empty text', '""', ''],
      ['text that looks like base64', '"AAAA"', 'AAAA'],
      ['text beyond ASCII', '"Grüße ☃ 😀"', 'Grüße ☃ 😀'],
      ['escapes', '"\\u00e9\\n\\u2028\\ud83d\\ude00"', 'é\n\u2028😀'],
      ['null', 'null', null],
      ['true', 'true', true],
      ['false', 'false', false],
      ['white space around it', ' \n\t{ "a" : 1 }\r\n', { a: 1 }],
      ['a number beyond what JavaScript counts', '{"id":12345678901234567890}', { id: 12345678901234567000 }],
      ['what a prototype would like', '{"constructor":1,"toString":2}', { constructor: 1, toString: 2 }],
      ['what Socket.IO has for attachments', '{"_placeholder":true,"num":0}', { _placeholder: true, num: 0 }],
    ])('8.16 JSON, %s, is parsed; its text is passed on as it is', async (_what, text, value) => {
      const { data, packet } = await arrive({ data: text });
      expect(data).toStrictEqual(value);
      expect(packet.startsWith(`42["${baskets}",${text},{`)).toBe(true);
    });

    test.concurrent.each<readonly [what: string, payload: string | Uint8Array, value: string]>([
      ['nothing', '', ''],
      ['plain text', 'hello', 'aGVsbG8='],
      ['XML', '<a>1</a>', 'PGE+MTwvYT4='],
      ['half an object', '{"a":1', 'eyJhIjox'],
      ['two values', '1 2', 'MSAy'],
      ['a comma too many', '[1,]', 'WzEsXQ=='],
      ['what only JavaScript knows', 'NaN', 'TmFO'],
      ['undefined', 'undefined', 'dW5kZWZpbmVk'],
      ['white space', ' \n', 'IAo='],
      ['a byte order mark before JSON', '\ufeff{"a":1}', '77u/eyJhIjoxfQ=='],
      ['JSON in UTF-16', Buffer.from('{"a":1}', 'utf16le'), base64(Buffer.from('{"a":1}', 'utf16le'))],
      ['bytes that are no UTF-8', bytes(0xff, 0x00, 0xfe), '/wD+'],
      ['JSON with a byte that is no UTF-8', bytes(0x22, 0xff, 0x22), 'Iv8i'],
      ['a surrogate in UTF-8', bytes(0x22, 0xed, 0xa0, 0x80, 0x22), 'Iu2ggCI='],
      ['UTF-8 that ends too early', bytes(0x22, 0xc3, 0x22), 'IsMi'],
      ['zeros', bytes(0, 0, 0, 0), 'AAAAAA=='],
    ])('8.16 no JSON, %s, becomes base64', async (_what, payload, value) => {
      const { data } = await arrive({ data: payload });
      expect(data).toBe(value);
      expect(Buffer.from(value, 'base64')).toEqual(Buffer.from(payload));
    });

    test('8.16 a large payload comes whole', async () => {
      const text = JSON.stringify(Array.from({ length: 150_000 }, (_, index) => `item ${index}`));
      const noise = Buffer.alloc(2_000_000, 0xfe);
      expect((await arrive({ data: text })).data).toEqual(JSON.parse(text));
      expect((await arrive({ data: noise })).data).toBe(base64(noise));
    });
  });

  describe('meta', () => {
    const ofSystem = {
      publishTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      messageId: expect.stringMatching(/./),
      tenantId: 't1',
    };

    test('8.17 publishTime and messageId are those of Pub/Sub', async () => {
      const [subscription] = await gateway.pubsub.topic(baskets).createSubscription('reader-of-its-own');
      const pulled: Message[] = [];
      subscription.on('message', (message: Message) => {
        message.ack();
        pulled.push(message);
      });
      const { meta } = await arrive({ data: '1' });
      await eventually(() => expect(pulled.map(({ id }) => id)).toContain(meta['messageId']));
      await subscription.close();
      const message = pulled.find(({ id }) => id === meta['messageId']);
      expect(meta).toEqual({
        publishTime: new Date(message?.publishTime.getTime() ?? 0).toISOString(),
        messageId: message?.id,
        tenantId: 't1',
      });
      expect(meta).toEqual(ofSystem);
    });

    test('8.17 the attributes of the documented example', async () => {
      const { meta } = await arrive({
        attributes: {
          'Business-Unit-Id': 'u1',
          'Additional-Business-Unit-Rooms': 'workstations/0001,workstation-types/scanngo',
          'Correlation-Id': 'c-1',
        },
      });
      expect(meta).toEqual({
        ...ofSystem,
        businessUnitId: 'u1',
        additionalBusinessUnitRooms: 'workstations/0001,workstation-types/scanngo',
        correlationId: 'c-1',
      });
    });

    test.concurrent.each<readonly [attribute: string, name: string]>([
      ['Correlation-Id', 'correlationId'],
      ['CORRELATION-ID', 'correlationId'],
      ['correlation_id', 'correlationId'],
      ['correlation.id', 'correlationId'],
      ['correlation id', 'correlationId'],
      ['-Correlation--Id-', 'correlationId'],
      ['correlationId', 'correlationId'],
      ['CorrelationId', 'correlationId'],
      ['alreadyCamel', 'alreadyCamel'],
      ['ce-type', 'ceType'],
      ['X-B3-TraceId', 'xB3TraceId'],
      ['traceparent', 'traceparent'],
      ['A', 'a'],
      ['x-1-y', 'x1Y'],
      ['Additional-Business-Unit-Rooms', 'additionalBusinessUnitRooms'],
      ['größe-übrig', 'größeÜbrig'],
      ['--', '--'],
      ['event', 'event'],
      ['toString', 'toString'],
      ['hasOwnProperty', 'hasOwnProperty'],
    ])('8.17 %s becomes %s', async (attribute, name) => {
      const { meta } = await arrive({ attributes: { [attribute]: 'Value, as IT is ☃' } });
      expect(meta).toEqual({ ...ofSystem, [name]: 'Value, as IT is ☃' });
    });

    test('8.17 every attribute is there, an empty one too', async () => {
      const attributes = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`Name-${index}`, `${index}`]));
      const { meta } = await arrive({ attributes: { ...attributes, Empty: '' } });
      const expected = Object.fromEntries(Object.values(attributes).map((value) => [`name${value}`, value]));
      expect(meta).toEqual({ ...ofSystem, ...expected, empty: '' });
    });

    test('8.18 the system wins: publishTime, messageId and tenantId cannot be taken', async () => {
      const taken = ['Publish-Time', 'publishTime', 'PUBLISH_TIME', 'Message-Id', 'messageId', 'message.id'];
      const others = ['tenantId', 'TENANT-ID', 'tenant_id'];
      const attributes = Object.fromEntries([...taken, ...others].map((name) => [name, 'taken']));
      const { meta } = await arrive({ attributes });
      expect(meta).toEqual(ofSystem);
      expect(Object.values(meta)).not.toContain('taken');
    });

    test('8.18 of two names that meet, the alphabetically first wins', async () => {
      const { meta } = await arrive({
        attributes: { correlation_id: '3', 'Correlation-Id': '2', 'CORRELATION-ID': '1', correlationId: '4' },
      });
      expect(meta).toEqual({ ...ofSystem, correlationId: '1' });
    });

    test('8.18 no name pollutes a prototype', async () => {
      const names = ['__proto__', '__proto__.polluted', 'constructor', 'prototype', 'valueOf'];
      const attributes = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
      const { meta, packet } = await arrive({ attributes });
      expect(meta).toEqual({
        ...ofSystem,
        proto: 'value of __proto__',
        protoPolluted: 'value of __proto__.polluted',
        constructor: 'value of constructor',
        prototype: 'value of prototype',
        valueOf: 'value of valueOf',
      });
      expect(JSON.parse(packet.slice(2))[2]).toEqual(meta);
      // Objects of the process are what they were.
      expect((await arrive({ data: '{}' })).meta).toEqual(ofSystem);
    });
  });

  describe('the event', () => {
    test.each([baskets, strange])('8.15 its name is the whole name of the topic: %s', async (topic) => {
      const { event, packet } = await arrive({ topic, data: '{"a":1}' });
      expect(event[0]).toBe(topic);
      expect(packet.startsWith(`42["${topic}",`)).toBe(true);
    });

    test('8.15 the handler has exactly two arguments, data and meta', async () => {
      const { event, packet } = await arrive({ data: '{"a":1}' });
      expect(event).toEqual([baskets, { a: 1 }, expect.objectContaining({ tenantId: 't1' })]);
      expect(event).toHaveLength(3);
      // No acknowledgement is asked for: that would be a number after the 42.
      expect(packet.startsWith('42["')).toBe(true);
      expect(JSON.parse(packet.slice(2))).toHaveLength(3);
    });

    test('8.15 a handler of this name gets it, with topics of this name, too', async () => {
      const token = await gateway.issuers.ocms.mint({ tid: 't1' });
      using named = await connectStock(gateway.url, { token, query: { topics: [strange] } });
      const handled: unknown[][] = [];
      named.socket.on(strange, (...args: unknown[]) => handled.push(args));
      await arrive({ topic: strange, data: '"for both"' });
      await eventually(() => expect(handled).toEqual([['for both', expect.objectContaining({ tenantId: 't1' })]]));
    });
  });
});

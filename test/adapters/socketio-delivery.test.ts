import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { anyName, anyText } from '../support/any-text.ts';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { heapUsedBytes } from '../support/heap-used.ts';
import {
  connectedClient,
  rawClient,
  type StockClient,
  startEndpoint,
  tcpClient,
  toRooms,
} from '../support/socketio-fixture.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const eventNumber = (id: number, size = 0) =>
  eventOf({}, { id: String(id), payload: bytes(JSON.stringify('x'.repeat(size))) });
const idsOf = ({ received }: StockClient) => received.map(([, , meta]) => Number(meta['messageId']));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('an event', () => {
  test('hiiretail 8.15: is named after its topic and has exactly data and meta', async () => {
    const { url, endpoint } = await startEndpoint();
    const { socket } = await connectedClient(url, ['a']);
    const topic = 'che.public.event.session-changed.v1';
    const got = new Promise<unknown[]>((resolve) => socket.once(topic, (...args) => resolve(args)));
    const event = eventOf(
      { 'Correlation-Id': 'c', 'Tenant-Id': 't' },
      { id: 'm', stream: topic, publishedAt: Date.UTC(2021, 4, 4, 12) },
    );
    expect(endpoint.deliver(event, toRooms('a'))).toEqual({ queued: 1, dropped: 0 });
    const meta = { publishTime: '2021-05-04T12:00:00.000Z', messageId: 'm', correlationId: 'c', tenantId: 't' };
    expect(await got).toEqual([{}, meta]);
  });

  test('hiiretail 8.16, 8.17, 8.18: whatever it holds, the stock client gets it', async () => {
    const { url, endpoint } = await startEndpoint({ meta: { names: 'unchanged', fields: { '(id)': '{id}' } } });
    const client = await connectedClient(url, ['a']);
    const payload = fc.oneof(
      fc.json({ maxDepth: 3 }).map(bytes),
      fc.uint8Array(),
      fc.constantFrom(...['', 'null', '{"'].map(bytes)),
    );
    const attributes = fc.uniqueArray(fc.tuple(anyName(), anyText()), {
      selector: ([name]) => name,
    });
    const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
    const stream = anyText().filter((name) => !reserved.includes(name));
    const sent = fc.sample(fc.record({ payload, attributes, stream }), 200);
    for (const [index, given] of sent.entries()) {
      const event = eventOf(given.attributes, { id: String(index), stream: given.stream, payload: given.payload });
      endpoint.deliver(event, toRooms('a'));
    }
    await eventually(() => expect(client.received).toHaveLength(sent.length));
    for (const [index, { payload: body, attributes: names, stream: name }] of sent.entries()) {
      const json = eventOf({}, { payload: body }).jsonText();
      const data: unknown = json === null ? Buffer.from(body).toString('base64') : JSON.parse(json);
      const meta = Object.fromEntries([['(id)', String(index)], ...names]);
      expect(client.received[index]).toEqual([name, data, meta]);
    }
  });

  test('larger than everything a socket takes at once arrives whole', async () => {
    const { url, endpoint } = await startEndpoint();
    const client = await connectedClient(url, ['a']);
    endpoint.deliver(eventNumber(1, 10_000_000), toRooms('a'));
    await eventually(() => expect(client.received).toHaveLength(1));
    expect(client.received[0]?.[1]).toHaveLength(10_000_000);
    endpoint.deliver(eventNumber(2), toRooms('a'));
    await eventually(() => expect(idsOf(client)).toEqual([1, 2]));
  });

  test('with a name that clients cannot be sent is refused before anybody gets it', async () => {
    const { url, endpoint } = await startEndpoint();
    const client = await connectedClient(url, ['a']);
    const deliver = () => endpoint.deliver(eventOf({}, { stream: 'disconnect' }), toRooms('a'));
    expect(deliver).toThrow(expect.objectContaining({ code: 'event_name_reserved', disposition: 'dead-letter' }));
    endpoint.deliver(eventNumber(2), toRooms('a'));
    await eventually(() => expect(idsOf(client)).toEqual([2]));
  });

  test('is one frame of one write for a connection in several of its rooms', async () => {
    const { url, endpoint } = await startEndpoint();
    const client = await connectedClient(url, ['a', 'b', 'c', 'a']);
    expect(endpoint.deliver(eventNumber(1), toRooms('a', 'b', 'c', 'b'))).toEqual({ queued: 1, dropped: 0 });
    endpoint.deliver(eventNumber(2), toRooms('c'));
    await eventually(() => expect(idsOf(client)).toEqual([1, 2]));
  });

  test('is encoded once, however many get it', async () => {
    const { url, endpoint } = await startEndpoint();
    for (const _ of upTo(3)) await connectedClient(url, ['a']);
    const event = eventOf({});
    const encoded = vi.spyOn(event.attributes, 'keys');
    expect(endpoint.deliver(event, toRooms('a'))).toEqual({ queued: 3, dropped: 0 });
    expect(encoded).toHaveBeenCalledTimes(1);
  });

  test('for nobody is delivered to nobody', async () => {
    const { url, endpoint } = await startEndpoint();
    const client = await connectedClient(url, ['a']);
    expect(endpoint.deliver(eventNumber(1), toRooms('b'))).toEqual({ queued: 0, dropped: 0 });
    expect(endpoint.deliver(eventNumber(1), toRooms())).toEqual({ queued: 0, dropped: 0 });
    endpoint.deliver(eventNumber(2), toRooms('a'));
    await eventually(() => expect(idsOf(client)).toEqual([2]));
  });
});

describe('rooms', () => {
  test('with the names of what objects have, or with odd ones, do not alias', async () => {
    const names = ['__proto__', 'constructor', '', ' ', 'a', 'A', 'a/', '/a', 'a b', 'ä', 'a\u0308', 'toString', '0'];
    const { url, endpoint } = await startEndpoint();
    const clients = await Promise.all(names.map((name) => connectedClient(url, [name])));
    for (const [index, name] of names.entries()) {
      expect(endpoint.deliver(eventNumber(index), toRooms(name))).toEqual({ queued: 1, dropped: 0 });
    }
    await eventually(() => expect(clients.map(idsOf)).toEqual(names.map((_, index) => [index])));
  });

  test('of a connection are those of its admission, not one named like its id', async () => {
    const { url, endpoint } = await startEndpoint();
    const { socket } = await connectedClient(url, ['a']);
    const { id = '' } = socket;
    expect(id).not.toBe('');
    expect(endpoint.deliver(eventNumber(1), toRooms(id))).toEqual({ queued: 0, dropped: 0 });
    const spy = await connectedClient(url, [id]);
    expect(endpoint.deliver(eventNumber(2), toRooms(id))).toEqual({ queued: 1, dropped: 0 });
    await eventually(() => expect(idsOf(spy)).toEqual([2]));
  });
});

describe('order', () => {
  test('of a connection is that of delivery, in bursts and singly, for each of many clients', async () => {
    const { url, endpoint, budget } = await startEndpoint();
    const all = await Promise.all(upTo(5).map(() => connectedClient(url, ['all'])));
    const some = await Promise.all(upTo(5).map(() => connectedClient(url, ['all', 'some'])));
    const toSome = (id: number) => id % 3 === 0;
    for (const id of upTo(3000)) {
      endpoint.deliver(eventNumber(id, id % 700), toRooms(toSome(id) ? 'some' : 'all'));
      if (id % 7 === 0) await turn();
    }
    await eventually(() => {
      for (const client of all) expect(idsOf(client)).toEqual(upTo(3000).filter((id) => !toSome(id)));
      for (const client of some) expect(idsOf(client)).toEqual(upTo(3000));
    });
    await eventually(() => expect(budget.bytes).toBe(0));
  });

  test('is kept among the packets of Socket.IO itself, which come often', async () => {
    const { url, endpoint, observer } = await startEndpoint({ pingIntervalMs: 100, pingTimeoutMs: 5000 });
    const client = await connectedClient(url, ['a']);
    const pings = new Promise<void>((resolve) => {
      let count = 0;
      client.socket.io.on('ping', () => {
        count += 1;
        if (count === 3) resolve();
      });
    });
    let id = 0;
    let pinged = false;
    void pings.then(() => {
      pinged = true;
    });
    while (!pinged) {
      endpoint.deliver(eventNumber(id), toRooms('a'));
      id += 1;
      await turn();
    }
    await eventually(() => expect(idsOf(client)).toEqual(upTo(id)));
    expect(observer.of('connection-closed')).toEqual([]);
  });

  test('begins with the answer to CONNECT', async () => {
    const { url, endpoint } = await startEndpoint();
    const client = await rawClient(url);
    client.send('40{"rooms":"a"}');
    while (endpoint.deliver(eventNumber(1), toRooms('a')).queued === 0) await turn();
    await client.receives(/^42/);
    expect(client.messages.map((message) => message.slice(0, 2))).toEqual(['0{', '40', '42']);
  });
});

describe('a connection', () => {
  test('that breaks in the middle of a delivery harms no other', async () => {
    const { url, endpoint, observer, budget } = await startEndpoint();
    const before = await connectedClient(url, ['a']);
    const broken = await rawClient(url);
    broken.send('40{"rooms":"a"}');
    await broken.receives(/^40/);
    const after = await connectedClient(url, ['a']);
    for (const id of upTo(500)) {
      endpoint.deliver(eventNumber(id, 1000), toRooms('a'));
      if (id === 100) broken.websocket.terminate();
      if (id % 10 === 0) await turn();
    }
    await eventually(() => expect([idsOf(before), idsOf(after)]).toEqual([upTo(500), upTo(500)]));
    await eventually(() => expect(observer.of('connection-closed')).toMatchObject([{ cause: 'transport_close' }]));
    await eventually(() => expect(budget.bytes).toBe(0));
    expect(endpoint.connectionCount).toBe(2);
  });

  test('keeps neither its first request nor what was in it', async () => {
    const { port, endpoint, upgrades } = await startEndpoint();
    for (const _ of upTo(10)) await tcpClient(port, ['a']);
    await eventually(() => {
      heapUsedBytes();
      expect(upgrades.map((request) => request.deref()?.url)).toEqual(upTo(10).map(() => undefined));
    });
    expect(endpoint.connectionCount).toBe(10);
  });
});

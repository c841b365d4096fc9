import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { end } from '../support/hub-client.ts';
import { settled } from '../support/relay-client.ts';
import { payloadOf, startHub } from '../support/signalr-fixture.ts';

const closing = `{"type":7,"error":"Connection closed with an error.","allowReconnect":true}`;
const ping = '{"type":6}';

describe('what a client is sent', () => {
  test('signalr 13.8, 13.9, salto-ks 8.10, 8.11: an event is byte for byte this, in one text message', async () => {
    const { connect, deliver } = await startHub();
    const client = await connect();
    deliver(payloadOf('{ "id" : 1,\n"name":"ä" }'));
    await eventually(() => expect(client.frames).toHaveLength(2));
    expect(client.frames[1]).toBe(
      `{"type":1,"target":"ReceiveMessage","arguments":["{ \\"id\\" : 1,\\n\\"name\\":\\"ä\\" }"]}${end}`,
    );
  });

  test('with `argument: json` the payload stands there as it is', async () => {
    const { connect, deliver } = await startHub({ argument: 'json' });
    const client = await connect();
    deliver(payloadOf('{ "id" : 12345678901234567890 }'));
    await eventually(() =>
      expect(client.records[1]).toBe(
        '{"type":1,"target":"ReceiveMessage","arguments":[{ "id" : 12345678901234567890 }]}',
      ),
    );
  });

  test.each([
    [101, 1],
    [900, 1],
    [5000, 0],
  ])('nested %d deep it comes once to who speaks JSON, whoever else is there', async (depth, packed) => {
    const { connect, open, deliver, observer } = await startHub({ argument: 'json', streaming: true });
    const [before, other, streaming, after] = [await connect(), await open(), await open(), await connect()];
    other.send(`{"protocol":"messagepack","version":1}${end}`);
    streaming.send(`{"protocol":"messagepack","version":1}${end}`);
    streaming.send(Buffer.from('0e960480a130a653747265616d9090', 'hex'));
    await eventually(() => expect([other.frames.length, streaming.frames.length]).toEqual([1, 1]));
    await settled(streaming);
    const nested = '['.repeat(depth) + ']'.repeat(depth);
    expect(deliver(payloadOf(nested))).toEqual({ queued: 2 + 2 * packed, dropped: 2 - 2 * packed });
    deliver(payloadOf('1'));
    for (const client of [before, after]) {
      await eventually(() => expect(client.records).toHaveLength(3));
      expect(client.records[1]).toBe(`{"type":1,"target":"ReceiveMessage","arguments":[${nested}]}`);
    }
    for (const client of [other, streaming]) await eventually(() => expect(client.frames).toHaveLength(2 + packed));
    expect(observer.of('endpoint-failed')).toHaveLength(1 - packed);
  });

  test('what is no JSON is its text, and what is no text is base64', async () => {
    const { connect, deliver } = await startHub();
    const client = await connect();
    deliver(payloadOf('plain\x1e'));
    deliver(payloadOf(Buffer.from([0xff])));
    await eventually(() => expect(client.records).toHaveLength(3));
    expect(client.records.slice(1)).toEqual([
      '{"type":1,"target":"ReceiveMessage","arguments":["plain\\u001e"]}',
      '{"type":1,"target":"ReceiveMessage","arguments":["/w=="]}',
    ]);
  });

  test('salto-ks 8.13: every connection of a room gets every event once, and no other does', async () => {
    const { connect, deliver } = await startHub();
    const [one, two, other] = [await connect(), await connect(), await connect('/hub?site=s')];
    expect(deliver(payloadOf('1'), 'r', 'x')).toEqual({ queued: 2, dropped: 0 });
    await eventually(() => expect([one.records.length, two.records.length]).toEqual([2, 2]));
    await settled(other);
    expect(other.records).toEqual(['{}']);
  });

  test('signalr 13.25: compression that is offered is declined', async () => {
    const { connect } = await startHub();
    expect((await connect()).socket.extensions).toBe('');
  });
});

describe('signalr 13.10, salto-ks 8.15: pings', () => {
  test('come after 15 s without anything else, and once in that time', async () => {
    const { connect, clock, deliver } = await startHub();
    const client = await connect();
    clock.advance(14_000);
    await settled(client);
    expect(client.records).toEqual(['{}']);
    clock.advance(2000);
    await eventually(() => expect(client.records).toEqual(['{}', ping]));
    clock.advance(10_000);
    deliver(payloadOf('1'));
    clock.advance(14_000);
    await settled(client);
    expect(client.records.filter((record) => record === ping)).toHaveLength(1);
    for (let count = 0; count < 40; count += 1) {
      clock.advance(1000);
      await settled(client);
    }
    await eventually(() => expect(client.records.filter((record) => record === ping).length).toBeGreaterThanOrEqual(3));
    expect(client.records.filter((record) => record === ping).length).toBeLessThanOrEqual(4);
  });
});

describe('signalr 13.11, 13.12, salto-ks 8.15: a client that is silent', () => {
  test('for 30 s after its first ping is told to come back', async () => {
    const { connect, clock, observer } = await startHub();
    const client = await connect();
    client.say({ type: 6 });
    await settled(client);
    clock.advance(29_000);
    // Bytes of a record are none, and neither is a ping of the WebSocket.
    client.send('{"type"');
    await settled(client);
    clock.advance(1000);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.records.at(-1)).toBe(closing);
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'client_timeout' }]);
  });

  test.each([{ type: 6 }, { type: 1, target: 'X', arguments: [] }, { type: 99 }])(
    'is not one that says %j',
    async (record) => {
      const { connect, clock } = await startHub();
      const client = await connect();
      client.say({ type: 6 });
      for (let count = 0; count < 5; count += 1) {
        client.say(record);
        await settled(client);
        clock.advance(29_000);
      }
      await settled(client);
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    },
  );

  test('and has never pinged stays', async () => {
    const { connect, clock } = await startHub();
    const client = await connect();
    client.say({ type: 1, target: 'X', arguments: [] });
    await settled(client);
    clock.advance(600_000);
    await settled(client);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

describe('what a client says', () => {
  const completion = (id: string) => `{"type":3,"invocationId":"${id}","error":"Unknown hub method 'X'"}`;

  test('signalr 13.13, salto-ks 8.17: a call of an unknown method is answered where it has an id', async () => {
    const { connect, deliver } = await startHub();
    const client = await connect();
    client.say({ type: 1, target: 'X', arguments: [] });
    client.say({ type: 1, invocationId: '1', target: 'X', arguments: [{}] });
    client.say({ arguments: [], streamIds: [], target: 'X', invocationId: '2', type: 4 });
    client.say({ type: 1, invocationId: null, target: 'X', arguments: [] });
    await eventually(() => expect(client.records).toEqual(['{}', completion('1'), completion('2')]));
    expect(deliver(payloadOf('1'))).toEqual({ queued: 1, dropped: 0 });
  });

  test.each(['Subscribe', 'Unsubscribe', 'Stream'])('%s is one, unless the hub has it', async (target) => {
    const { connect } = await startHub();
    const client = await connect();
    client.say({ type: 1, invocationId: '1', target, arguments: ['b'] });
    client.say({ type: 4, invocationId: '2', target, arguments: [] });
    const error = `Unknown hub method '${target}'`;
    await eventually(() =>
      expect(client.records.slice(1).map((record) => JSON.parse(record).error)).toEqual([error, error]),
    );
  });

  test('signalr 13.14: what is for servers, of the stateful reconnect, or unknown is ignored', async () => {
    const { connect } = await startHub();
    const client = await connect();
    for (const type of [2, 3, 5, 8, 9, 10, 0, -1, 2 ** 40]) {
      client.say({ type });
      client.say({ type, invocationId: '1', item: {}, result: 1, error: 'e', sequenceId: 4 });
    }
    client.say({ type: 1, invocationId: '1', target: 'X', arguments: [] });
    await eventually(() => expect(client.records).toEqual(['{}', completion('1')]));
  });

  test.each([
    'no JSON',
    '',
    '{}',
    'null',
    '[]',
    '1',
    '{"type":"1"}',
    '{"type":1.5}',
    '{"type":null}',
    '{"type":1}',
    '{"type":1,"target":1,"arguments":[]}',
    '{"type":1,"target":"X","arguments":{}}',
    '{"type":1,"invocationId":1,"target":"X","arguments":[]}',
    '{"type":4,"target":"X","arguments":[]}',
  ])('signalr 13.15: %s ends the connection, and the client is to come back', async (record) => {
    const { connect, observer, endpoint } = await startHub();
    const client = await connect();
    client.send(`${record}${end}`);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.records).toEqual(['{}', closing]);
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'record_malformed' }]);
    expect(endpoint.connectionCount).toBe(0);
  });

  test.each([
    ['whole', [`{"type":6,"x":"${'x'.repeat(32_768)}"}${end}`]],
    ['without an end', ['x'.repeat(32_769)]],
    ['in pieces', ['x'.repeat(20_000), 'x'.repeat(20_000)]],
    ['very large', ['x'.repeat(900_000)]],
  ])('signalr 13.16: so does a record of more than 32 KiB, %s', async (_, messages) => {
    const { connect, observer } = await startHub();
    const client = await connect();
    for (const message of messages) client.send(message);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.records).toEqual(['{}', closing]);
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'record_too_large' }]);
  });

  test('one of exactly 32 KiB is taken, and so are many in one message', async () => {
    const { connect } = await startHub();
    const client = await connect();
    const record = `{"type":6,"x":"${'x'.repeat(32_768 - 17)}"}`;
    expect(record).toHaveLength(32_768);
    client.send(`${record}${end}`.repeat(10));
    client.say({ type: 1, invocationId: '1', target: 'X', arguments: [] });
    await eventually(() => expect(client.records).toEqual(['{}', completion('1')]));
  });

  const calls = (count: number) =>
    Array.from(
      { length: count },
      (_, id) => `{"type":1,"invocationId":"${id}","target":"X","arguments":[]}${end}`,
    ).join('');

  test('more than 1000 records in a second end the connection, and the client is to come back', async () => {
    const { connect, observer, clock } = await startHub();
    const client = await connect();
    client.send(calls(1000));
    await eventually(() => expect(client.records).toHaveLength(1001));
    clock.advance(1000);
    client.send(calls(14_000));
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.records).toHaveLength(1 + 1000 + 1000 + 1);
    expect(client.records.at(-1)).toBe(closing);
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'records_too_fast' }]);
  });

  test('who reads the answers to what it says at once is not cut for them', async () => {
    const { connect, observer } = await startHub({ recordsPerSecondMax: 100_000, sendQueueBytesMax: 200_000 });
    const client = await connect();
    client.send(calls(14_000));
    await eventually(() => expect(client.records).toHaveLength(14_001), 10_000);
    expect(client.records.at(-1)).toBe(completion('13999'));
    expect(observer.of('connection-cut')).toEqual([]);
  });

  test('signalr 13.17: Close ends everything, with a Close and 1000', async () => {
    const { connect, observer, endpoint, deliver } = await startHub();
    const client = await connect();
    client.send(`{"type":7}${end}{"type":1,"invocationId":"1","target":"X","arguments":[]}${end}`);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.records).toEqual(['{}', '{"type":7}']);
    expect(observer.of('connection-closed')).toMatchObject([{ cause: 'client_closed' }]);
    expect(deliver(payloadOf('1'))).toEqual({ queued: 0, dropped: 0 });
    expect(endpoint.connectionCount).toBe(0);
  });
});

describe('the end of a connection', () => {
  test('signalr 13.18, salto-ks 8.16: for a restart is a Close that lets the client come back, behind what it is owed', async () => {
    const { connect, open, deliver, endpoint, clock } = await startHub();
    const [client, greeting] = [await connect(), await open()];
    for (let count = 0; count < 20; count += 1) deliver(payloadOf(String(count)));
    expect(await endpoint.close(AbortSignal.timeout(5000))).toEqual({ flushed: 1, cut: 0 });
    // It has no timer any more.
    expect(clock.pending).toBe(0);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.records).toHaveLength(22);
    expect(client.records.at(-1)).toBe('{"type":7,"allowReconnect":true}');
    expect(await greeting.closed).toEqual({ code: 1000, reason: '' });
    expect(greeting.frames).toEqual([]);
  });

  test('signalr 13.19: a client that does not read is cut at the limit, nobody else is, and memory is bounded', async () => {
    const { connect, deliver, endpoint, observer, budget } = await startHub({ sendQueueBytesMax: 1_000_000 });
    const [slow, quick] = [await connect(), await connect()];
    slow.socket.pause();
    const large = payloadOf(JSON.stringify('x'.repeat(200_000)));
    let delivered = 0;
    await eventually(() => {
      if (observer.of('connection-cut').length === 0) {
        deliver(large);
        delivered += 1;
      }
      expect(budget.bytes).toBeLessThanOrEqual(2 * 1_300_000);
      expect(observer.of('connection-cut')).toHaveLength(1);
    });
    expect(endpoint.connectionCount).toBe(1);
    await eventually(() => expect(quick.records).toHaveLength(1 + delivered));
    await eventually(() => expect(budget.bytes).toBe(0));
    slow.socket.resume();
    // No Close stands before it: stock clients come back from this, and only from a Close without allowReconnect not.
    expect(await slow.closed).toEqual({ code: 1006, reason: '' });
    expect(slow.records.at(-1)).not.toContain('"type":7');
  });

  test('a client that does not read when the gateway closes is cut at the deadline', async () => {
    const { connect, deliver, endpoint, observer } = await startHub({ sendQueueBytesMax: 50_000_000 });
    const client = await connect();
    client.socket.pause();
    for (let count = 0; count < 20; count += 1) deliver(payloadOf(JSON.stringify('x'.repeat(1_000_000))));
    expect(await endpoint.close(AbortSignal.timeout(300))).toEqual({ flushed: 0, cut: 1 });
    expect(observer.of('connection-cut')).toHaveLength(1);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 1006 });
  });

  test('a client that never takes its Close is cut after a while', async () => {
    const { connect, deliver, endpoint, clock } = await startHub({ sendQueueBytesMax: 50_000_000 });
    const client = await connect();
    client.socket.pause();
    for (let count = 0; count < 20; count += 1) deliver(payloadOf(JSON.stringify('x'.repeat(1_000_000))));
    client.say({ type: 7 });
    await eventually(() => expect(endpoint.connectionCount).toBe(0));
    await turn();
    clock.advance(6000);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 1006 });
  });
});

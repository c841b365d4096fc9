import { describe, expect, test } from 'vitest';
import type { BindAdmission, BindAnswer } from '../../src/application/ports/admission.ts';
import { eventOf } from '../support/domain-fixtures.ts';
import { eventually } from '../support/eventually.ts';
import { settled } from '../support/relay-client.ts';
import { startRelay } from '../support/relay-fixture.ts';

const event = (stream: string, key: string, fields = {}) => eventOf({}, { stream, key, ...fields });

describe('brainlife 4: what a client sends', () => {
  test('a bind that is granted is not answered, and then each matching event is one frame', async () => {
    const { open, deliver, bindings } = await startRelay();
    const client = await open();
    client.bind('wf.task', 'i1.#');
    await eventually(() => expect(bindings.size).toBe(1));
    expect(deliver(event('wf.task', 'i1.t1'))).toEqual({ queued: 1, dropped: 0 });
    expect(deliver(event('wf.task', 'i2.t1'))).toEqual({ queued: 0, dropped: 0 });
    expect(deliver(event('wf.instance', 'i1.t1'))).toEqual({ queued: 0, dropped: 0 });
    deliver(event('wf.task', 'i1'));
    await settled(client);
    expect(client.messages).toEqual(client.frames);
    expect(client.frames.map(({ dinfo }) => dinfo['routingKey'])).toEqual(['i1.t1', 'i1']);
  });

  test.each([
    '{}',
    '[]',
    '[{"bind":{"ex":"a","key":"b"}}]',
    '7',
    '"bind"',
    'true',
    'null',
    '{"bind":true}',
    '{"bind":null}',
    '{"bind":[]}',
    '{"bind":{"ex":"a"}}',
    '{"bind":{"ex":"a","key":7}}',
    '{"bind":{"key":"b"}}',
    '{"bind":{"ex":7,"key":"b"}}',
    '{"bind":{"ex":"a","key":null}}',
    '{"unbind":{"ex":"a","key":"b"}}',
    '{"__proto__":{"bind":{"ex":"a","key":"b"}}}',
  ])('%s is heard without a word, and the connection goes on', async (text) => {
    const { open, bindings, deliver } = await startRelay({ extended: false });
    const client = await open();
    client.send(text);
    client.bind('wf.task', '#');
    await eventually(() => expect(bindings.size).toBe(1));
    deliver(event('wf.task', 'i1.t1'));
    await settled(client);
    expect(client.messages).toHaveLength(1);
    expect(client.frames).toHaveLength(1);
  });

  test.each(['', 'bind', '{"bind":', '{"bind":{"ex":"a","key":"b"}} '.repeat(2), '\u0000'])(
    'what is no JSON ends the connection: %j',
    async (text) => {
      const cutting = await startRelay({ refusals: 'cut' });
      const [client, other] = [await cutting.open(), await cutting.open()];
      client.send(text);
      expect(await client.closed).toEqual({ code: 1006, reason: '' });
      expect(cutting.endpoint.connectionCount).toBe(1);
      await settled(other);

      const closing = await startRelay();
      const told = await closing.open();
      told.send(text);
      expect(await told.closed).toEqual({ code: 1008, reason: 'message_malformed' });
    },
  );

  test('a message that came as bytes is a message', async () => {
    const { open, bindings } = await startRelay();
    const client = await open();
    client.socket.send(Buffer.from('{"bind":{"ex":"a","key":"b"}}'));
    await eventually(() => expect(bindings.size).toBe(1));
  });

  test('a larger one than the limit ends its own connection, and no other', async () => {
    const { open, endpoint } = await startRelay();
    const [client, other] = [await open(), await open()];
    client.bind('a', 'x'.repeat(1_000_000));
    expect(await client.closed).toMatchObject({ code: 1009 });
    await settled(other);
    await eventually(() => expect(endpoint.connectionCount).toBe(1));
  });
});

describe('brainlife 10.11: several binds of one client', () => {
  const overlapping = async (settings: Record<string, unknown>) => {
    const { open, deliver, bindings } = await startRelay(settings);
    const client = await open('/subscribe?rooms=r');
    for (const key of ['#', 'a.*', 'a.b', 'a.b', 'c']) await client.bound('s', key);
    expect(bindings.size).toBe(4);
    const count = deliver(event('s', 'a.b'), ['r']);
    await settled(client);
    return { count, frames: client.frames.length };
  };

  test('each of them that matches is a frame, and so are its rooms', async () => {
    expect(await overlapping({})).toEqual({ count: { queued: 5, dropped: 0 }, frames: 5 });
  });

  test('or all of them together, where the config says so', async () => {
    expect(await overlapping({ overlappingBinds: 'once' })).toEqual({ count: { queued: 1, dropped: 0 }, frames: 1 });
  });
});

describe('beyond the original: ids, unbind and limits', () => {
  test('a bind with an id is answered, and so is what takes it back', async () => {
    const { open, deliver, bindings } = await startRelay();
    const client = await open();
    client.send({ bind: { ex: 's', key: 'a', id: 7 } });
    client.send({ bind: { ex: 's', key: 'a', id: 'again' } });
    await eventually(() => expect(client.messages).toHaveLength(2));
    client.send({ unbind: { ex: 's', key: 'a', id: 8 } });
    await eventually(() => expect(client.messages).toHaveLength(3));
    deliver(event('s', 'a'));
    await settled(client);
    expect(client.frames).toHaveLength(1);
    client.send({ unbind: { ex: 's', key: 'a' } });
    client.send({ unbind: { ex: 's', key: 'a', id: 9 } });
    await eventually(() => expect(client.messages).toHaveLength(5));
    expect(bindings.size).toBe(0);
    expect(deliver(event('s', 'a'))).toEqual({ queued: 0, dropped: 0 });
    expect(client.messages.filter((message) => !client.frames.some((frame) => frame === message))).toEqual([
      { bound: { ex: 's', key: 'a', id: 7 } },
      { bound: { ex: 's', key: 'a', id: 'again' } },
      { unbound: { ex: 's', key: 'a', id: 8 } },
      { error: { code: 'not_bound', id: 9 } },
    ]);
  });

  test('a malformed one with an id is answered', async () => {
    const { open } = await startRelay();
    const client = await open();
    client.send({ bind: { ex: 's', id: 'a' } });
    client.send({ bind: { ex: 's', key: 7, id: 'b' } });
    client.send({ bind: { ex: 's', key: 7, id: 'x'.repeat(129) } });
    client.send({ bind: { ex: 's', key: 7, id: {} } });
    // What JavaScript does not hold exactly would come back as another one.
    client.send('{"bind":{"ex":"s","key":7,"id":1e999}}');
    client.send('{"bind":{"ex":"s","key":7,"id":12345678901234567890}}');
    client.send('{"bind":{"ex":"s","key":7,"id":-1.5}}');
    await settled(client);
    expect(client.messages).toEqual([
      { error: { code: 'bind_invalid', id: 'a' } },
      { error: { code: 'bind_invalid', id: 'b' } },
      { error: { code: 'bind_invalid', id: -1.5 } },
    ]);
  });

  test('one that is taken back before it is granted is answered, too', async () => {
    const bind: BindAdmission['bind'] = (_, __, signal) => {
      const { promise, resolve } = Promise.withResolvers<BindAnswer>();
      signal.addEventListener('abort', () => resolve({ kind: 'try-later', retryAfterMs: 1 }));
      return promise;
    };
    const { open } = await startRelay({}, { bind });
    const client = await open();
    client.send({ bind: { ex: 's', key: 'a', id: 'first' } });
    client.send({ bind: { ex: 's', key: 'a', id: 'second' } });
    client.send({ unbind: { ex: 's', key: 'a', id: 'gone' } });
    await settled(client);
    expect(client.messages).toEqual([
      { error: { code: 'not_bound', id: 'first' } },
      { unbound: { ex: 's', key: 'a', id: 'gone' } },
    ]);
  });

  test('an id is nothing where the config leaves the protocol as it was', async () => {
    const { open, bindings } = await startRelay({ extended: false });
    const client = await open();
    client.send({ bind: { ex: 's', key: 'a', id: 7 } });
    client.send({ unbind: { ex: 's', key: 'a', id: 7 } });
    await eventually(() => expect(bindings.size).toBe(1));
    await settled(client);
    expect(client.messages).toEqual([]);
  });

  test('binds have a number that they cannot exceed', async () => {
    const { open, bindings } = await startRelay({ bindsPerConnectionMax: 2 });
    const client = await open();
    await client.bound('s', 'a');
    await client.bound('s', 'b');
    client.bind('s', 'c');
    client.send({ bind: { ex: 's', key: 'd', id: 1 } });
    await settled(client);
    expect(client.errors).toEqual([{ error: 'Too many binds s' }, { error: { code: 'binds_too_many', id: 1 } }]);
    client.send({ unbind: { ex: 's', key: 'a' } });
    await client.bound('s', 'e');
    expect(bindings.size).toBe(2);
  });

  test('and a pace', async () => {
    const { open, clock, bindings } = await startRelay({ bindsPerSecondMax: 3 });
    const client = await open();
    for (const key of ['a', 'b', 'c', 'd']) client.send({ bind: { ex: 's', key, id: key } });
    client.bind('s', 'e');
    await eventually(() => expect(client.messages).toHaveLength(5));
    expect(client.errors).toEqual([{ error: { code: 'binds_too_fast', id: 'd' } }, { error: 'Too many binds s' }]);
    clock.advance(334);
    await client.bound('s', 'd');
    expect(bindings.size).toBe(4);
  });
});

test('what is answered to a bind that cannot be decided', async () => {
  const { open } = await startRelay({}, { bind: async () => ({ kind: 'try-later', retryAfterMs: 5 }) });
  const client = await open();
  client.bind('s', 'a');
  client.send({ bind: { ex: 's', key: 'a', id: 1 } });
  await eventually(() =>
    expect(client.messages).toEqual([
      { error: 'Try again later s' },
      { error: { code: 'try_later', id: 1, retryAfterMs: 5 } },
    ]),
  );
});

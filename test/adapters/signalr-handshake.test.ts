import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { end } from '../support/hub-client.ts';
import { settled } from '../support/relay-client.ts';
import { payloadOf, startHub } from '../support/signalr-fixture.ts';

const java = (text: string) => Buffer.from(text);
const success = `{}${end}`;

describe('signalr 13.4, salto-ks 8.9: a handshake', () => {
  test.each([
    ['as .NET and JavaScript send it', [`{"protocol":"json","version":1}${end}`]],
    ['as Java sends it, in bytes', [java(`{"protocol":"json","version":1}${end}`)]],
    ['in other words', [` {"x":{"y":[1]},"version":2,\n"protocol":"JSON"} ${end}`]],
    ['in pieces', ['{"proto', java('col":"json","ver'), 'sion":1}', java(end)]],
    ['byte by byte', `{"protocol":"json","version":1}${end}`.split('')],
  ])('%s is answered with exactly {}', async (_, messages) => {
    const { open, deliver } = await startHub();
    const client = await open();
    for (const message of messages) client.send(message);
    await eventually(() => expect(client.frames).toEqual([success]));
    deliver(payloadOf('1'));
    await eventually(() => expect(client.frames).toHaveLength(2));
  });

  test('may have records behind it', async () => {
    const { open } = await startHub();
    const client = await open();
    client.send(
      `{"protocol":"json","version":1}${end}{"type":6}${end}{"type":1,"invocationId":"7","target":"X","arguments":[]}${end}`,
    );
    await eventually(() =>
      expect(client.records).toEqual(['{}', `{"type":3,"invocationId":"7","error":"Unknown hub method 'X'"}`]),
    );
  });
});

describe('signalr 13.5: a handshake', () => {
  test.each([0, 1, 2, -1])('of version %d is taken', async (version) => {
    const { open } = await startHub();
    const client = await open();
    client.say({ protocol: 'json', version });
    await eventually(() => expect(client.frames).toEqual([success]));
  });

  test.each([
    ['{"protocol":"json","version":3}', "The server does not support version 3 of the 'json' protocol."],
    [
      '{"protocol":"messagepack","version":99}',
      "The server does not support version 99 of the 'messagepack' protocol.",
    ],
    ['{"protocol":"x","version":1}', "The protocol 'x' is not supported."],
    ['{"protocol":"toString","version":1}', "The protocol 'toString' is not supported."],
    ...[
      '',
      '{',
      'null',
      '[]',
      '{"protocol":"json"}',
      '{"version":1}',
      '{"protocol":1,"version":1}',
      '{"protocol":"json","version":"1"}',
      '{"protocol":"json","version":1.5}',
      '{"protocol":"json","version":1e400}',
    ].map((record) => [record, 'An unexpected error occurred during connection handshake.']),
  ])('%s is refused', async (record, error) => {
    const { open, endpoint, observer } = await startHub();
    const client = await open();
    client.send(`${record}${end}{"type":6}${end}`);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.frames).toEqual([`${JSON.stringify({ error })}${end}`]);
    expect([endpoint.connectionCount, observer.of('connection-admitted')]).toEqual([0, []]);
  });

  test('for a protocol that the hub does not offer is refused', async () => {
    const { open } = await startHub({ protocols: ['json'] });
    const client = await open();
    client.say({ protocol: 'messagepack', version: 1 });
    await client.closed;
    expect(client.records).toEqual([`{"error":"The protocol 'messagepack' is not supported."}`]);
  });
});

test('signalr 13.6: nothing is sent before the handshake is answered, and what comes until then is not for this client', async () => {
  const { open, deliver, clock } = await startHub();
  const client = await open();
  expect(deliver(payloadOf('1'))).toEqual({ queued: 0, dropped: 0 });
  clock.advance(14_000);
  await settled(client);
  expect(client.frames).toEqual([]);
  await client.greet();
  expect(deliver(payloadOf('2'))).toEqual({ queued: 1, dropped: 0 });
  await eventually(() =>
    expect(client.records).toEqual(['{}', '{"type":1,"target":"ReceiveMessage","arguments":["2"]}']),
  );
});

describe('signalr 13.7: a handshake', () => {
  const canceled = `{"error":"Handshake was canceled."}${end}`;

  test('that does not come within 15 s is cancelled', async () => {
    const { open, clock } = await startHub();
    const client = await open();
    client.send('{"protocol":"json"');
    await settled(client);
    clock.advance(15_000);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.frames).toEqual([canceled]);
  });

  test.each([
    ['without an end', 'x'.repeat(32_769)],
    ['in pieces', 'x'.repeat(20_000), 'x'.repeat(20_000)],
    ['with one', `${'x'.repeat(32_769)}${end}`],
  ])('of more than 32 KiB, %s, is cancelled', async (_, ...messages) => {
    const { open } = await startHub();
    const client = await open();
    for (const message of messages) client.send(message);
    expect(await client.closed).toEqual({ code: 1000, reason: '' });
    expect(client.frames).toEqual([canceled]);
  });
});

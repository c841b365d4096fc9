import { createConnection, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Event } from '../../src/domain/event.ts';
import { eventually } from '../support/eventually.ts';
import { type PublishingServer, post, publishingServer } from '../support/http-publishing.ts';
import { openRawConnection } from '../support/raw-connection.ts';

const json = { 'content-type': 'application/json' };
const item = '{"stream":"s","data":1}';

async function started(settings: Parameters<typeof publishingServer>[0] = {}) {
  const server = await publishingServer(settings);
  const events: Event[] = [];
  await server.source.start(async ({ event }) => {
    events.push(event);
    return { kind: 'accept' };
  });
  return Object.assign(server, { events });
}

/** Nothing but the answer to the bad request differs: the next good one is taken. */
async function expectUndisturbed(server: PublishingServer & { readonly events: readonly Event[] }): Promise<void> {
  const before = server.events.length;
  expect((await post(server.url, item)).status).toBe(202);
  expect(server.events).toHaveLength(before + 1);
  expect(server.observer.of('source-fault')).toHaveLength(0);
}

describe('too much', () => {
  test('issue 2: a body of 10 MB', async () => {
    await using server = await started();
    const body = `{"stream":"s","data":"${'x'.repeat(10_000_000)}"}`;
    const answer = await fetch(server.url, { method: 'POST', body, headers: json });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: 'body_too_large', detail: expect.stringContaining('2097152') });
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    await expectUndisturbed(server);
  });

  test('a body of 10 MB whose length is not announced', async () => {
    await using server = await started();
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000).fill(0x20));
      },
    });
    const answer = await fetch(server.url, { method: 'POST', body, headers: json, duplex: 'half' });
    expect(answer.status).toBe(413);
    await expectUndisturbed(server);
  });

  test('the answer does not cut a publisher that is still sending', async () => {
    await using server = await started({ bodyBytesMax: 1024 });
    await using connection = await openRawConnection(server.port);
    const head = 'POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    connection.send(`${head}Content-Length: 5000000\r\n\r\n{`);
    const answer = await connection.receives(/body_too_large/);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).not.toMatch(/^connection: close/im);
    connection.send(Buffer.alloc(4_999_999, 0x20));
    connection.send(`${head}Content-Length: ${item.length}\r\n\r\n${item}`);
    await connection.receives(/HTTP\/1.1 202 /);
  });

  test('a payload that is too large in a body that is not', async () => {
    await using server = await started({ eventBytesMax: 1000 });
    const large = Buffer.alloc(1001).toString('base64');
    const items = [JSON.parse(item), { stream: 's', dataBase64: large }];
    expect(await post(server.url, JSON.stringify(items))).toMatchObject({
      status: 413,
      body: { code: 'event_too_large', errors: [{ index: 1 }] },
    });
    expect(server.events).toHaveLength(0);
    const limit = Buffer.alloc(1000).toString('base64');
    expect((await post(server.url, JSON.stringify({ stream: 's', dataBase64: limit }))).status).toBe(202);
  });

  test('more events than there may be', async () => {
    await using server = await started({ eventsPerRequestMax: 2 });
    expect(await post(server.url, `[${item},${item},${item}]`)).toMatchObject({
      status: 413,
      body: { code: 'events_too_many' },
    });
    expect((await post(server.url, `[${item},${item}]`)).status).toBe(202);
  });

  test('depth without end', async () => {
    await using server = await started();
    const body = `{"stream":"s","data":${'['.repeat(1_000_000)}`;
    expect(await post(server.url, body)).toMatchObject({
      status: 400,
      body: { code: 'body_invalid', detail: 'The body is nested deeper than 64 levels.' },
    });
    await expectUndisturbed(server);
  });
});

describe('no JSON', () => {
  const bodies: readonly (readonly [what: string, body: string | Uint8Array, detail: string])[] = [
    ['nothing', '', 'The body is not valid JSON.'],
    ['invalid UTF-8', Buffer.from('{"stream":"s","data":"\xff"}', 'latin1'), 'The body is not valid UTF-8.'],
    ['a byte order mark', `\ufeff${item}`, 'The body begins with a byte order mark.'],
    [
      'a name twice',
      '{"stream":"a","stream":"b","data":1}',
      'The body has a name twice in one object, at position 14.',
    ],
    ['UTF-16', Buffer.from(item, 'utf16le'), 'The body is not valid JSON'],
    ['a form', 'stream=s&data=1', 'The body is not valid JSON'],
  ];

  test.each(bodies)('%s', async (_what, body, detail) => {
    await using server = await started();
    expect(await post(server.url, body, json)).toMatchObject({
      status: 400,
      body: { code: 'body_invalid', detail: expect.stringContaining(detail) },
    });
    await expectUndisturbed(server);
  });

  test('a value that is no event', async () => {
    await using server = await started();
    for (const body of ['null', '1', '"x"', '[1]', '[[]]', '{}']) {
      expect(await post(server.url, body)).toMatchObject({ status: 400, body: { code: 'event_invalid' } });
    }
    await expectUndisturbed(server);
  });
});

test('issue 2: `__proto__` is an attribute like any other, and pollutes nothing', async () => {
  await using server = await started();
  const body = '{"stream":"s","data":{"__proto__":{"polluted":1}},"attributes":{"__proto__":"p","constructor":"c"}}';
  expect((await post(server.url, body)).status).toBe(202);
  expect([...(server.events[0]?.attributes ?? [])]).toEqual([
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

describe('the wrong type', () => {
  const refusedTypes = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-16',
    'application/cloudevents+xml',
    'application/jsonp',
    'json',
    ';',
    'application/json, text/plain',
  ];

  test.each(refusedTypes)('%s', async (type) => {
    await using server = await started();
    expect(await post(server.url, item, { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'content_type_unsupported' },
    });
    await expectUndisturbed(server);
  });

  test('none', async () => {
    await using server = await started();
    expect((await post(server.url, item, {})).status).toBe(415);
  });

  test.each(['application/json', 'Application/JSON;charset=UTF-8', 'application/json ; Charset="utf-8"'])(
    '%s is the right one',
    async (type) => {
      await using server = await started();
      expect((await post(server.url, item, { 'content-type': type })).status).toBe(202);
    },
  );

  test('a compressed body', async () => {
    await using server = await started();
    const answer = await post(server.url, gzipSync(item), { ...json, 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'content_encoding_unsupported' } });
    expect(answer.headers['accept-encoding']).toBe('identity');
  });

  test('a page of another origin is not let in', async () => {
    await using server = await started();
    const headers = { origin: 'https://example.com', 'access-control-request-method': 'POST' };
    const answer = await fetch(server.url, { method: 'OPTIONS', headers });
    expect(answer.ok).toBe(false);
    const posted = await post(server.url, item, { ...json, origin: 'https://example.com' });
    expect(posted.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('a connection that misbehaves', () => {
  function connect({ port }: PublishingServer): Socket {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  }
  const head = (length: number) =>
    `POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

  test('goes away in the middle of a body', async () => {
    await using server = await started({ requestsInFlightMax: 1 });
    const socket = connect(server);
    socket.write(`${head(1000)}{"stream":"s"`);
    await eventually(async () => expect((await post(server.url, item)).status).toBe(503));
    socket.destroy();
    // Its place is free again.
    await eventually(async () => expect((await post(server.url, item)).status).toBe(202));
    expect(server.observer.of('source-fault')).toHaveLength(0);
  });

  test('sends one byte at a time: nobody else waits for it', async () => {
    await using server = await started();
    const socket = connect(server);
    socket.write(head(item.length));
    for (const character of item.slice(0, -1)) {
      socket.write(character);
      await nextTurn();
    }
    await expectUndisturbed(server);
    const answered = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))));
    socket.write(item.slice(-1));
    expect(await answered).toMatch(/^HTTP\/1.1 202 /);
  });

  test('a body that is shorter than announced is not taken', async () => {
    await using server = await started();
    const socket = connect(server);
    socket.end(`${head(item.length + 1)}${item}`);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(server.events).toHaveLength(0);
    await expectUndisturbed(server);
  });

  test('does not drain: a body that never ends holds up no drain', async () => {
    await using server = await started();
    connect(server).write(head(1000));
    expect(await server.source.drain(new AbortController().signal)).toEqual({ settled: 0, abandoned: 0 });
  });

  test('goes away while its event is handled: the event is routed all the same', async () => {
    await using server = await publishingServer();
    const held = Promise.withResolvers<void>();
    let settled = 0;
    let handled = 0;
    await server.source.start(async () => {
      handled += 1;
      await held.promise;
      settled += 1;
      return { kind: 'accept' };
    });
    const socket = connect(server);
    socket.write(`${head(item.length)}${item}`);
    await eventually(() => expect(handled).toBe(1));
    socket.destroy();
    held.resolve();
    await eventually(() => expect(settled).toBe(1));
    expect((await post(server.url, item)).status).toBe(202);
  });
});

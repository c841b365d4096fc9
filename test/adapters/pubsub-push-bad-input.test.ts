import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import type { PublishAdmission } from '../../src/application/ports/admission.ts';
import type { Event } from '../../src/domain/event.ts';
import { eventually } from '../support/eventually.ts';
import { post } from '../support/http-publishing.ts';
import { type PushServer, push, pushBody, pushServer } from '../support/pubsub-push.ts';
import { openRawConnection } from '../support/raw-connection.ts';

const json = { 'content-type': 'application/json' };

async function started(settings: Readonly<Record<string, unknown>> = {}) {
  const server = await pushServer(settings);
  const events: Event[] = [];
  await server.source.start(async ({ event }) => {
    events.push(event);
    return { kind: 'accept' };
  });
  return Object.assign(server, { events });
}

type Started = PushServer & { readonly events: readonly Event[] };

const faultsOf = ({ observer }: PushServer): readonly string[] =>
  observer.of('source-fault').map(({ error }) => (error instanceof Fault ? `${error.code} ${error.message}` : 'other'));

/** Nothing was handed over, the operator was told why, and the next good message is taken. */
async function expectTold(server: Started, reason: string): Promise<void> {
  expect(server.events).toHaveLength(0);
  expect(faultsOf(server)).toEqual([expect.stringMatching(/^pubsub_push_unreadable source "push" /)]);
  expect(faultsOf(server)[0]).toContain(` ${reason}`);
  expect((await push(server)).status).toBe(204);
  expect(server.events).toHaveLength(1);
}

describe('no message', () => {
  const cases: readonly (readonly [what: string, body: string, code: string])[] = [
    ['no JSON', 'hello', 'body_invalid'],
    ['nothing', '', 'body_invalid'],
    ['no message in it', '{}', 'message_invalid'],
    ['no base64', pushBody({ data: '~' }), 'message_invalid'],
    [
      'a subscription of somebody else',
      pushBody({}, { subscription: 'projects/a/subscriptions/b' }),
      'subscription_unknown',
    ],
  ];

  test.each(cases)('%s', async (_what, body, code) => {
    await using server = await started();
    const answer = await post(server.url, body, json);
    expect(answer).toMatchObject({ status: 400, body: { title: 'Bad Request', status: 400, code } });
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    await expectTold(server, `400 ${code}: `);
  });

  test('a push without wrapping, by its headers alone', async () => {
    await using server = await started();
    await using connection = await openRawConnection(server.port);
    connection.send(
      'POST /v1/push/push HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n' +
        'X-Goog-PubSub-Message-Id: 1\r\nX-Goog-PubSub-Subscription-Name: projects/p/subscriptions/s\r\n\r\n',
    );
    expect(await connection.receives(/message_unwrapped/)).toMatch(/^HTTP\/1.1 415 /);
    await expectTold(server, '415 message_unwrapped: A push without wrapping is not taken');
  });

  test.each(['text/plain', 'application/octet-stream', 'application/jsonp', ';', ''])('the type "%s"', async (type) => {
    await using server = await started();
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    expect(await post(server.url, pushBody(), headers)).toMatchObject({
      status: 415,
      body: { code: 'content_type_unsupported' },
    });
    await expectTold(server, '415 content_type_unsupported');
  });

  test.each(['application/json', 'Application/JSON', 'application/json; charset=utf-8'])(
    'the type "%s" is the right one',
    async (type) => {
      await using server = await started();
      expect((await post(server.url, pushBody(), { 'content-type': type })).status).toBe(204);
    },
  );

  test('a compressed body', async () => {
    await using server = await started();
    const answer = await post(server.url, gzipSync(pushBody()), { ...json, 'content-encoding': 'gzip' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'content_encoding_unsupported' } });
    await expectTold(server, '415 content_encoding_unsupported');
  });

  test('of somebody who may not push nothing is told to the log', async () => {
    const admission: PublishAdmission = {
      mayPublish: async () => ({ kind: 'denied', denial: { code: 'token_missing', reason: 'there is none' } }),
    };
    await using server = await pushServer({}, { admission });
    await server.source.start(async () => ({ kind: 'accept' }));
    const unwrapped = { ...json, 'x-goog-pubsub-message-id': '1' };
    const answers = [post(server.url, '', {}), post(server.url, 'x', json), post(server.url, 'x', unwrapped)];
    for (const { status } of await Promise.all(answers)) expect(status).toBe(401);
    expect(faultsOf(server)).toEqual([]);
  });
});

describe('size', () => {
  test('hiiretail.md 7: a message as large as Pub/Sub takes, 10 MB', async () => {
    await using server = await started();
    const data = Buffer.alloc(10_000_000, 0x61);
    expect((await push(server, { data: data.toString('base64') })).status).toBe(204);
    expect(server.events[0]?.payload.byteLength).toBe(10_000_000);
    expect(Buffer.compare(server.events[0]?.payload ?? new Uint8Array(), data)).toBe(0);
  });

  test('a body that is too large, announced or not', async () => {
    await using server = await started({ bodyBytesMax: 2000 });
    const large = pushBody({ data: Buffer.alloc(2000).toString('base64') });
    expect(await post(server.url, large, json)).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    const chunks = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(10_000).fill(0x20));
      },
    });
    const answer = await fetch(server.url, { method: 'POST', body: chunks, headers: json, duplex: 'half' });
    expect(answer.status).toBe(413);
    expect(faultsOf(server)).toHaveLength(2);
    expect(faultsOf(server)[1]).toContain('413 body_too_large: A body may have at most 2000 bytes.');
    expect((await push(server)).status).toBe(204);
  });
});

describe('a connection that misbehaves', () => {
  const head = (length: number) =>
    `POST /v1/push/push HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

  test('sends one byte at a time: nobody else waits for it', async () => {
    await using server = await started();
    await using connection = await openRawConnection(server.port);
    const body = pushBody({ messageId: 'slow' });
    connection.send(head(body.length));
    for (const character of body.slice(0, -1)) {
      connection.send(character);
      await nextTurn();
    }
    expect((await push(server)).status).toBe(204);
    connection.send(body.slice(-1));
    await connection.receives(/^HTTP\/1.1 204 /);
    expect(server.events.map(({ id }) => id)).toEqual(['1', 'slow']);
  });

  test('goes away in the middle of a body, and gives its place back', async () => {
    await using server = await started({ inFlightMax: 1 });
    const half = `${head(1000)}{"subscription"`;
    const connections = [await openRawConnection(server.port), await openRawConnection(server.port)];
    for (const connection of connections) connection.send(half);
    await eventually(async () =>
      expect(await push(server)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } }),
    );
    for (const { socket } of connections) socket.destroy();
    await eventually(async () => expect((await push(server)).status).toBe(204));
    expect(faultsOf(server)).toEqual([]);
  });

  test('a body that never ends holds up no drain', async () => {
    await using server = await started();
    await using connection = await openRawConnection(server.port);
    connection.send(`${head(1000)}{`);
    expect(await server.source.drain(new AbortController().signal)).toEqual({ settled: 0, abandoned: 0 });
  });
});

import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Presented, PublishAdmission } from '../../src/application/ports/admission.ts';
import type { MessageHandler, Settlement } from '../../src/application/ports/event-source.ts';
import type { DenialCode } from '../../src/domain/denial.ts';
import type { Event } from '../../src/domain/event.ts';
import { eventually } from '../support/eventually.ts';
import { post, publishingServer } from '../support/http-publishing.ts';
import { openRawConnection } from '../support/raw-connection.ts';

const acceptAll: MessageHandler = async () => ({ kind: 'accept' });
const item = '{"stream":"s","data":1}';
const json = { 'content-type': 'application/json' };

const denying = (code: DenialCode): PublishAdmission => ({
  mayPublish: async () => ({ kind: 'denied', denial: { code, reason: 'the secret reason' } }),
});

describe('who may publish', () => {
  const cases: readonly (readonly [DenialCode, number, string | undefined])[] = [
    ['token_missing', 401, 'Bearer'],
    ['token_malformed', 401, 'Bearer error="invalid_token"'],
    ['token_expired', 401, 'Bearer error="invalid_token"'],
    ['token_audience_wrong', 401, 'Bearer error="invalid_token"'],
    ['credentials_conflict', 401, 'Bearer error="invalid_token"'],
    ['access_denied', 403, undefined],
  ];

  test.each(cases)('%s is %d', async (code, status, challenge) => {
    await using server = await publishingServer({}, { admission: denying(code) });
    let handled = 0;
    await server.source.start(async () => {
      handled += 1;
      return { kind: 'accept' };
    });
    const answer = await post(server.url, item, { ...json, authorization: 'Bearer secret-token' });
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(handled).toBe(0);
  });

  test('try later says when', async () => {
    const admission: PublishAdmission = { mayPublish: async () => ({ kind: 'try-later', retryAfterMs: 2300 }) };
    await using server = await publishingServer({}, { admission });
    await server.source.start(acceptAll);
    expect(await post(server.url, item)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '3' },
      body: { code: 'try_later' },
    });
  });

  test('is asked without events before the body, then once with all of them, and with what was presented', async () => {
    const asked: { readonly presented: Presented; readonly events: readonly Event[] }[] = [];
    const admission: PublishAdmission = {
      async mayPublish(presented, events) {
        asked.push({ presented, events });
        return { kind: 'allowed' };
      },
    };
    await using server = await publishingServer({}, { admission });
    await server.source.start(acceptAll);
    const headers = { ...json, Authorization: 'Bearer abc', 'X-Api-Key': 'k' };
    await post(`${server.url}?token=a&token=b%20c&other=`, `[${item},${item}]`, headers);
    expect(asked.map(({ events }) => events.length)).toEqual([0, 2]);
    const [{ presented } = {}] = asked;
    expect(presented?.read('header.authorization')).toEqual(['Bearer abc']);
    expect(presented?.read('header.x-api-key')).toEqual(['k']);
    expect(presented?.read('query.token')).toEqual(['a', 'b c']);
    expect(presented?.read('query.other')).toEqual(['']);
    for (const place of ['header.missing', 'query.missing', 'auth.token', 'header.__proto__', 'header.constructor']) {
      expect(presented?.read(place)).toEqual([]);
    }
  });

  test('a header that comes twice is shown twice', async () => {
    const asked: (readonly string[])[] = [];
    const admission: PublishAdmission = {
      async mayPublish(presented) {
        asked.push(presented.read('header.authorization'));
        return { kind: 'allowed' };
      },
    };
    await using server = await publishingServer({}, { admission });
    await server.source.start(acceptAll);
    const socket = createConnection(server.port, '127.0.0.1');
    socket.write(
      'POST /v1/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer a\r\n' +
        `Authorization: Bearer b\r\nContent-Type: application/json\r\nContent-Length: ${item.length}\r\n\r\n${item}`,
    );
    const text = await socket.setEncoding('utf8').toArray();
    expect(text.join('')).toMatch(/^HTTP\/1.1 202 /);
    expect(asked).toEqual([
      ['Bearer a', 'Bearer b'],
      ['Bearer a', 'Bearer b'],
    ]);
  });

  test.each([
    ['with the credentials alone', 0],
    ['with the events', 1],
  ])('the question %s is called off when the publisher goes away, and not before', async (_, eventsAsked) => {
    const asked = Promise.withResolvers<AbortSignal>();
    const admission: PublishAdmission = {
      async mayPublish(_presented, events, signal) {
        if (events.length < eventsAsked) return { kind: 'allowed' };
        asked.resolve(signal);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { kind: 'try-later', retryAfterMs: 1 };
      },
    };
    await using server = await publishingServer({}, { admission });
    await server.source.start(acceptAll);
    const socket = createConnection(server.port, '127.0.0.1');
    socket.write(
      `POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${item.length}\r\n\r\n${item}`,
    );
    const signal = await asked.promise;
    // A turn later the body has been read to its end, which is not the end of the publisher.
    await new Promise((resolve) => setImmediate(resolve));
    expect(signal.aborted).toBe(false);
    socket.destroy();
    await eventually(() => expect(signal.aborted).toBe(true));
  });
});

describe('before a body is read', () => {
  const head = 'POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
  const halfSent = `${head}Content-Length: 100\r\n\r\n{`;

  /** Lets in whoever has a token, and counts how often somebody was asked about. */
  function tokenHolders() {
    const asked: number[] = [];
    const admission: PublishAdmission = {
      async mayPublish(presented, events) {
        asked.push(events.length);
        return presented.read('header.authorization').length > 0
          ? { kind: 'allowed' }
          : { kind: 'denied', denial: { code: 'token_missing', reason: 'there is none' } };
      },
    };
    return { asked, admission };
  }

  test('who has no token is answered, asked about once, and takes no turn', async () => {
    const { asked, admission } = tokenHolders();
    await using server = await publishingServer({ requestsInFlightMax: 1 }, { admission });
    await server.source.start(acceptAll);
    await using stack = new AsyncDisposableStack();
    for (let count = 0; count < 3; count += 1) {
      const connection = stack.use(await openRawConnection(server.port));
      connection.send(halfSent);
      expect(await connection.receives(/token_missing/)).toMatch(/^HTTP\/1.1 401 /);
    }
    expect(asked).toEqual([0, 0, 0]);
    const answer = await post(server.url, item, { ...json, authorization: 'Bearer a' });
    expect(answer.status).toBe(202);
  });

  test('who has one takes a turn, until the connection is gone', async () => {
    const { asked, admission } = tokenHolders();
    await using server = await publishingServer({ requestsInFlightMax: 1 }, { admission });
    await server.source.start(acceptAll);
    const authorized = { ...json, authorization: 'Bearer a' };
    const slow = await openRawConnection(server.port);
    slow.send(halfSent.replace('\r\n\r\n', '\r\nAuthorization: Bearer a\r\n\r\n'));
    await eventually(() => expect(asked).toEqual([0]));
    expect(await post(server.url, item, authorized)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'requests_too_many' },
    });
    slow.socket.destroy();
    await eventually(async () => expect((await post(server.url, item, authorized)).status).toBe(202));
  });

  test('only so many are looked at at once, and who goes away meanwhile takes no turn', async () => {
    let asking = 0;
    const answered = Promise.withResolvers<{ readonly kind: 'allowed' }>();
    const signals: AbortSignal[] = [];
    const admission: PublishAdmission = {
      mayPublish(_presented, _events, signal) {
        asking += 1;
        signals.push(signal);
        return answered.promise;
      },
    };
    await using server = await publishingServer({ requestsInFlightMax: 2 }, { admission });
    await server.source.start(acceptAll);
    const waiting = [await openRawConnection(server.port), await openRawConnection(server.port)];
    for (const connection of waiting) connection.send(halfSent);
    await eventually(() => expect(asking).toBe(2));
    expect(await post(server.url, item)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } });
    expect(asking).toBe(2);
    for (const { socket } of waiting) socket.destroy();
    await eventually(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]));
    answered.resolve({ kind: 'allowed' });
    const answers = await Promise.all([post(server.url, item), post(server.url, item)]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  });
});

describe('when nothing is taken', () => {
  test('before the start', async () => {
    await using server = await publishingServer();
    expect(await post(server.url, item)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'not_started' },
    });
  });

  test('under pressure, until it is over', async () => {
    await using server = await publishingServer({ retryAfterMs: 4200 });
    await server.source.start(acceptAll);
    server.source.pause('300 MiB are queued');
    const answer = await post(server.url, item);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' }, body: { code: 'paused' } });
    expect(JSON.stringify(answer.body)).not.toContain('300 MiB');
    server.source.resume();
    expect((await post(server.url, item)).status).toBe(202);
  });

  test('while it drains, which lets those under way finish', async () => {
    await using server = await publishingServer();
    const held = Promise.withResolvers<Settlement>();
    let handled = 0;
    await server.source.start(() => {
      handled += 1;
      return held.promise;
    });
    const underWay = post(server.url, `[${item},${item}]`);
    await eventually(() => expect(handled).toBe(1));
    const drain = server.source.drain(new AbortController().signal);
    expect(await post(server.url, item)).toMatchObject({ status: 503, body: { code: 'draining' } });
    held.resolve({ kind: 'accept' });
    expect(await underWay).toMatchObject({ status: 202 });
    expect(await drain).toEqual({ settled: 2, abandoned: 0 });
    expect(await post(server.url, item)).toMatchObject({ status: 503, body: { code: 'draining' } });
    expect(handled).toBe(2);
  });

  test('past the deadline of a drain those under way are told to publish again', async () => {
    await using server = await publishingServer();
    let handled = 0;
    await server.source.start(() => {
      handled += 1;
      return new Promise(() => {});
    });
    const underWay = post(server.url, `[${item},${item}]`);
    await eventually(() => expect(handled).toBe(1));
    expect(await server.source.drain(AbortSignal.abort())).toEqual({ settled: 0, abandoned: 2 });
    expect(await underWay).toMatchObject({
      status: 503,
      body: { events: [{ outcome: 'later' }, { outcome: 'later' }] },
    });
    expect(handled).toBe(1);
  });

  test('what comes out of admission after a drain began is refused, and the drain does not wait for it', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<{ readonly kind: 'allowed' }>();
    const admission: PublishAdmission = {
      mayPublish() {
        asked.resolve();
        return answer.promise;
      },
    };
    await using server = await publishingServer({}, { admission });
    let handled = 0;
    await server.source.start(async () => {
      handled += 1;
      return { kind: 'accept' };
    });
    const underWay = post(server.url, item);
    await asked.promise;
    expect(await server.source.drain(new AbortController().signal)).toEqual({ settled: 0, abandoned: 0 });
    answer.resolve({ kind: 'allowed' });
    expect(await underWay).toMatchObject({ status: 503, body: { code: 'draining' } });
    expect(handled).toBe(0);
  });

  test('more requests at once than there may be, until one of them has ended', async () => {
    await using server = await publishingServer({ requestsInFlightMax: 2 });
    const held = Promise.withResolvers<Settlement>();
    let handled = 0;
    await server.source.start(() => {
      handled += 1;
      return held.promise;
    });
    const first = [post(server.url, item), post(server.url, item)];
    await eventually(() => expect(handled).toBe(2));
    expect(await post(server.url, item)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } });
    held.resolve({ kind: 'accept' });
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([202, 202]);
    await eventually(async () => expect((await post(server.url, item)).status).toBe(202));
  });
});

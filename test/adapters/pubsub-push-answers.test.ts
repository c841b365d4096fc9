import { describe, expect, test } from 'vitest';
import { Fault } from '../../src/application/fault.ts';
import type { PublishAdmission } from '../../src/application/ports/admission.ts';
import type { BrokerMessage, Settlement } from '../../src/application/ports/event-source.ts';
import type { Event } from '../../src/domain/event.ts';
import { eventually } from '../support/eventually.ts';
import { post } from '../support/http-publishing.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type PushServer, push, pushBody, pushServer } from '../support/pubsub-push.ts';
import { openRawConnection } from '../support/raw-connection.ts';

const accept: Settlement = { kind: 'accept' };
const retry: Settlement = { kind: 'retry', cause: 'not now' };
const deadLetter: Settlement = { kind: 'dead-letter', cause: 'nobody can handle it' };
const neverAborts = () => new AbortController().signal;

/** A started server whose handler answers in turn and then holds whatever comes, until it is let go. */
async function handling(server: PushServer, ...answers: readonly Settlement[]) {
  const left = [...answers];
  const messages: BrokerMessage[] = [];
  const held = Promise.withResolvers<Settlement>();
  await server.source.start((message) => {
    messages.push(message);
    const next = left.shift();
    return next ? Promise.resolve(next) : held.promise;
  });
  return { messages, release: (settlement: Settlement = accept) => held.resolve(settlement) };
}

const codesOf = ({ observer }: PushServer) =>
  observer.of('source-fault').map(({ error }) => (error instanceof Fault ? error.code : error));

describe('what a settlement becomes', () => {
  test('accept is 204, without a body', async () => {
    await using server = await pushServer();
    await handling(server, accept);
    const answer = await push(server);
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(answer.headers['retry-after']).toBeUndefined();
  });

  test('retry is 503, and it counts', async () => {
    await using server = await pushServer({ retryAfterMs: 2500 });
    const { messages } = await handling(server, retry, retry, accept, accept);
    expect(await push(server)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '3' },
      body: { code: 'event_not_taken' },
    });
    expect((await push(server)).status).toBe(503);
    expect((await push(server)).status).toBe(204);
    expect((await push(server)).status).toBe(204);
    // What is told is not remembered: Pub/Sub can be made to replay it.
    expect(messages.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
  });

  test('where Pub/Sub counts its deliveries, these count', async () => {
    await using server = await pushServer();
    const { messages } = await handling(server, retry, accept);
    await push(server, {}, { deliveryAttempt: 4 });
    await push(server, {}, { deliveryAttempt: 5 });
    expect(messages.map(({ attempt }) => attempt)).toEqual([4, 5]);
  });

  test('a handler that throws is a retry, and is observed', async () => {
    await using server = await pushServer();
    await server.source.start(() => {
      throw new Error('before there is a promise');
    });
    expect(await push(server)).toMatchObject({ status: 503, body: { code: 'event_not_taken' } });
    expect(codesOf(server)).toEqual(['handler_threw']);
  });

  test('a dead letter that is to be discarded is 204', async () => {
    await using server = await pushServer();
    expect(server.source.traits.deadLetters).toBe(false);
    await handling(server, deadLetter);
    expect((await push(server)).status).toBe(204);
  });

  test('a dead letter that the policy moves is 422, and nothing is published', async () => {
    await using server = await pushServer({
      onDeadLetter: undefined,
      deadLetter: { topic: 'dead-letters', by: 'policy' },
    });
    expect(server.source.traits.deadLetters).toBe(true);
    const { messages } = await handling(server, deadLetter, deadLetter);
    expect(await push(server)).toMatchObject({ status: 422, body: { code: 'event_refused' } });
    expect((await push(server)).status).toBe(422);
    expect(messages.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('a dead letter of ours is 204 once the broker has it, and 503 when it has not', async () => {
    const fails = new Fault('test_unreachable', 'retry', 'the broker is away');
    const published: (readonly [string, string])[] = [];
    const answer = Promise.withResolvers<void>();
    let closed = 0;
    const deadLetters = {
      async publish({ id }: Event, cause: string) {
        published.push([id, cause]);
        if (published.length === 1) throw fails;
        await answer.promise;
      },
      async check() {},
      async close() {
        closed += 1;
      },
    };
    await using server = await pushServer(
      { onDeadLetter: undefined, deadLetter: { topic: 'dead-letters' } },
      { deadLetters },
    );
    await handling(server, deadLetter, deadLetter);
    expect(await push(server)).toMatchObject({ status: 503, body: { code: 'event_not_taken' } });
    expect(codesOf(server)).toEqual(['test_unreachable']);
    const second = push(server);
    await eventually(() => expect(published).toHaveLength(2));
    const drain = server.source.drain(neverAborts());
    expect(closed).toBe(0);
    answer.resolve();
    expect((await second).status).toBe(204);
    expect(await drain).toEqual({ settled: 1, abandoned: 0 });
    expect(closed).toBe(1);
    expect(published).toEqual([
      ['1', 'nobody can handle it'],
      ['1', 'nobody can handle it'],
    ]);
  });
});

describe('a message that is pushed again while it is in hand', () => {
  test('is not handed over twice, and both requests get the answer', async () => {
    await using server = await pushServer();
    const { messages, release } = await handling(server);
    const first = push(server);
    await eventually(() => expect(messages).toHaveLength(1));
    const second = push(server, {}, { deliveryAttempt: 2 });
    const other = push(server, { messageId: '2', message_id: '2' });
    await eventually(() => expect(messages).toHaveLength(2));
    release();
    expect((await Promise.all([first, second, other])).map(({ status }) => status)).toEqual([204, 204, 204]);
    expect(messages.map(({ event }) => event.id)).toEqual(['1', '2']);
  });

  test('is another one where it comes from another subscription', async () => {
    const subscriptions = ['orders.v1:orders-push', 'orders.v1:orders-push-too'];
    await using server = await pushServer({ subscriptions });
    const { messages, release } = await handling(server);
    const pushes = ['orders-push', 'orders-push-too'].map((id) =>
      push(server, {}, { subscription: `projects/edgeward-test/subscriptions/${id}` }),
    );
    await eventually(() => expect(messages).toHaveLength(2));
    release();
    for (const { status } of await Promise.all(pushes)) expect(status).toBe(204);
  });

  test('is taken in a drain, under pressure and at the limit, while what is new is not', async () => {
    const clock = new ManualClock();
    await using server = await pushServer({ inFlightMax: 1 }, { clock });
    const { messages, release } = await handling(server);
    const first = push(server);
    await eventually(() => expect(messages).toHaveLength(1));
    const other = { messageId: '2', message_id: '2' };
    expect(await push(server, other)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } });
    server.source.pause('too much is queued');
    expect(await push(server, other)).toMatchObject({ status: 503, body: { code: 'paused' } });
    const drain = server.source.drain(neverAborts());
    expect(await push(server, other)).toMatchObject({ status: 503, body: { code: 'draining' } });
    const again = push(server);
    // A timer for each request that waits.
    await eventually(() => expect(clock.pending).toBe(2));
    // Two are all that there may be, whichever message it is.
    expect(await push(server)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } });
    release();
    expect((await Promise.all([first, again])).map(({ status }) => status)).toEqual([204, 204]);
    expect(await drain).toEqual({ settled: 1, abandoned: 0 });
    expect(messages).toHaveLength(1);
  });
});

describe('a handler that is slower than Pub/Sub waits', () => {
  test('its request ends with 503; the next push waits on, and gets the answer', async () => {
    const clock = new ManualClock();
    await using server = await pushServer({ leaseMsMax: 10_000 }, { clock });
    expect(server.source.traits.leaseMs).toBe(10_000);
    const { messages, release } = await handling(server);
    const first = push(server);
    await eventually(() => expect(clock.pending).toBe(1));
    clock.advance(9_999);
    expect(codesOf(server)).toEqual([]);
    clock.advance(1);
    expect(await first).toMatchObject({ status: 503, body: { code: 'event_not_taken' } });
    expect(codesOf(server)).toEqual(['pubsub_push_late']);
    const second = push(server);
    await eventually(() => expect(clock.pending).toBe(1));
    release();
    expect((await second).status).toBe(204);
    expect(messages).toHaveLength(1);
    await eventually(() => expect(clock.pending).toBe(0));
  });

  test('what is done with nobody there is told to the next push, once, in any state', async () => {
    const clock = new ManualClock();
    await using server = await pushServer({}, { clock });
    const { messages, release } = await handling(server);
    const first = push(server);
    await eventually(() => expect(clock.pending).toBe(1));
    clock.advance(10_000);
    expect((await first).status).toBe(503);
    release();
    server.source.pause('too much is queued');
    await eventually(async () => expect((await push(server)).status).toBe(204));
    expect(await push(server)).toMatchObject({ status: 503, body: { code: 'paused' } });
    expect(messages).toHaveLength(1);
  });

  test('what is given back with nobody there is handed over again', async () => {
    const clock = new ManualClock();
    await using server = await pushServer({}, { clock });
    const messages: BrokerMessage[] = [];
    const held = Promise.withResolvers<Settlement>();
    await server.source.start(async (message) => {
      messages.push(message);
      return messages.length === 1 ? held.promise : accept;
    });
    const first = push(server);
    await eventually(() => expect(clock.pending).toBe(1));
    clock.advance(10_000);
    await first;
    held.resolve(retry);
    await eventually(async () => expect((await push(server)).status).toBe(204));
    expect(messages.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  /** Pushes a message and goes away while it is handled. */
  async function pushAndLeave(server: PushServer, messages: readonly BrokerMessage[]): Promise<void> {
    const body = pushBody();
    const connection = await openRawConnection(server.port);
    connection.send(
      `POST /v1/push/push HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await eventually(() => expect(messages).toHaveLength(1));
    connection.socket.destroy();
    await eventually(() => expect(codesOf(server)).toEqual(['pubsub_push_late']));
  }

  test('so is one whose Pub/Sub has gone, and its place is taken until it is done', async () => {
    await using server = await pushServer({ inFlightMax: 1 }, { clock: new ManualClock() });
    const { messages, release } = await handling(server);
    await pushAndLeave(server, messages);
    const other = { messageId: '2', message_id: '2' };
    expect(await push(server, other)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } });
    release();
    await eventually(async () => expect((await push(server, other)).status).toBe(204));
    expect((await push(server)).status).toBe(204);
    expect(messages.map(({ event }) => event.id)).toEqual(['1', '2']);
  });

  test('what is done in a drain with nobody there counts neither as settled nor as abandoned', async () => {
    await using server = await pushServer({}, { clock: new ManualClock() });
    const { messages, release } = await handling(server);
    await pushAndLeave(server, messages);
    const drain = server.source.drain(neverAborts());
    release();
    expect(await drain).toEqual({ settled: 0, abandoned: 0 });
  });
});

describe('when nothing is taken', () => {
  test('before the start, under pressure, in a drain and after it: 503, by the headers alone', async () => {
    await using server = await pushServer({ retryAfterMs: 4200 });
    const refused = async (code: string) => {
      await using connection = await openRawConnection(server.port);
      // Of the body there is nothing yet.
      connection.send(
        'POST /v1/push/push HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n',
      );
      const answer = await connection.receives(new RegExp(code));
      expect(answer).toMatch(/^HTTP\/1.1 503 /);
      expect(answer).toMatch(/^retry-after: 5\r$/im);
    };
    await refused('not_started');
    await handling(server, accept, accept);
    expect((await push(server)).status).toBe(204);
    server.source.pause('300 MiB are queued');
    await refused('paused');
    server.source.resume();
    expect((await push(server)).status).toBe(204);
    const drain = server.source.drain(neverAborts());
    await refused('draining');
    expect(await drain).toEqual({ settled: 0, abandoned: 0 });
    await refused('draining');
  });

  test('what is in hand past the deadline of a drain is given back, and its settlement comes too late', async () => {
    const published: unknown[] = [];
    const deadLetters = {
      publish: async (event: Event) => void published.push(event.id),
      check: async () => undefined,
      close: async () => undefined,
    };
    await using server = await pushServer(
      { onDeadLetter: undefined, deadLetter: { topic: 'dead-letters' } },
      { deadLetters, clock: new ManualClock() },
    );
    const { messages, release } = await handling(server);
    const pushes = [push(server), push(server, { messageId: '2', message_id: '2' })];
    await eventually(() => expect(messages).toHaveLength(2));
    expect(await server.source.drain(AbortSignal.abort())).toEqual({ settled: 0, abandoned: 2 });
    for (const answer of await Promise.all(pushes)) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'event_not_taken' } });
    }
    release(deadLetter);
    expect(await push(server)).toMatchObject({ status: 503, body: { code: 'draining' } });
    expect(published).toEqual([]);
    expect(codesOf(server)).toEqual([]);
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
    await using server = await pushServer({}, { admission });
    const { messages } = await handling(server);
    const underWay = push(server);
    await asked.promise;
    expect(await server.source.drain(neverAborts())).toEqual({ settled: 0, abandoned: 0 });
    answer.resolve({ kind: 'allowed' });
    expect(await underWay).toMatchObject({ status: 503, body: { code: 'draining' } });
    expect(messages).toHaveLength(0);
  });

  test('more bytes at once than there may be, by what the requests announce', async () => {
    await using server = await pushServer({ inFlightBytesMax: 2000 });
    const { messages, release } = await handling(server);
    const large = { data: Buffer.alloc(900).toString('base64') };
    const first = push(server, large);
    await eventually(() => expect(messages).toHaveLength(1));
    const other = { ...large, messageId: '2', message_id: '2' };
    expect(await push(server, other)).toMatchObject({ status: 503, body: { code: 'requests_too_many' } });
    release();
    expect((await first).status).toBe(204);
    await eventually(async () => expect((await push(server, other)).status).toBe(204));
  });
});

describe('the route', () => {
  test('has the name of the source in it, and takes nothing but POST', async () => {
    await using server = await pushServer();
    await handling(server, accept);
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await fetch(server.url, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    }
    for (const path of ['', '/', '/pus', '/push/', '/push/below', '/Push']) {
      const url = server.url.replace('/push/push', `/push${path}`);
      expect((await post(url, pushBody())).status).toBe(404);
    }
    expect((await post(`${server.url}?any=query`, pushBody())).status).toBe(204);
  });
});

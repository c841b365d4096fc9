import { describe, expect, test } from 'vitest';
import { memorySettings } from '../../src/adapters/inbound/memory/memory-settings.ts';
import { createMemorySource } from '../../src/adapters/inbound/memory/memory-source.ts';
import { Fault } from '../../src/application/fault.ts';
import type { MessageHandler, Settlement } from '../../src/application/ports/event-source.ts';
import type { Event } from '../../src/domain/event.ts';
import { eventually } from '../support/eventually.ts';
import { post, publishingServer } from '../support/http-publishing.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingObserver } from '../support/recording-observer.ts';

const accept: Settlement = { kind: 'accept' };

/** A handler that keeps the events it was given. */
function keeping(answer: (event: Event) => Settlement | Promise<Settlement> = () => accept) {
  const events: Event[] = [];
  const handler: MessageHandler = async ({ event }) => {
    events.push(event);
    return answer(event);
  };
  return { events, handler };
}

const item = (id: string, more: object = {}) => ({ stream: 'orders.v1', id, data: { id }, ...more });

describe('what is taken', () => {
  test('one event: 202 with its id once it is routed', async () => {
    await using server = await publishingServer();
    const { events, handler } = keeping();
    await server.source.start(handler);
    const answer = await post(server.url, JSON.stringify(item('e1', { key: 'k', attributes: { 'Tenant-Id': 'T1' } })));
    expect(answer).toMatchObject({ status: 202, body: { events: [{ id: 'e1' }] } });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(events).toMatchObject([{ id: 'e1', stream: 'orders.v1', key: 'k', origin: { source: 'http' } }]);
  });

  test('an event without id and time gets them, and the publisher is told the id', async () => {
    const clock = new ManualClock();
    await using server = await publishingServer({}, { clock });
    const { events, handler } = keeping();
    await server.source.start(handler);
    const { body } = await post(server.url, '{"stream":"s","data":null}');
    expect(events[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(body).toEqual({ events: [{ id: events[0]?.id }] });
    expect(events[0]?.publishedAt).toBe(clock.now());
  });

  test('design 4: data keeps the bytes that were sent', async () => {
    await using server = await publishingServer();
    const { events, handler } = keeping();
    await server.source.start(handler);
    const data = '{ "n" : 12345678901234567890, "f":1.00,\n"ä":"\\u00e4" }';
    await post(server.url, `{"stream":"s","data": ${data} }`);
    expect(events[0] && new TextDecoder().decode(events[0].payload)).toBe(data);
  });

  test('an array is routed in its order, one after the other', async () => {
    await using server = await publishingServer();
    let running = 0;
    let runningMax = 0;
    const { events, handler } = keeping(async () => {
      running += 1;
      runningMax = Math.max(runningMax, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return accept;
    });
    await server.source.start(handler);
    const ids = Array.from({ length: 20 }, (_, index) => `e${index}`);
    const answer = await post(server.url, JSON.stringify(ids.map((id) => item(id))));
    expect(answer).toMatchObject({ status: 202, body: { events: ids.map((id) => ({ id })) } });
    expect(events.map(({ id }) => id)).toEqual(ids);
    expect(runningMax).toBe(1);
  });

  test('an empty array is taken, and is nothing', async () => {
    await using server = await publishingServer();
    await server.source.start(keeping().handler);
    expect(await post(server.url, '[]')).toMatchObject({ status: 202, body: { events: [] } });
  });

  test('many publishers at once', async () => {
    await using server = await publishingServer({ requestsInFlightMax: 200 });
    const { events, handler } = keeping();
    await server.source.start(handler);
    const ids = Array.from({ length: 100 }, (_, index) => `e${index}`);
    const answers = await Promise.all(ids.map((id) => post(server.url, JSON.stringify(item(id)))));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 202));
    expect(new Set(events.map(({ id }) => id))).toEqual(new Set(ids));
  });

  test('the path is that of the config', async () => {
    await using server = await publishingServer({ path: '/publish' });
    await server.source.start(keeping().handler);
    expect((await post(server.url, '[]')).status).toBe(404);
    expect((await post(server.url.replace('/v1/events', '/publish'), '[]')).status).toBe(202);
  });
});

describe('what is not taken', () => {
  test('issue 2: an array with bad items is refused whole, each named by index and field', async () => {
    await using server = await publishingServer();
    const { events, handler } = keeping();
    await server.source.start(handler);
    const items = [item('e0'), item('e1', { stream: '' }), item('e2'), item('e3', { attributes: { 'a/b': [] }, x: 1 })];
    const answer = await post(server.url, JSON.stringify(items));
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer).toMatchObject({
      status: 400,
      body: {
        title: 'Bad Request',
        status: 400,
        code: 'event_invalid',
        errors: [
          { index: 1, path: '/stream', message: 'must not be empty' },
          { index: 3, path: '', message: 'Unrecognized key: "x"' },
        ],
      },
    });
    const alone = await post(server.url, JSON.stringify(item('e', { attributes: { 'a/b~': [] } })));
    expect(alone.body).toMatchObject({ errors: [{ index: 0, path: '/attributes/a~1b~0' }] });
    expect(events).toHaveLength(0);
  });

  test('a thousand mistakes are not answered with a thousand lines', async () => {
    await using server = await publishingServer({ eventsPerRequestMax: 1000 });
    await server.source.start(keeping().handler);
    const { body } = await post(
      server.url,
      JSON.stringify(Array.from({ length: 1000 }, () => ({ ['x'.repeat(900)]: 1 }))),
    );
    expect(Object(body).errors).toHaveLength(100);
    expect(JSON.stringify(body).length).toBeLessThan(50_000);
  });

  test('what routing dead-letters is answered 422: the publisher still has it', async () => {
    await using server = await publishingServer();
    const { events, handler } = keeping(({ id }) =>
      id === 'e1' ? { kind: 'dead-letter', cause: 'unroutable: the secret reason' } : accept,
    );
    await server.source.start(handler);
    const answer = await post(server.url, JSON.stringify([item('e0'), item('e1'), item('e2')]));
    expect(answer).toMatchObject({
      status: 422,
      body: {
        code: 'event_refused',
        events: [
          { id: 'e0', outcome: 'taken' },
          { id: 'e1', outcome: 'refused' },
          { id: 'e2', outcome: 'taken' },
        ],
      },
    });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(events).toHaveLength(3);
  });

  test('after one that is to be published again none is tried, so that none overtakes it', async () => {
    await using server = await publishingServer();
    const { events, handler } = keeping(({ id }) => (id === 'e1' ? { kind: 'retry', cause: 'not now' } : accept));
    await server.source.start(handler);
    const answer = await post(server.url, JSON.stringify([item('e0'), item('e1'), item('e2')]));
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: {
        code: 'event_not_taken',
        events: [
          { id: 'e0', outcome: 'taken' },
          { id: 'e1', outcome: 'later' },
          { id: 'e2', outcome: 'later' },
        ],
      },
    });
    expect(events.map(({ id }) => id)).toEqual(['e0', 'e1']);
  });

  test('a handler that throws takes nothing, and says nothing of the inside', async () => {
    await using server = await publishingServer();
    await server.source.start(() => Promise.reject(new Error('the secret reason')));
    const answer = await post(server.url, JSON.stringify(item('e0')));
    expect(answer).toMatchObject({ status: 503, body: { code: 'event_not_taken' } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(server.observer.of('source-fault')).toMatchObject([{ source: 'http', error: { code: 'handler_threw' } }]);
  });
});

describe('with a broker to publish to', () => {
  test('adr 4: 202 means that the broker has the event, and the handler of this source never sees it', async () => {
    const settings = memorySettings.parse({ onDeadLetter: 'discard' });
    const broker = createMemorySource('embedded', settings, {
      clock: new ManualClock(),
      observer: recordingObserver(),
    });
    await using server = await publishingServer({}, { publisher: broker });
    const direct = keeping();
    const relayed = keeping();
    await server.source.start(direct.handler);
    expect((await post(server.url, JSON.stringify([item('e0'), item('e1')]))).status).toBe(202);
    expect(relayed.events).toHaveLength(0);
    await broker.start(relayed.handler);
    await eventually(() => expect(relayed.events.map(({ id }) => id)).toEqual(['e0', 'e1']));
    expect(relayed.events[0]?.origin.source).toBe('embedded');
    expect(direct.events).toHaveLength(0);
    await broker.drain(AbortSignal.abort());
  });

  test.each([
    ['is full', new Fault('memory_full', 'retry', 'the secret reason'), 503, 'later'],
    ['will never take it', new Fault('memory_event_too_large', 'dead-letter', 'the secret reason'), 422, 'refused'],
    ['fails in a way of its own', new Error('the secret reason'), 503, 'later'],
  ])('a broker that %s', async (_what, fault, status, outcome) => {
    await using server = await publishingServer({}, { publisher: { publish: () => Promise.reject(fault) } });
    await server.source.start(keeping().handler);
    const answer = await post(server.url, JSON.stringify(item('e0')));
    expect(answer).toMatchObject({ status, body: { events: [{ id: 'e0', outcome }] } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(server.observer.of('source-fault')).toMatchObject([{ source: 'http', error: fault }]);
  });
});

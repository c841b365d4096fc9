import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMemoryBroker } from '../../../src/adapters/inbound/memory/memory-broker.ts';
import { memorySettings } from '../../../src/adapters/inbound/memory/memory-settings.ts';
import { createMemorySource } from '../../../src/adapters/inbound/memory/memory-source.ts';
import type { BrokerMessage, MessageHandler, Settlement } from '../../../src/application/ports/event-source.ts';
import { anEvent } from '../../support/event-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const accept: Settlement = { kind: 'accept' };
const retry: Settlement = { kind: 'retry', cause: 'not now' };

function setUp(settings: object = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const parsed = memorySettings.parse({ deadLetter: { stream: 'dead-letters' }, redeliverDelayMs: 1000, ...settings });
  const broker = createMemoryBroker(parsed);
  const source = createMemorySource('embedded', parsed, { clock, observer, broker });
  const messages: BrokerMessage[] = [];
  onTestFinished(async () => void (await source.drain(AbortSignal.abort())));
  return {
    clock,
    observer,
    broker,
    source,
    messages,
    start: (answer: MessageHandler = async () => accept) =>
      source.start((message) => {
        messages.push(message);
        return answer(message);
      }),
    idsSeen: () => messages.map(({ event }) => event.id),
  };
}

/** Long enough for everything that needs no timer. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}

test('publishing runs no handler: messages are taken in a turn of their own', async () => {
  const { source, messages, start } = setUp();
  await start();
  await source.publish(anEvent());
  expect(messages).toHaveLength(0);
  await nextTurn();
  expect(messages).toHaveLength(1);
});

test('large messages are taken in smaller parts, so that clients can read between them', async () => {
  const { source, messages, start } = setUp();
  const payload = new Uint8Array(50_000);
  for (let index = 0; index < 40; index += 1) await source.publish(anEvent({ id: `${index}`, payload }));
  await start();
  const counts: number[] = [];
  while (messages.length < 40) {
    const before = messages.length;
    await nextTurn();
    counts.push(messages.length - before);
  }
  // 128 KiB a turn, and the one that goes beyond it; two turns may fall between two looks.
  expect(Math.max(...counts)).toBeLessThanOrEqual(6);
});

test('a backlog is taken in parts, so that timers and sockets get their turns', async () => {
  const { source, messages, start } = setUp({ inFlightMax: 10 });
  for (let index = 0; index < 1000; index += 1) await source.publish(anEvent({ id: `${index}` }));
  await start();
  await nextTurn();
  await Promise.resolve();
  expect(messages.length).toBeGreaterThan(0);
  expect(messages.length).toBeLessThanOrEqual(512);
  await eventually(() => expect(messages).toHaveLength(1000));
});

describe('retry', () => {
  test('the message comes back after redeliverDelayMs, its successors under one key wait, other keys do not', async () => {
    const { clock, source, start, idsSeen } = setUp();
    await start(async ({ event, attempt }) => (event.id === 'a1' && attempt === 1 ? retry : accept));
    for (const id of ['a1', 'a2', 'b1']) await source.publish(anEvent({ id, key: id.charAt(0) }));
    await turns();
    expect(idsSeen()).toEqual(['a1', 'b1']);
    clock.advance(999);
    await turns();
    expect(idsSeen()).toEqual(['a1', 'b1']);
    clock.advance(1);
    await turns();
    expect(idsSeen()).toEqual(['a1', 'b1', 'a1', 'a2']);
  });

  test('however many wait, there is one timer', async () => {
    const { clock, source, start, messages } = setUp();
    await start(async ({ attempt }) => (attempt === 1 ? retry : accept));
    for (let index = 0; index < 50; index += 1) await source.publish(anEvent({ key: `${index}` }));
    await turns();
    expect(messages).toHaveLength(50);
    expect(clock.pending).toBe(1);
    clock.advance(1000);
    await turns();
    expect(messages).toHaveLength(100);
    expect(clock.pending).toBe(0);
  });

  test('each waits its own time', async () => {
    const { clock, source, start, idsSeen } = setUp();
    await start(async ({ attempt }) => (attempt === 1 ? retry : accept));
    await source.publish(anEvent({ id: 'a', key: 'a' }));
    await turns();
    clock.advance(600);
    await source.publish(anEvent({ id: 'b', key: 'b' }));
    await turns();
    clock.advance(400);
    await turns();
    expect(idsSeen()).toEqual(['a', 'b', 'a']);
    clock.advance(600);
    await turns();
    expect(idsSeen()).toEqual(['a', 'b', 'a', 'b']);
  });

  test('those that wait take no place of those in flight', async () => {
    const { source, start, messages } = setUp({ inFlightMax: 1 });
    await start(async () => retry);
    for (const key of ['a', 'b', 'c']) await source.publish(anEvent({ key }));
    await turns();
    expect(messages).toHaveLength(3);
  });

  test('a drain offers once more, at once, what waits, and leaves no timer', async () => {
    const { clock, source, start, idsSeen } = setUp();
    await start(async ({ event, attempt }) => (event.id !== 'a2' && attempt === 1 ? retry : accept));
    for (const id of ['a1', 'a2', 'b1']) await source.publish(anEvent({ id, key: id.charAt(0) }));
    await turns();
    expect(idsSeen()).toEqual(['a1', 'b1']);
    expect(await source.drain(new AbortController().signal)).toEqual({ settled: 3, abandoned: 0 });
    expect(idsSeen()).toEqual(['a1', 'b1', 'a1', 'b1', 'a2']);
    expect(clock.pending).toBe(0);
  });

  test('what fails in a drain again is abandoned, with what is behind it under its key, and stays in the broker', async () => {
    const { clock, broker, source, start, idsSeen } = setUp();
    await start(async ({ event }) => (event.id === 'a1' ? retry : accept));
    for (const id of ['a1', 'a2', 'b1']) await source.publish(anEvent({ id, key: id.charAt(0) }));
    await turns();
    expect(await source.drain(new AbortController().signal)).toEqual({ settled: 0, abandoned: 2 });
    expect(idsSeen()).toEqual(['a1', 'b1', 'a1']);
    expect(clock.pending).toBe(0);
    expect(broker.attach('next', () => {}).take()).toMatchObject({ event: { id: 'a1' }, attempt: 3 });
  });
});

describe('retry while a source ends', () => {
  function held() {
    const { promise, resolve } = Promise.withResolvers<Settlement>();
    return { handler: () => promise, answer: () => resolve(retry) };
  }

  test('in a drain the message is offered once more, and waits for no timer', async () => {
    const { clock, broker, source, start } = setUp();
    const { handler, answer } = held();
    await start(handler);
    await source.publish(anEvent());
    await turns();
    const drain = source.drain(new AbortController().signal);
    answer();
    expect(await drain).toEqual({ settled: 0, abandoned: 1 });
    expect(clock.pending).toBe(0);
    expect(broker.attach('next', () => {}).take()?.attempt).toBe(3);
  });

  test('after a drain it changes nothing, and starts no timer', async () => {
    const { clock, broker, source, start } = setUp();
    const { handler, answer } = held();
    await start(handler);
    await source.publish(anEvent());
    await turns();
    expect(await source.drain(AbortSignal.abort())).toEqual({ settled: 0, abandoned: 1 });
    answer();
    await turns();
    expect(clock.pending).toBe(0);
    expect(broker.counts.messages).toBe(1);
  });
});

describe('drain', () => {
  const never = () => new AbortController().signal;

  test('a long backlog is handed over in parts, and the deadline is kept between them', async () => {
    const { source, start, messages } = setUp();
    for (let index = 0; index < 2000; index += 1) await source.publish(anEvent({ key: `${index}` }));
    const deadline = new AbortController();
    await start();
    const drain = source.drain(deadline.signal);
    await nextTurn();
    deadline.abort();
    const { settled, abandoned } = await drain;
    expect(settled).toBeGreaterThan(0);
    expect(abandoned).toBeGreaterThan(0);
    expect(settled + abandoned).toBe(2000);
    const handedOver = messages.length;
    await turns();
    expect(messages).toHaveLength(handedOver);
  });

  test('resume and pause change nothing in it', async () => {
    const { source, start, messages } = setUp();
    const { promise, resolve } = Promise.withResolvers<Settlement>();
    await start(() => promise);
    for (const key of ['a', 'a', 'b']) await source.publish(anEvent({ key }));
    await turns();
    const drain = source.drain(never());
    source.pause('pressure');
    source.resume();
    source.pause('pressure');
    expect(source.state.kind).toBe('draining');
    resolve(accept);
    expect(await drain).toEqual({ settled: 3, abandoned: 0 });
    expect(messages).toHaveLength(3);
  });

  test('dead letters that are subscribed to are handed over as well', async () => {
    const { source, start, messages } = setUp({ subscriptions: [{ stream: '#' }, { stream: 'dead-letters' }] });
    source.pause('pressure');
    await start(async ({ event }) =>
      event.stream === 'dead-letters' ? accept : { kind: 'dead-letter', cause: 'no endpoint took the event' },
    );
    await source.publish(anEvent());
    expect(await source.drain(never())).toEqual({ settled: 2, abandoned: 0 });
    expect(messages.map(({ event }) => event.stream)).toEqual(['orders.v1', 'dead-letters']);
  });

  test('what a source holds that was never started is counted', async () => {
    const { source } = setUp();
    await source.publish(anEvent());
    expect(await source.drain(never())).toEqual({ settled: 0, abandoned: 1 });
    await expect(source.publish(anEvent())).rejects.toMatchObject({ code: 'memory_draining', disposition: 'retry' });
  });

  test('what is published from its beginning on is refused, and not held', async () => {
    const { broker, source, start } = setUp();
    await start();
    const drain = source.drain(never());
    await expect(source.publish(anEvent())).rejects.toMatchObject({ code: 'memory_draining', disposition: 'retry' });
    expect(await drain).toEqual({ settled: 0, abandoned: 0 });
    await expect(source.publish(anEvent())).rejects.toMatchObject({ code: 'memory_draining' });
    expect(broker.counts.messages).toBe(0);
  });
});

describe('dead letters', () => {
  const deadLetter: Settlement = { kind: 'dead-letter', cause: 'no endpoint took the event' };

  test('keep id, key, body, content type and attributes, and say why and from where', async () => {
    const { broker, source, start } = setUp();
    const payload = Uint8Array.of(1, 2);
    const attributes = new Map([
      ['Tenant-Id', 'T1'],
      ['Dead-Letter-Cause', 'forged'],
    ]);
    const event = anEvent({ id: 'e1', key: 'k', attributes, payload, contentType: 'image/png' });
    await start(async () => deadLetter);
    await source.publish(event);
    await turns();
    expect(broker.deadLetters).toHaveLength(1);
    expect(broker.deadLetters[0]).toMatchObject({
      id: 'e1',
      stream: 'dead-letters',
      key: 'k',
      payload,
      contentType: 'image/png',
      publishedAt: event.publishedAt,
      origin: { source: 'embedded' },
    });
    expect([...(broker.deadLetters[0]?.attributes ?? [])]).toEqual([
      ['Tenant-Id', 'T1'],
      ['Dead-Letter-Cause', 'no endpoint took the event'],
      ['Dead-Letter-Source', 'embedded'],
      ['Dead-Letter-Stream', 'orders.v1'],
      ['Dead-Letter-Key', 'k'],
      ['Dead-Letter-Id', 'e1'],
    ]);
    expect(broker.counts).toMatchObject({ messages: 0, bytes: 0 });
  });

  test('one that cannot be handled either does not go round: it is discarded, and observed', async () => {
    const { broker, observer, source, start, messages } = setUp({
      subscriptions: [{ stream: '#' }, { stream: 'dead-letters' }],
    });
    await start(async () => deadLetter);
    await source.publish(anEvent());
    await turns();
    expect(messages.map(({ event }) => event.stream)).toEqual(['orders.v1', 'dead-letters']);
    expect(broker.counts.messages).toBe(0);
    expect(broker.deadLetters).toHaveLength(1);
    expect(observer.of('source-fault').map(({ error }) => error)).toMatchObject([{ code: 'memory_dead_letter_again' }]);
  });

  test('a cause of any length and of broken text stays an attribute of a bounded size', async () => {
    const { broker, source, start } = setUp();
    await start(async () => ({ kind: 'dead-letter', cause: `${'x'.repeat(511)}\u{1f44d}` }));
    await source.publish(anEvent());
    await turns();
    const cause = broker.deadLetters[0]?.attributes.get('Dead-Letter-Cause');
    expect(cause).toHaveLength(512);
    expect(cause?.isWellFormed()).toBe(true);
  });

  test('onDeadLetter: discard keeps none', async () => {
    const { broker, source, start } = setUp({ deadLetter: undefined, onDeadLetter: 'discard' });
    expect(source.traits.deadLetters).toBe(false);
    await start(async () => deadLetter);
    await source.publish(anEvent());
    await turns();
    expect(broker.counts.messages).toBe(0);
    expect(broker.deadLetters).toHaveLength(0);
  });
});

describe('life', () => {
  test('a source that is paused before it starts begins paused', async () => {
    const { source, messages, start } = setUp();
    source.pause('pressure');
    await start();
    expect(source.state).toEqual({ kind: 'paused', reason: 'pressure' });
    await source.publish(anEvent());
    await turns();
    expect(messages).toHaveLength(0);
    source.resume();
    await turns();
    expect(messages).toHaveLength(1);
  });

  test('pausing twice for one reason is observed once', async () => {
    const { source, observer, start } = setUp();
    await start();
    source.pause('pressure');
    source.pause('pressure');
    source.pause('more pressure');
    const states = observer.of('source-state').map(({ state }) => state.kind);
    expect(states).toEqual(['starting', 'consuming', 'paused', 'paused']);
  });

  test('a source whose broker has a consumer does not start', async () => {
    const { broker, source, start } = setUp();
    broker.attach('other', () => {});
    await expect(start()).rejects.toMatchObject({ code: 'memory_consumer_present', disposition: 'stop' });
    expect(source.state.kind).toBe('stopped');
    expect(await source.drain(new AbortController().signal)).toEqual({ settled: 0, abandoned: 0 });
    expect(source.state.kind).toBe('stopped');
  });

  test('the event names the source as its origin, and keeps the properties', async () => {
    const { source, messages, start } = setUp();
    await start();
    await source.publish(anEvent({ origin: { source: 'http', properties: { specversion: '1.0' } } }));
    await turns();
    expect(messages[0]?.event.origin).toEqual({ source: 'embedded', properties: { specversion: '1.0' } });
  });

  test('an id that is made at intake stays the same for every attempt', async () => {
    const { clock, source, start, idsSeen } = setUp();
    await start(async ({ attempt }) => (attempt === 1 ? retry : accept));
    await source.publish(anEvent({ id: '' }));
    await turns();
    clock.advance(1000);
    await turns();
    const [first, second] = idsSeen();
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(second).toBe(first);
  });

  test('what no subscription wants is observed, without a word of what is in it', async () => {
    const observer = recordingObserver();
    const settings = memorySettings.parse({ onDeadLetter: 'discard', subscriptions: [{ stream: 'orders.#' }] });
    const source = createMemorySource('embedded', settings, { clock: new ManualClock(), observer });
    await source.publish(anEvent({ id: 'e-1', stream: 'prices' }));
    await source.publish(anEvent({ id: 'e-2', stream: 'orders.created' }));
    expect(observer.observations).toEqual([
      { kind: 'event-ignored', source: 'embedded', stream: 'prices', eventId: 'e-1' },
    ]);
  });

  test('two brokers in one process know nothing of each other', async () => {
    const one = setUp();
    const two = setUp();
    await one.start();
    await two.start();
    await one.source.publish(anEvent({ id: '1' }));
    await turns();
    expect(one.idsSeen()).toEqual(['1']);
    expect(two.idsSeen()).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { createMemoryBroker } from '../../../src/adapters/inbound/memory/memory-broker.ts';
import { sizeOf } from '../../../src/adapters/inbound/memory/memory-message.ts';
import { memorySettings } from '../../../src/adapters/inbound/memory/memory-settings.ts';
import { Fault } from '../../../src/application/fault.ts';
import { patternOf } from '../../support/domain-fixtures.ts';
import { anEvent } from '../../support/event-fixture.ts';

const broker = (settings: object = {}) =>
  createMemoryBroker(memorySettings.parse({ deadLetter: { stream: 'dead-letters' }, ...settings }));

const faultOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof Fault ? `${error.code} ${error.disposition}` : error),
  );

describe('subscriptions', () => {
  const cases: readonly (readonly [stream: string, key: string, taken: boolean])[] = [
    ['orders.v1', 'tenant.T1', true],
    ['orders.v1', 'tenant.T1.unit', false],
    ['orders.v1', 'other', false],
    ['prices', '', true],
    ['prices', 'a.b.c', true],
    ['stock.v1', '', false],
  ];

  test.each(cases)(
    'orders.* with tenant.*, prices with #: %s with key "%s" is taken: %s',
    async (stream, key, taken) => {
      const queue = broker({ subscriptions: [{ stream: 'orders.*', key: 'tenant.*' }, { stream: 'prices' }] });
      await queue.publish(anEvent({ stream, key }));
      expect(queue.counts).toMatchObject({ messages: taken ? 1 : 0, ignored: taken ? 0 : 1 });
    },
  );

  test('one stream may be subscribed to under several keys', async () => {
    const queue = broker({
      subscriptions: [
        { stream: '#', key: 'a' },
        { stream: '#', key: 'b' },
      ],
    });
    for (const key of ['a', 'b', 'c']) await queue.publish(anEvent({ key }));
    expect(queue.counts).toMatchObject({ messages: 2, ignored: 1 });
  });

  test('what is bound is taken as well, until it is released', async () => {
    const queue = broker({ subscriptions: [{ stream: 'prices' }] });
    const releases = ['a.#', 'a.#', 'b'].map((key) => queue.bind('orders', patternOf(key)));
    const publish = async () => {
      const before = queue.counts.messages;
      // Each in a lane of its own.
      for (const key of ['a.b', 'b', 'c']) await queue.publish(anEvent({ stream: 'orders', key }));
      return queue.counts.messages - before;
    };
    const consumer = queue.attach('memory', () => {});
    const empty = () => {
      for (let next = consumer.take(); next; next = consumer.take()) consumer.remove(next);
    };
    expect(await publish()).toBe(2);
    empty();
    releases[0]?.();
    releases[2]?.();
    expect(await publish()).toBe(1);
    empty();
    releases[1]?.();
    expect(await publish()).toBe(0);
  });

  test('a stream and key that run together are not another stream and key', async () => {
    const queue = broker();
    const consumer = queue.attach('memory', () => {});
    await queue.publish(anEvent({ stream: 'ab', key: 'c' }));
    await queue.publish(anEvent({ stream: 'a', key: 'bc' }));
    expect(consumer.take()?.event.stream).toBe('ab');
    expect(consumer.take()?.event.stream).toBe('a');
  });
});

describe('bounds', () => {
  test('publishing beyond messagesMax is refused until a message is removed', async () => {
    const queue = broker({ messagesMax: 2 });
    const consumer = queue.attach('memory', () => {});
    await queue.publish(anEvent());
    await queue.publish(anEvent());
    expect(await faultOf(queue.publish(anEvent()))).toBe('memory_full retry');
    const delivery = consumer.take();
    expect(await faultOf(queue.publish(anEvent())), 'unsettled ones count').toBe('memory_full retry');
    if (delivery) consumer.remove(delivery);
    expect(await faultOf(queue.publish(anEvent()))).toBe('none');
  });

  test('publishing beyond bytesMax is refused until bytes are free', async () => {
    const event = anEvent({ payload: new Uint8Array(1000), attributes: new Map([['name', 'value']]) });
    const queue = broker({ bytesMax: 2 * sizeOf(event) });
    const consumer = queue.attach('memory', () => {});
    await queue.publish(event);
    await queue.publish(event);
    expect(queue.counts.bytes).toBe(2 * sizeOf(event));
    expect(await faultOf(queue.publish(anEvent()))).toBe('memory_full retry');
    const delivery = consumer.take();
    if (delivery) consumer.remove(delivery);
    expect(queue.counts.bytes).toBe(sizeOf(event));
    expect(await faultOf(queue.publish(anEvent()))).toBe('none');
  });

  test('an event that never fits is refused for good', async () => {
    const queue = broker({ bytesMax: 1000 });
    expect(await faultOf(queue.publish(anEvent({ payload: new Uint8Array(1000) })))).toBe(
      'memory_event_too_large dead-letter',
    );
  });

  test('what no subscription wants is ignored even when the broker is full', async () => {
    const queue = broker({ messagesMax: 1, subscriptions: [{ stream: 'orders' }] });
    await queue.publish(anEvent({ stream: 'orders' }));
    expect(await faultOf(queue.publish(anEvent({ stream: 'prices' })))).toBe('none');
  });

  test('every part of an event counts', () => {
    const bare = sizeOf(anEvent());
    for (const fields of [{ key: 'k' }, { attributes: new Map([['a', '']]) }, { payload: new Uint8Array(1) }]) {
      expect(sizeOf(anEvent(fields))).toBeGreaterThan(bare);
    }
  });
});

describe('the one consumer', () => {
  test('a second one is refused while the first is attached', () => {
    const queue = broker();
    const first = queue.attach('first', () => {});
    expect(() => queue.attach('second', () => {})).toThrow(
      expect.objectContaining({ code: 'memory_consumer_present', disposition: 'stop' }),
    );
    first.detach();
    expect(() => queue.attach('second', () => {})).not.toThrow();
  });

  test('what it gives back is taken again before its successors, as a further attempt', async () => {
    const queue = broker();
    const consumer = queue.attach('memory', () => {});
    await queue.publish(anEvent({ id: '1' }));
    await queue.publish(anEvent({ id: '2' }));
    const first = consumer.take();
    expect(consumer.take(), 'one at a time under one key').toBeUndefined();
    if (first) consumer.giveBack(first);
    expect(consumer.take()).toMatchObject({ event: { id: '1' }, attempt: 2 });
  });

  test('a message that is not its own any more is neither removed nor given back', async () => {
    const queue = broker();
    const first = queue.attach('first', () => {});
    await queue.publish(anEvent());
    const delivery = first.take();
    first.detach();
    const second = queue.attach('second', () => {});
    const again = second.take();
    expect(again?.attempt).toBe(2);
    expect(delivery && first.remove(delivery)).toBe(false);
    if (delivery) first.giveBack(delivery);
    expect(second.take()).toBeUndefined();
    expect(queue.counts.messages).toBe(1);
  });

  test('there is a next message as long as one can be taken', async () => {
    const queue = broker();
    const consumer = queue.attach('memory', () => {});
    expect(consumer.hasNext()).toBe(false);
    await queue.publish(anEvent({ id: '1' }));
    await queue.publish(anEvent({ id: '2' }));
    expect(consumer.hasNext()).toBe(true);
    const first = consumer.take();
    expect(consumer.hasNext(), 'one at a time under one key').toBe(false);
    if (first) consumer.remove(first);
    expect(consumer.hasNext()).toBe(true);
  });

  test('keys take turns', async () => {
    const queue = broker();
    const consumer = queue.attach('memory', () => {});
    for (const [key, id] of ['a1', 'a2', 'b1', 'b2'].map((id) => [id.charAt(0), id])) {
      await queue.publish(anEvent({ ...(key && { key }), ...(id && { id }) }));
    }
    const taken: string[] = [];
    for (let delivery = consumer.take(); delivery; delivery = consumer.take()) {
      taken.push(delivery.event.id);
      consumer.remove(delivery);
    }
    expect(taken).toEqual(['a1', 'b1', 'a2', 'b2']);
  });
});

describe('dead letters', () => {
  async function replaceAll(queue: ReturnType<typeof broker>, count: number, bytes = 0): Promise<void> {
    const consumer = queue.attach('memory', () => {});
    for (let index = 0; index < count; index += 1) {
      await queue.publish(anEvent());
      const delivery = consumer.take();
      const letter = anEvent({ id: `d${index}`, stream: 'dead-letters', payload: new Uint8Array(bytes) });
      if (delivery) consumer.replace(delivery, letter);
    }
    consumer.detach();
  }

  test('the oldest go when there are too many', async () => {
    const queue = broker({ deadLetter: { stream: 'dead-letters', messagesMax: 2 } });
    await replaceAll(queue, 3);
    expect(queue.deadLetters.map(({ id }) => id)).toEqual(['d1', 'd2']);
  });

  test('the oldest go when they are too large together', async () => {
    const queue = broker({ deadLetter: { stream: 'dead-letters', bytesMax: 5000 } });
    await replaceAll(queue, 4, 2000);
    expect(queue.deadLetters.map(({ id }) => id)).toEqual(['d2', 'd3']);
  });

  test('MQTT 5.0 section 4.7.2: wildcards do not reach their stream', async () => {
    const queue = broker();
    await replaceAll(queue, 1);
    expect(queue.counts.messages).toBe(0);
  });

  test('a subscription that spells their stream out takes them, even from a full broker', async () => {
    const subscriptions = [{ stream: '#' }, { stream: 'dead-letters' }];
    const queue = broker({ subscriptions, messagesMax: 1 });
    await replaceAll(queue, 1);
    const consumer = queue.attach('memory', () => {});
    expect(consumer.take()?.event.stream).toBe('dead-letters');
  });
});

describe('settings', () => {
  const problemsOf = (settings: object) =>
    memorySettings.safeParse(settings).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

  test('design 4: a source that says nothing of dead letters is refused', () => {
    expect(problemsOf({})).toEqual(['onDeadLetter: say where dead letters go (deadLetter), or onDeadLetter: discard']);
    expect(problemsOf({ onDeadLetter: 'discard' })).toBeUndefined();
    expect(problemsOf({ deadLetter: { stream: 'dead' } })).toBeUndefined();
  });

  test('both answers at once contradict each other', () => {
    expect(problemsOf({ deadLetter: { stream: 'dead' }, onDeadLetter: 'discard' })).toHaveLength(1);
  });

  test('the dead letter stream is no pattern, and a subscription must be one', () => {
    expect(problemsOf({ deadLetter: { stream: 'dead.#' } })?.[0]).toMatch(/^deadLetter.stream: /);
    expect(problemsOf({ onDeadLetter: 'discard', subscriptions: [{ stream: '#.#.#.#.#' }] })?.[0]).toMatch(
      /^subscriptions.0.stream: /,
    );
  });
});

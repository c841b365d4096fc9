import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createMessageExchange, type MessageOrder } from '../../../src/application/exchange-messages.ts';
import type { Event } from '../../../src/domain/event.ts';
import { eventOf } from '../../support/domain-fixtures.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

function exchangeWith(order: MessageOrder) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const delivered: string[] = [];
  const published: { readonly event: Event; readonly answer: PromiseWithResolvers<void> }[] = [];
  const exchange = createMessageExchange({
    ...{ endpoint: 'spaces', order, publishTimeoutMs: 1000, clock, observer },
    publisher: {
      publish(event) {
        const answer = Promise.withResolvers<void>();
        published.push({ event, answer });
        return answer.promise;
      },
    },
    deliver: ({ id }) => delivered.push(id),
  });
  return { exchange, clock, observer, delivered, published };
}

const named = (id: string) => eventOf({}, { id });
const never = () => new AbortController().signal;

describe('what a client sends', () => {
  test('local: is in the room before the call returns, and is sent whatever the broker says', async () => {
    const { exchange, delivered, published, observer, clock } = exchangeWith('local');
    const sent = ['1', '2'].map((id) => exchange.send(named(id)));
    expect(delivered).toEqual(['1', '2']);
    published[0]?.answer.reject(new Error('full'));
    clock.advance(1000);
    expect(await Promise.all(sent)).toEqual(['sent', 'sent']);
    await turn();
    expect(observer.of('publish-failed').map(({ eventId }) => eventId)).toEqual(['1', '2']);
    expect(clock.pending).toBe(0);
  });

  test('broker: is not delivered here, and is sent once the broker has it', async () => {
    const { exchange, delivered, published, observer, clock } = exchangeWith('broker');
    const sent = ['1', '2', '3'].map((id) => exchange.send(named(id)));
    expect(published.map(({ event }) => event.id)).toEqual(['1', '2', '3']);
    published[0]?.answer.resolve();
    published[1]?.answer.reject(new Error('full'));
    clock.advance(1000);
    expect(await Promise.all(sent)).toEqual(['sent', 'unconfirmed', 'unconfirmed']);
    expect(delivered).toEqual([]);
    expect(observer.of('client-event')).toMatchObject([{ outcome: 'published' }]);
    expect(observer.of('publish-failed').map(({ eventId }) => eventId)).toEqual(['2', '3']);
  });

  test.each(['local', 'broker'] as const)(
    '%s: is waited for until the broker has said what became of it',
    async (order) => {
      const { exchange, published } = exchangeWith(order);
      await exchange.settled(never());
      for (const id of ['1', '2']) void exchange.send(named(id));
      let isSettled = false;
      const settled = exchange.settled(never()).then(() => {
        isSettled = true;
      });
      published[0]?.answer.resolve();
      await turn();
      expect(isSettled).toBe(false);
      published[1]?.answer.reject(new Error('full'));
      await settled;
    },
  );

  test('is not waited for past the deadline', async () => {
    const { exchange } = exchangeWith('local');
    void exchange.send(named('1'));
    await exchange.settled(AbortSignal.abort());
    const deadline = new AbortController();
    const settled = exchange.settled(deadline.signal);
    deadline.abort();
    await settled;
  });
});

import { expect, test } from 'vitest';
import { createMemoryNotifications } from '../../../src/adapters/store/memory-notifications.ts';
import { Fault } from '../../../src/application/fault.ts';
import type { NotificationHandler } from '../../../src/application/ports/notification-handler.ts';
import { NotificationSender } from '../../../src/application/send-notifications.ts';
import type { Notification } from '../../../src/domain/notification.ts';
import { occurrence, trigger, wish } from '../../contracts/notification-store-contract.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { recordingObserver } from '../../support/recording-observer.ts';

const [minuteMs, hourMs] = [60_000, 3_600_000];
const policy = { backOff: { delayMsMin: minuteMs, delayMsMax: hourMs }, giveUpAfterMs: 48 * hourMs };
const fault = (disposition: 'retry' | 'dead-letter' | 'stop', retryAfterMs?: number): Fault =>
  new Fault('test_fault', disposition, 'the test says so', undefined, retryAfterMs);

/** Time stands still; all that is due has been done once the event loop has turned a few times. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

function bench(send: NotificationHandler['send'], changes: Partial<NotificationHandler> = {}) {
  const clock = new ManualClock();
  const observer = recordingObserver();
  const store = createMemoryNotifications();
  const handler: NotificationHandler = { name: 'email', concurrencyMax: 2, send, ...changes };
  const dependencies = { outbox: store, policy, clock, observer, random: () => 1 };
  const sender = new NotificationSender({ ...dependencies, handlers: [handler] });
  /** One that has fired. */
  async function fire(count = 1): Promise<readonly Notification[]> {
    const fired: Notification[] = [];
    for (let index = 0; index < count; index += 1) {
      const each = wish();
      await store.add(each, 1000);
      const { task } = each.config as { task: string };
      await store.match([occurrence({ task })], ['email'], trigger, clock.now());
      fired.push(each);
    }
    sender.wake();
    await turns();
    return fired;
  }
  const states = async () => (await store.page(undefined, undefined, 1000)).map(({ state }) => state);
  const outcomes = () => observer.of('notification-tried').map(({ outcome }) => outcome);
  const forward = async (byMs: number): Promise<void> => {
    clock.advance(byMs);
    await turns();
  };
  return { clock, observer, store, sender, dependencies, fire, states, outcomes, forward };
}

test('what has fired is sent, and recorded before anything else is done with it', async () => {
  const seen: Notification[] = [];
  const { sender, fire, states, outcomes } = bench(async (notification) => void seen.push(notification));
  await sender.start();
  await fire(5);
  expect(seen).toHaveLength(5);
  expect(seen[0]).toMatchObject({ state: 'sending', attempts: 1, trigger });
  expect(await states()).toEqual(Array.from({ length: 5 }, () => 'sent'));
  expect(outcomes()).toEqual(Array.from({ length: 5 }, () => 'sent'));
});

test('a mail server that says 4xx for an hour: tried again after 1, 2, 4 … minutes, and sent once it takes it', async () => {
  const { clock, sender, fire, states, outcomes, forward } = bench(async () => {
    tries.push(clock.now() - begin);
    if (clock.now() - begin < hourMs) throw fault('retry');
  });
  const tries: number[] = [];
  const begin = clock.now();
  await sender.start();
  await fire();
  for (let minute = 0; minute < 200; minute += 1) await forward(minuteMs);
  expect(tries.map((at) => at / minuteMs)).toEqual([0, 1, 3, 7, 15, 31, 63]);
  expect(await states()).toEqual(['sent']);
  expect(outcomes()).toEqual([...Array.from({ length: 6 }, () => 'retried'), 'sent']);
});

test('it is given up after two days, and not a try before', async () => {
  const { clock, store, sender, fire, states, forward } = bench(async () => {
    tries += 1;
    throw fault('stop');
  });
  let tries = 0;
  const begin = clock.now();
  await sender.start();
  await fire();
  while ((await states())[0] !== 'failed') await forward(10 * minuteMs);
  expect(clock.now() - begin).toBeGreaterThanOrEqual(48 * hourMs);
  expect(clock.now() - begin).toBeLessThan(50 * hourMs);
  expect(tries).toBeGreaterThan(48);
  expect(await store.page(undefined, undefined, 1)).toMatchObject([{ failure: 'test_fault', attempts: tries }]);
  const before = tries;
  await forward(100 * hourMs);
  expect(tries).toBe(before);
});

test('what can never be sent fails at once; an error that is no fault is tried again; the other side may say when', async () => {
  const thrown: unknown[] = [fault('dead-letter'), new Error('a mistake'), fault('retry', 5 * minuteMs)];
  const { store, sender, fire, forward } = bench(async () => {
    const error = thrown.shift();
    if (error) throw error;
  });
  await sender.start();
  const [first] = await fire();
  const [second] = await fire();
  const [third] = await fire();
  const byId = async (each?: Notification) =>
    (await store.page(undefined, undefined, 9)).find(({ id }) => id === each?.id);
  expect(await byId(first)).toMatchObject({ state: 'failed', failure: 'test_fault' });
  expect(await byId(second)).toMatchObject({ state: 'matched', failure: 'notification_handler_threw' });
  await forward(minuteMs);
  expect(await byId(second)).toMatchObject({ state: 'sent', attempts: 2 });
  expect(await byId(third)).toMatchObject({ state: 'matched', attempts: 1 });
  await forward(4 * minuteMs);
  expect(await byId(third)).toMatchObject({ state: 'sent', attempts: 2 });
});

test('no more tries are under way than may, and a handler that hangs keeps no other waiting', async () => {
  let underWay = 0;
  const waiting: (() => void)[] = [];
  const { store, sender, dependencies, clock, fire } = bench(
    () =>
      new Promise((resolve) => {
        underWay += 1;
        waiting.push(() => {
          underWay -= 1;
          resolve();
        });
      }),
  );
  await sender.start();
  await fire(5);
  expect(underWay).toBe(2);
  waiting.shift()?.();
  await turns();
  expect(underWay).toBe(2);
  expect(waiting).toHaveLength(2);
  const webhook = wish({ handler: 'webhook' });
  await store.add(webhook, 100);
  const { task } = webhook.config as { task: string };
  await store.match([occurrence({ task })], ['webhook'], trigger, clock.now());
  const sent: string[] = [];
  const other = { name: 'webhook', concurrencyMax: 1, send: async ({ id }: Notification) => void sent.push(id) };
  const both = new NotificationSender({ ...dependencies, handlers: [other] });
  both.wake();
  await turns();
  expect(sent).toEqual([webhook.id]);
});

test('a store that is full for a while makes no second mail of one that was sent', async () => {
  let mails = 0;
  const { store, sender, fire, states, observer, forward } = bench(async () => {
    mails += 1;
  });
  const finish = store.finish.bind(store);
  let isFull = true;
  store.finish = async (...given) => {
    if (isFull) throw new Fault('store_disk_full', 'retry', 'no room');
    return finish(...given);
  };
  await sender.start();
  await fire();
  for (let minute = 0; minute < 10; minute += 1) await forward(minuteMs);
  expect([mails, await states()]).toEqual([1, ['sending']]);
  expect(observer.of('notification-store-failed').length).toBeGreaterThan(2);
  isFull = false;
  await forward(minuteMs);
  expect([mails, await states()]).toEqual([1, ['sent']]);
});

test('a record that the store refuses keeps nobody’s place, is said loudly, and is written later', async () => {
  let mails = 0;
  const countMail = async () => {
    mails += 1;
  };
  const { store, sender, fire, states, observer, forward } = bench(countMail, { concurrencyMax: 1 });
  const finish = store.finish.bind(store);
  let isRefused = true;
  let first: string | undefined;
  store.finish = async (id, ...given) => {
    first ??= id;
    if (isRefused && id === first) throw new Fault('store_refused', 'dead-letter', 'a mistake');
    return finish(id, ...given);
  };
  await sender.start();
  await fire(3);
  await forward(hourMs);
  expect([mails, await states()]).toEqual([3, ['sending', 'sent', 'sent']]);
  expect(observer.of('notification-store-failed')[0]?.error).toMatchObject({ code: 'notification_unrecorded' });
  isRefused = false;
  await forward(hourMs);
  expect([mails, await states()]).toEqual([3, ['sent', 'sent', 'sent']]);
});

test('a store that cannot be asked what is due is asked again', async () => {
  const { store, sender, fire, states, forward } = bench(async () => {});
  await sender.start();
  const begin = store.begin.bind(store);
  store.begin = () => Promise.reject(new Fault('store_failed', 'retry', 'an I/O error'));
  await fire();
  expect(await states()).toEqual(['matched']);
  store.begin = begin;
  await forward(minuteMs);
  expect(await states()).toEqual(['sent']);
});

test('tries of a process before are made again at the start, and it is said how many', async () => {
  const { store, sender, dependencies, fire, states, observer, clock } = bench(async () => {});
  await fire(3);
  await eventually(async () => expect(await states()).toEqual(['sent', 'sent', 'sent']));
  const interrupted = wish();
  await store.add(interrupted, 100);
  const { task } = interrupted.config as { task: string };
  await store.match([occurrence({ task })], ['email'], trigger, clock.now());
  await store.begin('email', clock.now(), 1);
  await sender.stop(AbortSignal.abort());
  const next = new NotificationSender({
    ...dependencies,
    handlers: [{ name: 'email', concurrencyMax: 1, send: async () => {} }],
  });
  await next.start();
  await turns();
  expect(observer.of('notifications-recovered')).toMatchObject([{ count: 1 }]);
  expect(await states()).toEqual(['sent', 'sent', 'sent', 'sent']);
});

test('a stop lets what is under way end; what is cut at its deadline is left to the next process', async () => {
  const signals: AbortSignal[] = [];
  const { sender, fire, states } = bench(
    (_notification, signal) =>
      new Promise((resolve, reject) => {
        signals.push(signal);
        if (signals.length === 1) setImmediate(resolve);
        else signal.addEventListener('abort', () => reject(fault('retry')));
      }),
  );
  await sender.start();
  await fire(3);
  const deadline = new AbortController();
  let isStopped = false;
  const stopped = sender.stop(deadline.signal).then(() => {
    isStopped = true;
  });
  await turns();
  expect(isStopped).toBe(false);
  expect(signals).toHaveLength(3);
  deadline.abort();
  await stopped;
  expect((await states()).toSorted()).toEqual(['sending', 'sending', 'sent']);
});

import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMemoryNotifications } from '../../src/adapters/store/memory-notifications.ts';
import { createSqliteNotifications } from '../../src/adapters/store/sqlite-notifications.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { Fault } from '../../src/application/fault.ts';
import { NotificationSender } from '../../src/application/send-notifications.ts';
import { occurrence, trigger, wish } from '../contracts/notification-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { recordingObserver } from '../support/recording-observer.ts';

test.each([
  ['memory', () => createMemoryNotifications()],
  ['SQLite', (path: string) => createSqliteNotifications(path, ['task'])],
])('with real delays and a real die each is tried again until it is sent: %s', async (_name, createStore) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'edgeward-retry-'));
  const store = createStore(join(folder.path, 'n.sqlite'));
  await store.open();
  await using _store = { [Symbol.asyncDispose]: () => store.close() };
  const observer = recordingObserver();
  const tries = new Map<string, number>();
  const sender = new NotificationSender({
    outbox: store,
    handlers: [
      {
        name: 'email',
        concurrencyMax: 2,
        async send({ id, attempts }) {
          tries.set(id, attempts);
          if (attempts < 3) throw new Fault('test_fault', 'retry', 'later');
        },
      },
    ],
    policy: { backOff: { delayMsMin: 5, delayMsMax: 50 }, giveUpAfterMs: 60_000 },
    clock: systemClock,
    observer,
    random: Math.random,
  });
  await sender.start();
  for (let count = 0; count < 5; count += 1) {
    const each = wish();
    await store.add(each, 100);
    const { task } = each.config as { task: string };
    await store.match([occurrence({ task })], ['email'], trigger, systemClock.now());
  }
  sender.wake();
  await eventually(async () => {
    const all = await store.page(undefined, undefined, 100);
    expect(all.map(({ state }) => state)).toEqual(['sent', 'sent', 'sent', 'sent', 'sent']);
  });
  await sender.stop(AbortSignal.abort());
  expect([...tries.values()]).toEqual([3, 3, 3, 3, 3]);
  expect(observer.of('notification-store-failed')).toEqual([]);
});

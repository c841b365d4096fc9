import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSqliteNotifications } from '../../src/adapters/store/sqlite-notifications.ts';
import { occurrence, trigger, wish } from '../contracts/notification-store-contract.ts';

test('what waits is found by the rules of today, not by those when it was asked for', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'edgeward-index-'));
  const opened = async (fields: readonly string[]) => {
    const store = createSqliteNotifications(join(folder.path, 'n.sqlite'), fields);
    await store.open();
    return store;
  };
  const before = await opened(['task']);
  for (let count = 0; count < 250; count += 1) await before.add(wish({ config: { task: 't', run: `r${count}` } }), 999);
  expect(await before.match([occurrence({ run: 'r0' })], ['email'], trigger, 1)).toBe(0);
  await before.close();
  const after = await opened(['run']);
  for (const run of ['r0', 'r249']) expect(await after.match([occurrence({ run })], ['email'], trigger, 1)).toBe(1);
  expect(await after.match([occurrence({ task: 't' })], ['email'], trigger, 1)).toBe(0);
  await after.close();
});

test('a user with many that wait, and much in each, makes nobody wait', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'edgeward-index-'));
  const store = createSqliteNotifications(join(folder.path, 'n.sqlite'), ['task', 'run']);
  await store.open();
  await using _store = { [Symbol.asyncDispose]: () => store.close() };
  const much = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, index]));
  const many = Array.from({ length: 40 }, (_, index) => wish({ config: { ...much, run: `r${index}` } }));
  await Promise.all(many.map((each) => store.add(each, 1000)));
  // Of all threads; what the machine does beside it does not count.
  const begin = process.cpuUsage();
  for (let count = 0; count < 20; count += 1) {
    expect(await store.match([occurrence({ task: 'x', run: 'x' })], ['email'], trigger, 1)).toBe(0);
  }
  expect(process.cpuUsage(begin).user / 1000).toBeLessThan(1500);
  expect(await store.match([occurrence({ run: 'r7' })], ['email'], trigger, 1)).toBe(1);
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { createMemoryNotifications } from '../../src/adapters/store/memory-notifications.ts';
import { createSqliteNotifications } from '../../src/adapters/store/sqlite-notifications.ts';
import { type StoreHarness, storeClauses, testedFields } from './notification-store-contract.ts';
import { edgeClauses } from './notification-store-edges.ts';

const clausesOfAll = [...storeClauses, ...edgeClauses];

async function memoryHarness(): Promise<StoreHarness> {
  const store = createMemoryNotifications();
  return { store, reopen: async () => store, async [Symbol.asyncDispose]() {} };
}

async function sqliteHarness(): Promise<StoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-notifications-'));
  const path = join(folder, 'n.sqlite');
  let store = createSqliteNotifications(path, testedFields);
  await store.open();
  return {
    store,
    async reopen() {
      await store.close();
      store = createSqliteNotifications(path, testedFields);
      await store.open();
      return store;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

describe.each([
  ['memory', memoryHarness],
  ['SQLite', sqliteHarness],
])('notifications in %s', (_name, makeHarness) => {
  test.each(clausesOfAll.map((clause) => [clause.id, clause.promise, clause] as const))(
    '%s: %s',
    async (_id, _promise, clause) => {
      await using harness = await makeHarness();
      await clause.run(harness);
    },
  );
});

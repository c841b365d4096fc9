import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryHistory } from '../../src/adapters/store/memory-history.ts';
import { openSqliteHistory } from '../../src/adapters/store/sqlite-history.ts';
import { historyContract } from './history-contract.ts';

historyContract('memory', async (limits, clock) =>
  Object.assign(createMemoryHistory({ ...limits, bytesMax: 1e9 }, clock), { [Symbol.asyncDispose]: async () => {} }),
);

historyContract('SQLite', async (limits, clock) => {
  const folder = await mkdtemp(join(tmpdir(), 'edgeward-history-'));
  const history = await openSqliteHistory(join(folder, 'history.db'), limits, clock);
  return Object.assign(history, {
    async [Symbol.asyncDispose]() {
      await history.close();
      await rm(folder, { recursive: true });
    },
  });
});

import type { Clock } from '../../application/ports/clock.ts';
import type { History } from '../../application/ports/history.ts';
import { createMemoryHistory, type MemoryHistoryLimits } from './memory-history.ts';
import { openSqliteHistory } from './sqlite-history.ts';

/** `memory:`, `file:PATH` or a path. Rejects with a `Fault` when the file cannot be had. */
export async function openHistory(store: string, limits: MemoryHistoryLimits, clock: Clock): Promise<History> {
  if (store === 'memory:') return createMemoryHistory(limits, clock);
  return openSqliteHistory(store.replace(/^file:(\/\/)?/, ''), limits, clock);
}

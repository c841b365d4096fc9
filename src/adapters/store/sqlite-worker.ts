import { parentPort, workerData } from 'node:worker_threads';
import { SqliteConnection, type SqliteFile } from './sqlite-connection.ts';
import type { SqlBatch } from './sqlite-statement.ts';

/** What the thread of `sqlite-database.ts` does: one request after the other, each with one answer. */
export type SqliteRequest =
  | { readonly kind: 'run'; readonly batches: readonly SqlBatch[] }
  | { readonly kind: 'close' };

const connection = new SqliteConnection(workerData as SqliteFile);

parentPort?.on('message', (request: SqliteRequest) => {
  if (request.kind === 'run') {
    parentPort?.postMessage(connection.run(request.batches));
    return;
  }
  connection.close();
  parentPort?.close();
});
parentPort?.postMessage(connection.open());

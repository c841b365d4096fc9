import { Worker } from 'node:worker_threads';
import { Fifo } from '../fifo.ts';
import type { BatchOutcome, OpenOutcome, SqliteFile } from './sqlite-connection.ts';
import {
  sqliteFault,
  storeClosed,
  storeForeign,
  storeNewer,
  storeOverloaded,
  storeThreadEnded,
} from './sqlite-fault.ts';
import { batchBytes, type SqlBatch, type SqlResult } from './sqlite-statement.ts';
import type { SqliteRequest } from './sqlite-worker.ts';

export type SqliteSettings = SqliteFile & {
  /** How many batches may wait for the disk; more are refused (`store_overloaded`). */
  readonly pendingMax: number;
  /** And how many bytes of values. One batch is always taken. */
  readonly pendingBytesMax: number;
};

/**
 * A SQLite file of this process alone, in a thread of its own. Batches are run in the order in which they come. What
 * comes within one turn of the event loop, or while the disk is busy, is committed together.
 */
export interface SqliteDatabase {
  /**
   * Runs the statements, all of them or none; resolves when what they wrote is synced to the disk, with a result for
   * each. Rejects with a `Fault`; then nothing of the batch was stored, except with `store_thread_ended`, when nobody
   * knows.
   */
  run(batch: SqlBatch): Promise<readonly SqlResult[]>;
  /** What was given before is run, then the file is closed. Idempotent, never rejects. */
  close(): Promise<void>;
}

/** Opens the file, made where there is none, and brings its schema up to date. Rejects with a `Fault`. */
export async function openSqliteDatabase(settings: SqliteSettings): Promise<SqliteDatabase> {
  const database = new ThreadedDatabase(settings);
  await database.open();
  return database;
}

type Pending = {
  readonly batch: SqlBatch;
  readonly bytes: number;
  readonly outcome: PromiseWithResolvers<readonly SqlResult[]>;
};

/** In one transaction, so that who comes next does not wait for long. */
const groupMax = 1000;

class ThreadedDatabase implements SqliteDatabase {
  readonly #settings: SqliteSettings;
  readonly #waiting = new Fifo<Pending>();
  #pending = 0;
  #pendingBytes = 0;
  #thread: SqliteThread | undefined;
  #isRunning = false;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(settings: SqliteSettings) {
    this.#settings = settings;
  }

  async open(): Promise<void> {
    this.#thread = await openThread(this.#settings);
  }

  run(batch: SqlBatch): Promise<readonly SqlResult[]> {
    const { path, pendingMax, pendingBytesMax } = this.#settings;
    if (this.#closed) return Promise.reject(storeClosed(path));
    const bytes = batchBytes(batch);
    const isFull = this.#pending >= pendingMax || (this.#pending > 0 && this.#pendingBytes + bytes > pendingBytesMax);
    if (isFull) return Promise.reject(storeOverloaded(path));
    const outcome = Promise.withResolvers<readonly SqlResult[]>();
    this.#pending += 1;
    this.#pendingBytes += bytes;
    this.#waiting.push({ batch, bytes, outcome });
    if (!this.#isRunning) {
      this.#isRunning = true;
      setImmediate(() => void this.#runAll());
    }
    return outcome.promise;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#isRunning) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onIdle = resolve;
      await promise;
    }
    await this.#thread?.close();
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.first) await this.#runGroup(this.#nextGroup());
    this.#isRunning = false;
    this.#onIdle?.();
  }

  #nextGroup(): readonly Pending[] {
    const group: Pending[] = [];
    for (let next = this.#waiting.first; next && group.length < groupMax; next = this.#waiting.first) {
      group.push(next);
      this.#waiting.shift();
    }
    return group;
  }

  /** A thread that has ended is started again for the group after the one that it took with it. */
  async #runGroup(group: readonly Pending[]): Promise<void> {
    const { path } = this.#settings;
    try {
      if (this.#thread?.hasEnded !== false) this.#thread = await openThread(this.#settings);
      const outcomes = await this.#thread.run(group.map(({ batch }) => batch));
      for (const [index, { outcome }] of group.entries()) {
        const each = outcomes[index];
        if (each?.ok) outcome.resolve(each.results);
        else outcome.reject(sqliteFault(each?.error ?? { code: 0, message: 'no answer' }, path));
      }
    } catch (error) {
      for (const { outcome } of group) outcome.reject(error);
    }
    this.#pending -= group.length;
    for (const { bytes } of group) this.#pendingBytes -= bytes;
  }
}

type SqliteThread = {
  readonly hasEnded: boolean;
  /** One at a time. */
  run(batches: readonly SqlBatch[]): Promise<readonly BatchOutcome[]>;
  close(): Promise<void>;
};

/** Beside this file: what it was built to, or the source itself where types are stripped. */
const workerUrl = new URL(`./sqlite-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

async function openThread({ path, applicationId, lockWaitMs, migrations }: SqliteSettings): Promise<SqliteThread> {
  const workerData: SqliteFile = { path, applicationId, lockWaitMs, migrations };
  // Node 24 calls SQLite experimental, on the standard error.
  const worker = new Worker(workerUrl, { workerData, execArgv: ['--disable-warning=ExperimentalWarning'] });
  let hasEnded = false;
  let cause = new Error('it was ended from outside');
  let next = nextAnswer();
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      hasEnded = true;
      next.reject(storeThreadEnded(path, cause));
      resolve();
    });
  });
  worker.on('error', (error: Error) => {
    cause = error;
  });
  worker.on('message', (answer) => next.resolve(answer));
  const ask = (request: SqliteRequest) => {
    next = nextAnswer();
    worker.postMessage(request);
  };
  const close = async () => {
    if (!hasEnded) worker.postMessage({ kind: 'close' } satisfies SqliteRequest);
    await ended;
  };

  const opened = (await next.promise) as OpenOutcome;
  if (opened.kind === 'open') {
    return {
      get hasEnded() {
        return hasEnded;
      },
      run: async (batches) => {
        ask({ kind: 'run', batches });
        return (await next.promise) as readonly BatchOutcome[];
      },
      close,
    };
  }
  await close();
  if (opened.kind === 'newer') throw storeNewer(path, opened.version);
  throw opened.kind === 'foreign' ? storeForeign(path) : sqliteFault(opened.error, path);
}

function nextAnswer(): PromiseWithResolvers<unknown> {
  const answer = Promise.withResolvers<unknown>();
  // A thread may end while nobody waits for it.
  answer.promise.catch(() => {});
  return answer;
}

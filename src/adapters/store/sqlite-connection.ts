import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqliteError } from './sqlite-fault.ts';
import type { SqlBatch, SqlResult, SqlRow, SqlStatement } from './sqlite-statement.ts';

export type SqliteFile = {
  readonly path: string;
  /** Tells the files of one kind of store from all others (`PRAGMA application_id`), from 1. */
  readonly applicationId: number;
  /** How long another process that has the file, and may just be ending, is waited for. */
  readonly lockWaitMs: number;
  /** Scripts that make the schema, in order. One that was released is never changed; what is new is added behind it. */
  readonly migrations: readonly string[];
};

export type BatchOutcome =
  | { readonly ok: true; readonly results: readonly SqlResult[] }
  | { readonly ok: false; readonly error: SqliteError };

export type OpenOutcome =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: SqliteError }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'foreign' };

/** Of the log that is kept beside the file; it grows beyond only within one transaction. */
const logBytesMax = 64 * 1024 * 1024;

/** More than a store has, unless its statements are made from input. */
const preparedMax = 500;

/** One file, with all that waits for the disk: it belongs in a thread of its own. */
export class SqliteConnection {
  readonly #file: SqliteFile;
  readonly #prepared = new Map<string, StatementSync>();
  #database: DatabaseSync | undefined;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  open(): OpenOutcome {
    try {
      // What people are told stands in it. SQLite gives the files beside it the rights of this one.
      if (!existsSync(this.#file.path)) closeSync(openSync(this.#file.path, 'a', 0o600));
      this.#database = new DatabaseSync(this.#file.path, { timeout: this.#file.lockWaitMs });
      // Exclusive before the first access in WAL mode: then no memory is shared between processes
      // (https://sqlite.org/wal.html#noshm), and the system gives the lock back however this process ends.
      this.#database.exec('PRAGMA locking_mode = EXCLUSIVE');
      return this.#refusal(this.#database) ?? this.#migrate(this.#database);
    } catch (error) {
      return { kind: 'failed', error: sqliteError(error) };
    }
  }

  /**
   * All batches in one transaction, hence one sync of the disk. A batch that fails is undone by itself; where it is the
   * transaction that fails, each batch has one of its own, so that a large one keeps no small one out.
   */
  run(batches: readonly SqlBatch[]): readonly BatchOutcome[] {
    const together = this.#transact(batches);
    if (together.ok) return together.outcomes;
    if (batches.length === 1) return [together];
    return batches.map((batch) => {
      const alone = this.#transact([batch]);
      return alone.ok ? (alone.outcomes[0] ?? together) : alone;
    });
  }

  close(): void {
    this.#prepared.clear();
    this.#database?.close();
    this.#database = undefined;
  }

  /** Before anything is changed. */
  #refusal(database: DatabaseSync): OpenOutcome | undefined {
    const { applicationId, migrations } = this.#file;
    const version = pragma(database, 'user_version');
    const owner = pragma(database, 'application_id');
    const isNew = version === 0 && owner === 0 && database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
    if (!isNew && owner !== applicationId) return { kind: 'foreign' };
    return version > migrations.length ? { kind: 'newer', version } : undefined;
  }

  #migrate(database: DatabaseSync): OpenOutcome {
    const { applicationId, migrations } = this.#file;
    database.exec('PRAGMA journal_mode = WAL');
    // The log is synced at every commit, so that what was answered for survives a power cut.
    database.exec('PRAGMA synchronous = FULL');
    database.exec(`PRAGMA journal_size_limit = ${logBytesMax}`);
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('BEGIN EXCLUSIVE');
    try {
      for (const script of migrations.slice(pragma(database, 'user_version'))) database.exec(script);
      database.exec(`PRAGMA user_version = ${migrations.length}`);
      database.exec(`PRAGMA application_id = ${applicationId}`);
      database.exec('COMMIT');
      return { kind: 'open' };
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK');
    }
  }

  #transact(batches: readonly SqlBatch[]): { ok: true; outcomes: BatchOutcome[] } | { ok: false; error: SqliteError } {
    const database = this.#database;
    if (!database) return { ok: false, error: { code: 0, message: 'the file is not open' } };
    try {
      database.exec('BEGIN IMMEDIATE');
      const outcomes = batches.map((batch) => this.#runOne(database, batch));
      database.exec('COMMIT');
      return { ok: true, outcomes };
    } catch (error) {
      // After some errors, such as a full disk, SQLite has rolled back by itself.
      if (database.isTransaction) database.exec('ROLLBACK');
      return { ok: false, error: sqliteError(error) };
    }
  }

  #runOne(database: DatabaseSync, batch: SqlBatch): BatchOutcome {
    database.exec('SAVEPOINT batch');
    try {
      const results = batch.map((statement) => this.#execute(database, statement));
      database.exec('RELEASE batch');
      return { ok: true, results };
    } catch (error) {
      const { code, message } = sqliteError(error);
      // The disk, and not the batch: no other would fare better in this transaction.
      if (!database.isTransaction || !isOfStatement(code)) throw error;
      database.exec('ROLLBACK TO batch');
      database.exec('RELEASE batch');
      return { ok: false, error: { code, message } };
    }
  }

  #execute(database: DatabaseSync, { sql, values = [] }: SqlStatement): SqlResult {
    const statement = this.#prepare(database, sql);
    if (statement.columns().length > 0) {
      const rows = statement.all(...values) as SqlRow[];
      return { rows, changes: 0 };
    }
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  #prepare(database: DatabaseSync, sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    if (this.#prepared.size >= preparedMax) this.#prepared.clear();
    this.#prepared.set(sql, statement);
    return statement;
  }
}

const pragma = (database: DatabaseSync, name: 'user_version' | 'application_id'): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);

/** Result codes that a statement and its values alone are to blame for: ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const statementCodes: ReadonlySet<number> = new Set([0, 1, 18, 19, 20, 25]);

const isOfStatement = (code: number): boolean => statementCodes.has(code & 0xff);

const fileSystemCodes: Readonly<Record<string, number>> = { ENOSPC: 13, EDQUOT: 13 };

/** CANTOPEN, for whatever else the file system says. */
const cannotOpen = 14;

function sqliteError(error: unknown): SqliteError {
  if (!(error instanceof Error)) return { code: 0, message: 'no details' };
  if ('errcode' in error && typeof error.errcode === 'number') return { code: error.errcode, message: error.message };
  const isFileSystem = 'syscall' in error && 'code' in error && typeof error.code === 'string';
  if (isFileSystem) return { code: fileSystemCodes[String(error.code)] ?? cannotOpen, message: String(error.code) };
  return { code: 0, message: error.message };
}

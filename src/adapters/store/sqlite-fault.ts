import { Fault } from '../../application/fault.ts';

/** What SQLite says of an error, as it comes out of the thread: its result code, and its own words without any value. */
export type SqliteError = {
  /** Primary or extended result code (https://sqlite.org/rescode.html); 0 where the error is not SQLite's. */
  readonly code: number;
  readonly message: string;
};

type MakeFault = (path: string, cause: Error) => Fault;

const full: MakeFault = (path, cause) =>
  new Fault(
    'store_disk_full',
    'retry',
    `${path}: there is no room on the disk; nothing was stored. Make room, or move the file`,
    cause,
  );

const inUse: MakeFault = (path, cause) =>
  new Fault(
    'store_in_use',
    'stop',
    `${path}: another process, or another section of the config, has this file; give each a file of its own`,
    cause,
  );

const unreadable: MakeFault = (path, cause) =>
  new Fault(
    'store_unreadable',
    'stop',
    `${path}: the file cannot be opened or written; see its folder and its rights`,
    cause,
  );

const damaged: MakeFault = (path, cause) =>
  new Fault('store_damaged', 'stop', `${path}: this is no database, or a damaged one; restore a backup`, cause);

/** Only a mistake in a statement or in what it is given leads here: what is wrong stays wrong. */
const refused: MakeFault = (path, cause) =>
  new Fault('store_refused', 'dead-letter', `${path}: SQLite refuses a statement; the cause says why`, cause);

const failed: MakeFault = (path, cause) =>
  new Fault('store_failed', 'retry', `${path}: SQLite failed; the cause says how`, cause);

/** Primary result codes. */
const kinds: Readonly<Record<number, MakeFault>> = {
  0: refused,
  1: refused,
  3: unreadable,
  5: inUse,
  8: unreadable,
  11: damaged,
  13: full,
  14: unreadable,
  18: refused,
  19: refused,
  20: refused,
  21: refused,
  25: refused,
  26: damaged,
};

/** SQLITE_IOERR, a short write; Linux gives this one where a quota, and not the disk, is used up. */
const shortWrite = 10 | (3 << 8);

const primaryCodeMask = 0xff;

export function sqliteFault({ code, message }: SqliteError, path: string): Fault {
  const cause = new Error(message);
  if (code === shortWrite) return full(path, cause);
  return (kinds[code & primaryCodeMask] ?? failed)(path, cause);
}

export const storeNewer = (path: string, version: number): Fault =>
  new Fault(
    'store_newer',
    'stop',
    `${path}: the file is of a newer Edgeward (its schema has version ${version}); start that one, or restore a backup`,
  );

export const storeForeign = (path: string): Fault =>
  new Fault(
    'store_foreign',
    'stop',
    `${path}: the file belongs to another program, or to another section of the config; choose another one`,
  );

export const storeOverloaded = (path: string): Fault =>
  new Fault(
    'store_overloaded',
    'retry',
    `${path}: as much as may wait for the disk does; it is too slow for this load`,
  );

export const storeClosed = (path: string): Fault =>
  new Fault('store_closed', 'retry', `${path}: the store is closing; ask again after the restart`);

export const storeThreadEnded = (path: string, cause: Error): Fault =>
  new Fault('store_thread_ended', 'retry', `${path}: the thread of the store has ended; it is started again`, cause);

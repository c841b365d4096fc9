import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  openSqliteDatabase,
  type SqliteDatabase,
  type SqliteSettings,
} from '../../src/adapters/store/sqlite-database.ts';
import { eventually } from '../support/eventually.ts';

let folder: string;
let count = 0;
const opened: SqliteDatabase[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeward-store-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const migrations = ['CREATE TABLE item (id TEXT PRIMARY KEY, body BLOB, count INTEGER) STRICT'];

function settingsFor(changes: Partial<SqliteSettings> = {}): SqliteSettings {
  count += 1;
  const path = join(folder, `${count}.sqlite`);
  return {
    path,
    applicationId: 4711,
    lockWaitMs: 50,
    migrations,
    pendingMax: 10_000,
    pendingBytesMax: 1e8,
    ...changes,
  };
}

async function open(settings: SqliteSettings): Promise<SqliteDatabase> {
  const database = await openSqliteDatabase(settings);
  opened.push(database);
  return database;
}

const insert = (id: string, body: Uint8Array | null = null) => ({
  sql: 'INSERT INTO item (id, body, count) VALUES (?, ?, ?)',
  values: [id, body, 1],
});
const all = { sql: 'SELECT id FROM item ORDER BY id' };
const idsIn = async (database: SqliteDatabase) => (await database.run([all]))[0]?.rows.map(({ id }) => id);

describe('statements', () => {
  test('have a result each: rows, or how many were changed', async () => {
    const database = await open(settingsFor());
    const results = await database.run([
      insert('a', new Uint8Array([0, 255])),
      insert('b'),
      { sql: 'UPDATE item SET count = count + ?', values: [2] },
      { sql: 'DELETE FROM item WHERE id = ? RETURNING count', values: ['b'] },
      { sql: 'SELECT id, body, count FROM item' },
    ]);
    expect(results.map(({ changes }) => changes)).toEqual([1, 1, 2, 0, 0]);
    expect(results[3]?.rows).toEqual([{ count: 3 }]);
    expect(results[4]?.rows).toEqual([{ id: 'a', body: new Uint8Array([0, 255]), count: 3 }]);
  });

  test('of one batch are stored all or none, and a batch that fails takes no other with it', async () => {
    const database = await open(settingsFor());
    const outcomes = await Promise.allSettled([
      database.run([insert('a')]),
      database.run([insert('b'), insert('a')]),
      database.run([insert('c')]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'store_refused', disposition: 'dead-letter' } });
    expect(await idsIn(database)).toEqual(['a', 'c']);
  });

  test('run in the order in which they come, and see what came before them', async () => {
    const database = await open(settingsFor());
    const reads = Array.from({ length: 50 }, async (_, index) => {
      void database.run([insert(String(index).padStart(2, '0'))]);
      return (await idsIn(database))?.length;
    });
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  });

  test('that came in one turn are committed together', async () => {
    const settings = settingsFor();
    const database = await open(settings);
    const { size: before } = await stat(`${settings.path}-wal`);
    await Promise.all(Array.from({ length: 200 }, (_, index) => database.run([insert(`${index}`)])));
    const { size } = await stat(`${settings.path}-wal`);
    // One by one, each would have written its pages (4 KiB and more) to the log by itself.
    expect(size - before).toBeLessThan(50 * 4096);
    expect(await idsIn(database)).toHaveLength(200);
  });
});

describe('the file', () => {
  test('keeps what was stored, may be read by its owner alone, and its schema grows by migrations', async () => {
    const settings = settingsFor();
    const first = await openSqliteDatabase(settings);
    await first.run([insert('a')]);
    await first.close();
    expect((await stat(settings.path)).mode & 0o777).toBe(0o600);

    const more = [...migrations, "ALTER TABLE item ADD COLUMN note TEXT NOT NULL DEFAULT 'none'"];
    const second = await open({ ...settings, migrations: more });
    expect((await second.run([{ sql: 'SELECT id, note FROM item' }]))[0]?.rows).toEqual([{ id: 'a', note: 'none' }]);
    await second.close();
    await expect(open(settings)).rejects.toMatchObject({ code: 'store_newer', disposition: 'stop' });
  });

  test('is left as it was by a migration that fails', async () => {
    const settings = settingsFor();
    await (await openSqliteDatabase(settings)).close();
    const broken = [...migrations, 'CREATE TABLE other (id TEXT)', 'CREATE TABLE item (id TEXT)'];
    await expect(open({ ...settings, migrations: broken })).rejects.toMatchObject({ code: 'store_refused' });
    const again = await open(settings);
    expect(
      (await again.run([{ sql: 'SELECT name FROM sqlite_schema WHERE type = ?', values: ['table'] }]))[0]?.rows,
    ).toEqual([{ name: 'item' }]);
  });

  test('is of one process and one store at a time', async () => {
    const settings = settingsFor();
    await open(settings);
    await expect(open(settings)).rejects.toMatchObject({ code: 'store_in_use', disposition: 'stop' });
  });

  test.each([
    [
      'of another store',
      'store_foreign',
      async (path: string) => {
        await (await openSqliteDatabase({ ...settingsFor(), path, applicationId: 1 })).close();
      },
    ],
    [
      'of another program',
      'store_foreign',
      async (path: string) => {
        const other = new DatabaseSync(path);
        other.exec('CREATE TABLE theirs (id TEXT)');
        other.close();
      },
    ],
    ['that is no database', 'store_damaged', (path: string) => writeFile(path, 'not a database. '.repeat(100))],
  ])('%s is refused', async (_name, code, prepare) => {
    const settings = settingsFor();
    await prepare(settings.path);
    const before = await readFile(settings.path);
    await expect(open(settings)).rejects.toMatchObject({ code, disposition: 'stop' });
    expect(await readFile(settings.path)).toEqual(before);
  });

  test('in a folder that is not there is refused, and the folder is not made', async () => {
    const path = join(folder, 'missing', 'file.sqlite');
    await expect(open(settingsFor({ path }))).rejects.toMatchObject({ code: 'store_unreadable', disposition: 'stop' });
  });
});

describe('trouble', () => {
  test('a full disk stores nothing of a batch, says so, keeps no smaller one out, and passes', async () => {
    const database = await open(settingsFor());
    await database.run([insert('a'), { sql: 'PRAGMA max_page_count = 20' }]);
    const outcomes = await Promise.allSettled([
      database.run([insert('b', new Uint8Array(200_000))]),
      database.run([insert('c')]),
      database.run([all]),
    ]);
    expect(outcomes[0]).toMatchObject({ reason: { code: 'store_disk_full', disposition: 'retry' } });
    expect(outcomes[1]).toMatchObject({ status: 'fulfilled' });
    expect(outcomes[2]).toMatchObject({ value: [{ rows: [{ id: 'a' }, { id: 'c' }] }] });
    await database.run([{ sql: 'PRAGMA max_page_count = 1000000' }]);
    await database.run([insert('b', new Uint8Array(200_000))]);
    expect(await idsIn(database)).toEqual(['a', 'b', 'c']);
  });

  test('more than may wait is refused at once, and what is closed takes nothing', async () => {
    const database = await open(settingsFor({ pendingMax: 2, pendingBytesMax: 1000 }));
    const [first, second, third] = [insert('a'), insert('b'), insert('c')].map((each) => database.run([each]));
    await expect(third).rejects.toMatchObject({ code: 'store_overloaded', disposition: 'retry' });
    await Promise.all([first, second]);
    const large = database.run([insert('d', new Uint8Array(5000))]);
    await expect(database.run([insert('e', new Uint8Array(900))])).rejects.toMatchObject({ code: 'store_overloaded' });
    const closed = Promise.all([database.close(), database.close()]);
    await expect(database.run([all])).rejects.toMatchObject({ code: 'store_closed' });
    await expect(large).resolves.toBeDefined();
    await closed;
  });

  test('a thread that ends takes its group with it, and the next one is served again', async () => {
    const settings = settingsFor();
    const database = await open(settings);
    using posted = vi.spyOn(Worker.prototype, 'postMessage');
    await database.run([insert('a')]);
    // The thread ends before it has read the second one.
    posted.mockImplementationOnce(() => {});
    const doomed = database.run([insert('b')]);
    await eventually(() => expect(posted).toHaveBeenCalledTimes(2));
    await (posted.mock.contexts[0] as Worker).terminate();
    await expect(doomed).rejects.toMatchObject({ code: 'store_thread_ended', disposition: 'retry' });
    expect(await idsIn(database)).toEqual(['a']);
  });

  test('what was answered for is there after kill -9', async () => {
    const settings = settingsFor();
    const module = new URL('../../src/adapters/store/sqlite-database.ts', import.meta.url).href;
    const script = `
      import { openSqliteDatabase } from ${JSON.stringify(module)};
      const database = await openSqliteDatabase(${JSON.stringify(settings)});
      for (let id = 0; ; id += 1) {
        await database.run([{ sql: 'INSERT INTO item (id) VALUES (?)', values: [String(id)] }]);
        process.stdout.write(id + '\\n');
      }`;
    const writer = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told: string[] = [];
    for await (const chunk of writer.stdout) {
      told.push(
        ...String(chunk)
          .split('\n')
          .filter((line) => line !== ''),
      );
      if (told.length > 200) break;
    }
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const database = await open(settings);
    const kept = new Set(await idsIn(database));
    expect(told.filter((id) => !kept.has(id))).toEqual([]);
  });
});

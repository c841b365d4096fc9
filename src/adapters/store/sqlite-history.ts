import type { Clock } from '../../application/ports/clock.ts';
import type { History, HistoryEntry, HistoryPage, HistoryRange } from '../../application/ports/history.ts';
import { Event } from '../../domain/event.ts';
import type { RoomName } from '../../domain/room.ts';
import type { HistoryLimits } from './history-settings.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { historyApplicationId, historyMigrations } from './sqlite-history-schema.ts';
import type { SqlRow, SqlStatement } from './sqlite-statement.ts';

const limitsOfFile = { lockWaitMs: 5000, pendingMax: 20_000, pendingBytesMax: 67_108_864 };

/** How often what is too old, and rooms beyond the limit, are looked for. */
const sweepMs = 60_000;

/** A file of SQLite. Rejects with a `Fault` when it cannot be had. */
export async function openSqliteHistory(path: string, limits: HistoryLimits, clock: Clock): Promise<History> {
  const file = { path, applicationId: historyApplicationId, migrations: historyMigrations, ...limitsOfFile };
  return new SqliteHistory(await openSqliteDatabase(file), limits, clock);
}

class SqliteHistory implements History {
  readonly #database: SqliteDatabase;
  readonly #limits: HistoryLimits;
  readonly #clock: Clock;
  #stopSweeps: () => void;
  #closed: Promise<void> | undefined;

  constructor(database: SqliteDatabase, limits: HistoryLimits, clock: Clock) {
    this.#database = database;
    this.#limits = limits;
    this.#clock = clock;
    this.#stopSweeps = this.#sweepLater();
  }

  async append(room: RoomName, event: Event): Promise<number> {
    const { id, publishedAt } = event;
    const values = [id, event.stream, event.key, JSON.stringify([...event.attributes]), event.payload];
    const more = [event.contentType ?? null, publishedAt, event.origin.source];
    const results = await this.#database.run([
      // One that is too old to be read may have the id.
      { sql: 'DELETE FROM event WHERE room = ? AND id = ? AND published_at < ?', values: [room, id, this.#oldest] },
      {
        sql: 'INSERT INTO room (name, last, said_at) SELECT ?, (SELECT coalesce(max(last), 0) FROM given_up), 0 WHERE true ON CONFLICT DO NOTHING',
        values: [room],
      },
      {
        sql: 'UPDATE room SET last = last + 1, said_at = ? WHERE name = ? AND NOT EXISTS (SELECT 1 FROM event WHERE room = ? AND id = ?)',
        values: [this.#clock.now(), room, room, id],
      },
      {
        sql: 'INSERT INTO event SELECT name, last, ?, ?, ?, ?, ?, ?, ?, ? FROM room WHERE name = ? ON CONFLICT DO NOTHING',
        values: [...values, ...more, room],
      },
      {
        sql: 'DELETE FROM event WHERE room = ? AND position <= (SELECT position FROM event WHERE room = ? ORDER BY position DESC LIMIT 1 OFFSET ?)',
        values: [room, room, this.#limits.eventsPerRoomMax],
      },
      { sql: 'SELECT position FROM event WHERE room = ? AND id = ?', values: [room, id] },
    ]);
    return Number(results.at(-1)?.rows[0]?.['position'] ?? 0);
  }

  async read(room: RoomName, range: HistoryRange): Promise<HistoryPage> {
    const [from, order] = selectionOf(range);
    const results = await this.#database.run([
      {
        sql: `SELECT * FROM event WHERE room = ? AND published_at >= ? AND ${from} ORDER BY position ${order} LIMIT ?`,
        values: [room, this.#oldest, boundOf(range), range.limit],
      },
      this.#edges(room),
    ]);
    const entries = (results[0]?.rows ?? []).map(entryOf).toSorted((a, b) => a.position - b.position);
    const edges = results[1]?.rows[0];
    const [oldest, newest] = [edges?.['oldest'], edges?.['newest']];
    if (typeof oldest !== 'number' || typeof newest !== 'number')
      return { entries: [], hasOlder: false, hasNewer: false };
    const [first, last] = [entries[0]?.position, entries.at(-1)?.position];
    return { entries, hasOlder: oldest < (first ?? beginOf(range)), hasNewer: newest > (last ?? endOf(range)) };
  }

  async positionOf(room: RoomName, eventId: string): Promise<number | undefined> {
    const values = [room, eventId, this.#oldest];
    const sql = 'SELECT position FROM event WHERE room = ? AND id = ? AND published_at >= ?';
    const position = (await this.#database.run([{ sql, values }]))[0]?.rows[0]?.['position'];
    return position === undefined ? undefined : Number(position);
  }

  close(): Promise<void> {
    this.#stopSweeps();
    this.#closed ??= this.#database.close();
    return this.#closed;
  }

  /** What was published before is not read any more. */
  get #oldest(): number {
    return this.#clock.now() - this.#limits.ageMsMax;
  }

  #edges(room: RoomName): SqlStatement {
    const sql =
      'SELECT min(position) AS oldest, max(position) AS newest FROM event WHERE room = ? AND published_at >= ?';
    return { sql, values: [room, this.#oldest] };
  }

  #sweepLater(): () => void {
    return this.#clock.schedule(sweepMs, () => {
      this.#stopSweeps = this.#sweepLater();
      // What could not be swept is swept the next time; whoever appends hears what is wrong.
      this.#database.run(this.#sweep()).catch(() => undefined);
    });
  }

  #sweep(): readonly SqlStatement[] {
    const beyond = '(SELECT name FROM room ORDER BY said_at DESC, name LIMIT -1 OFFSET ?)';
    const { roomsMax } = this.#limits;
    return [
      { sql: 'DELETE FROM event WHERE published_at < ?', values: [this.#oldest] },
      {
        sql: `INSERT INTO given_up SELECT 1, max(last) FROM room WHERE name IN ${beyond} HAVING max(last) IS NOT NULL ON CONFLICT DO UPDATE SET last = max(last, excluded.last)`,
        values: [roomsMax],
      },
      { sql: `DELETE FROM event WHERE room IN ${beyond}`, values: [roomsMax] },
      { sql: `DELETE FROM room WHERE name IN ${beyond}`, values: [roomsMax] },
    ];
  }
}

type Selection = readonly [from: string, order: 'ASC' | 'DESC'];

function selectionOf(range: HistoryRange): Selection {
  if ('after' in range) return ['position > ?', 'ASC'];
  if ('before' in range) return ['position < ?', 'DESC'];
  return range.from === 'oldest' ? ['position > ?', 'ASC'] : ['position < ?', 'DESC'];
}

function boundOf(range: HistoryRange): number {
  if ('after' in range) return range.after;
  if ('before' in range) return range.before;
  return range.from === 'oldest' ? 0 : Number.MAX_SAFE_INTEGER;
}

/** Of a page with nothing on it: where it stands. */
const beginOf = (range: HistoryRange): number => ('after' in range ? range.after + 1 : boundOf(range));
const endOf = (range: HistoryRange): number => ('before' in range ? range.before - 1 : boundOf(range));

function entryOf(row: SqlRow): HistoryEntry {
  const { position, id, stream, key, attributes, payload, content_type: contentType, published_at: publishedAt } = row;
  return {
    position: Number(position),
    event: new Event({
      id: String(id),
      stream: String(stream),
      key: String(key),
      attributes: new Map(JSON.parse(String(attributes)) as [string, string][]),
      payload: payload instanceof Uint8Array ? payload : new Uint8Array(),
      contentType: typeof contentType === 'string' ? contentType : undefined,
      publishedAt: Number(publishedAt),
      origin: { source: String(row['source']), properties: {} },
    }),
  };
}

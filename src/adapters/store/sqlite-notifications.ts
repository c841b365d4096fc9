import type {
  NotificationOutbox,
  NotificationStore,
  OpenableNotifications,
} from '../../application/ports/notification-store.ts';
import type { Notification } from '../../domain/notification.ts';
import { matchableFields } from '../../domain/notification-rule.ts';
import { fingerprintOf, jsonOrNull, notificationOf } from './notification-row.ts';
import { notificationFileId, notificationMigrations } from './notification-schema.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { storeClosed } from './sqlite-fault.ts';
import type { SqlStatement } from './sqlite-statement.ts';

/** Beyond that the disk does not keep up with what comes, and brokers and callers are told to come again. */
const [pendingMax, pendingBytesMax] = [10_000, 64 * 1024 * 1024];

const lockWaitMs = 3000;

/**
 * In a SQLite file of this process alone.
 * @param fieldNames what of a config is looked at by `match`; more fields of an occurrence match nothing.
 */
export function createSqliteNotifications(path: string, fieldNames: readonly string[]): OpenableNotifications {
  let opening: Promise<SqliteDatabase> | undefined;
  let database: SqliteDatabase | undefined;
  const run: Run = (batch) => database?.run(batch) ?? Promise.reject(storeClosed(path));
  return {
    ...storeIn(run, fieldNames),
    ...outboxIn(run),
    async open() {
      opening = openSqliteDatabase({
        path,
        applicationId: notificationFileId,
        lockWaitMs,
        migrations: notificationMigrations,
        pendingMax,
        pendingBytesMax,
      });
      database = await opening;
      try {
        await indexFields(run, fieldNames);
      } catch (error) {
        await database.close();
        throw error;
      }
    },
    async close() {
      // It may be asked for while the file is still being opened.
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
  };
}

type Run = SqliteDatabase['run'];

/** What one call forgets at most, so that nobody waits for it. */
const forgetMax = 500;

/** Makes room for one more, unless it waits already. */
const pushOut = `
  DELETE FROM notification
  WHERE id IN (
      SELECT id FROM notification WHERE user_id = ?1 AND state = 'waiting' ORDER BY created_at, id
      LIMIT max(0, (SELECT count(*) FROM notification WHERE user_id = ?1 AND state = 'waiting') - ?3 + 1))
    AND NOT EXISTS (SELECT 1 FROM notification WHERE user_id = ?1 AND fingerprint = ?2 AND state = 'waiting')`;

const insert = `
  INSERT INTO notification (id, user_id, event, handler, config, fingerprint, state, created_at, updated_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?7 WHERE true
  ON CONFLICT (user_id, fingerprint) WHERE state = 'waiting' DO NOTHING`;

const selectSame = `SELECT * FROM notification WHERE user_id = ? AND fingerprint = ? AND state = 'waiting'`;

const match = `
  UPDATE notification
  SET state = 'matched', triggered_at = ?1, updated_at = ?1, next_try_at = ?1,
      trigger_event = CASE WHEN handler IN (SELECT value FROM json_each(?8)) THEN ?9 ELSE ?2 END
  WHERE state = 'waiting' AND handler IN (SELECT value FROM json_each(?3))
    AND id IN (SELECT id FROM notification_field WHERE user_id = ?4 AND event = ?5 AND name = ?6 AND value = ?7)`;

const pageOfUser = 'SELECT * FROM notification WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?';
const pageOfAll = 'SELECT * FROM notification WHERE id > ? ORDER BY id LIMIT ?';

const forgetThrough = `
  DELETE FROM notification WHERE id IN (
    SELECT id FROM notification WHERE state IN ('sent', 'failed') AND updated_at < ? LIMIT ${forgetMax})`;
const forgetWaiting = `
  DELETE FROM notification WHERE id IN (
    SELECT id FROM notification WHERE state = 'waiting' AND created_at < ? LIMIT ${forgetMax})`;

/** Only what waits has fields; the same again changes nothing. */
const insertField = `
  INSERT INTO notification_field (user_id, event, name, value, id)
  SELECT user_id, event, ?2, ?3, id FROM notification WHERE id = ?1 AND state = 'waiting' AND event IS NOT NULL
  ON CONFLICT DO NOTHING`;

const fieldsOf = (notification: Notification, names: readonly string[]): readonly SqlStatement[] =>
  [...matchableFields(notification, names)].map(([name, value]) => ({
    sql: insertField,
    values: [notification.id, name, value],
  }));

const waitingBehind = `SELECT * FROM notification WHERE state = 'waiting' AND id > ? ORDER BY id LIMIT 100`;

/** What waits is found by the rules of today, whatever they were when it was asked for. */
async function indexFields(run: Run, fieldNames: readonly string[]): Promise<void> {
  const names = JSON.stringify(fieldNames);
  const [known] = await run([{ sql: 'SELECT names FROM notification_index' }]);
  if (known?.rows[0]?.['names'] === names) return;
  await run([{ sql: 'DELETE FROM notification_index' }, { sql: 'DELETE FROM notification_field' }]);
  for (let after: string | undefined = ''; after !== undefined; ) {
    const [page] = await run([{ sql: waitingBehind, values: [after] }]);
    const waiting = (page?.rows ?? []).map(notificationOf);
    const statements = waiting.flatMap((each) => fieldsOf(each, fieldNames));
    if (statements.length > 0) await run(statements);
    after = waiting.at(-1)?.id;
  }
  await run([{ sql: 'INSERT INTO notification_index VALUES (?)', values: [names] }]);
}

const forgetMatched = `
  DELETE FROM notification WHERE id IN (
    SELECT id FROM notification WHERE state = 'matched' AND triggered_at < ? LIMIT ${forgetMax})`;

function storeIn(run: Run, fieldNames: readonly string[]): NotificationStore {
  return {
    async add(notification, waitingMax) {
      const { id, userId, event = null, handler = null, config, createdAt } = notification;
      const fingerprint = fingerprintOf(notification);
      const own = [id, userId, event, handler, jsonOrNull(config), fingerprint, createdAt];
      const [pushedOut, inserted, same] = await run([
        { sql: pushOut, values: [userId, fingerprint, waitingMax] },
        { sql: insert, values: own },
        { sql: selectSame, values: [userId, fingerprint] },
        ...fieldsOf(notification, fieldNames),
      ]);
      if (inserted?.changes === 1) return { kind: pushedOut?.changes === 0 ? 'added' : 'replaced' };
      const [row] = same?.rows ?? [];
      if (!row) throw new RangeError('a notification was neither stored nor there');
      return { kind: 'known', notification: notificationOf(row) };
    },

    async match(occurrences, handlers, trigger, at, withoutPayload = []) {
      const { payload: _, ...short } = trigger;
      const own = [at, JSON.stringify(trigger), JSON.stringify(handlers)];
      const triggers = [JSON.stringify(withoutPayload), JSON.stringify(short)];
      const results = await run(
        occurrences.flatMap(({ event, userId, fields }) =>
          [...fields].map(([name, value]) => ({
            sql: match,
            values: [...own, userId, event, name, value, ...triggers],
          })),
        ),
      );
      return results.reduce((count, { changes }) => count + changes, 0);
    },

    async page(userId, after = '', max) {
      const statement =
        userId === undefined
          ? { sql: pageOfAll, values: [after, max] }
          : { sql: pageOfUser, values: [userId, after, max] };
      const [page] = await run([statement]);
      return (page?.rows ?? []).map(notificationOf);
    },

    async forget({ throughAt, waitingSince, matchedSince }) {
      const results = await run([
        { sql: forgetThrough, values: [throughAt] },
        { sql: forgetWaiting, values: [waitingSince] },
        { sql: forgetMatched, values: [matchedSince] },
      ]);
      return results.reduce((count, { changes }) => count + changes, 0);
    },
  };
}

const recover = `UPDATE notification SET state = 'matched', next_try_at = ?1, updated_at = ?1 WHERE state = 'sending'`;

const begin = `
  UPDATE notification SET state = 'sending', attempts = attempts + 1, updated_at = ?1
  WHERE id IN (
    SELECT id FROM notification WHERE state = 'matched' AND handler = ?2 AND next_try_at <= ?1
    ORDER BY next_try_at LIMIT ?3)
  RETURNING *`;

const finish = `
  UPDATE notification
  SET state = ?2, failure = ?3, next_try_at = ?4, updated_at = ?5,
      trigger_event = CASE ?2 WHEN 'matched' THEN trigger_event END
  WHERE id = ?1 AND state = 'sending'`;

const backlog = `
  SELECT count(*) AS count, min(next_try_at) AS next_try_at FROM notification WHERE state = 'matched' AND handler = ?`;

const countOrphans = `
  SELECT count(*) AS count FROM notification
  WHERE state = 'matched' AND handler NOT IN (SELECT value FROM json_each(?))`;

function outboxIn(run: Run): NotificationOutbox {
  return {
    async recover(at) {
      const [recovered] = await run([{ sql: recover, values: [at] }]);
      return recovered?.changes ?? 0;
    },

    async begin(handler, at, max) {
      const [begun] = await run([{ sql: begin, values: [at, handler, max] }]);
      return (begun?.rows ?? []).map(notificationOf).toSorted((a, b) => (a.nextTryAt ?? 0) - (b.nextTryAt ?? 0));
    },

    async finish(id, outcome, at) {
      const state = outcome.kind === 'retry' ? 'matched' : outcome.kind;
      const failure = outcome.kind === 'sent' ? null : outcome.failure;
      const nextTryAt = outcome.kind === 'retry' ? Math.ceil(outcome.nextTryAt) : null;
      await run([{ sql: finish, values: [id, state, failure, nextTryAt, at] }]);
    },

    async orphans(handlers) {
      const [result] = await run([{ sql: countOrphans, values: [JSON.stringify(handlers)] }]);
      return Number(result?.rows[0]?.['count'] ?? 0);
    },

    async backlog(handler) {
      const [result] = await run([{ sql: backlog, values: [handler] }]);
      const { count, next_try_at: nextTryAt } = result?.rows[0] ?? {};
      return { count: Number(count ?? 0), nextTryAt: typeof nextTryAt === 'number' ? nextTryAt : undefined };
    },
  };
}

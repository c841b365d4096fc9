import type {
  NotificationOutbox,
  NotificationStore,
  OpenableNotifications,
} from '../../application/ports/notification-store.ts';
import { matchableFields } from '../../domain/notification-rule.ts';
import { fingerprintOf, jsonOrNull, notificationOf } from './notification-row.ts';
import { notificationFileId, notificationMigrations } from './notification-schema.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { storeClosed } from './sqlite-fault.ts';

/** Beyond that the disk does not keep up with what comes, and brokers and callers are told to come again. */
const [pendingMax, pendingBytesMax] = [10_000, 64 * 1024 * 1024];

const lockWaitMs = 3000;

/** In a SQLite file of this process alone. */
export function createSqliteNotifications(path: string): OpenableNotifications {
  let opening: Promise<SqliteDatabase> | undefined;
  let database: SqliteDatabase | undefined;
  const run: Run = (batch) => database?.run(batch) ?? Promise.reject(storeClosed(path));
  return {
    ...storeIn(run),
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

const insert = `
  INSERT INTO notification (id, user_id, event, handler, config, fields, fingerprint, state, created_at, updated_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?8
  WHERE (SELECT count(*) FROM notification WHERE user_id = ?2 AND state = 'waiting') < ?9
  ON CONFLICT (user_id, fingerprint) WHERE state = 'waiting' DO NOTHING`;

const selectSame = `SELECT * FROM notification WHERE user_id = ? AND fingerprint = ? AND state = 'waiting'`;

const match = `
  UPDATE notification
  SET state = 'matched', triggered_at = ?1, updated_at = ?1, next_try_at = ?1, trigger_event = ?2
  WHERE state = 'waiting' AND user_id = ?3 AND event = ?4
    AND handler IN (SELECT value FROM json_each(?5))
    AND EXISTS (
      SELECT 1 FROM json_each(notification.fields) AS own
      JOIN json_each(?6) AS given ON own.key = given.key AND own.value = given.value)`;

const pageOfUser = 'SELECT * FROM notification WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?';
const pageOfAll = 'SELECT * FROM notification WHERE id > ? ORDER BY id LIMIT ?';

const forgetThrough = `
  DELETE FROM notification WHERE id IN (
    SELECT id FROM notification WHERE state IN ('sent', 'failed') AND updated_at < ? LIMIT ${forgetMax})`;
const forgetWaiting = `
  DELETE FROM notification WHERE id IN (
    SELECT id FROM notification WHERE state = 'waiting' AND created_at < ? LIMIT ${forgetMax})`;

function storeIn(run: Run): NotificationStore {
  return {
    async add(notification, waitingMax) {
      const { id, userId, event = null, handler = null, config, createdAt } = notification;
      const fingerprint = fingerprintOf(notification);
      const fields = JSON.stringify(Object.fromEntries(matchableFields(notification)));
      const own = [id, userId, event, handler, jsonOrNull(config), fields, fingerprint, createdAt, waitingMax];
      const [inserted, same] = await run([
        { sql: insert, values: own },
        { sql: selectSame, values: [userId, fingerprint] },
      ]);
      if (inserted?.changes === 1) return { kind: 'added' };
      const [row] = same?.rows ?? [];
      return row ? { kind: 'known', notification: notificationOf(row) } : { kind: 'full' };
    },

    async match(occurrences, handlers, trigger, at) {
      const results = await run(
        occurrences.map(({ event, userId, fields }) => ({
          sql: match,
          values: [
            at,
            JSON.stringify(trigger),
            userId,
            event,
            JSON.stringify(handlers),
            JSON.stringify(Object.fromEntries(fields)),
          ],
        })),
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

    async forget({ throughAt, waitingSince }) {
      const results = await run([
        { sql: forgetThrough, values: [throughAt] },
        { sql: forgetWaiting, values: [waitingSince] },
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

    async backlog(handler) {
      const [result] = await run([{ sql: backlog, values: [handler] }]);
      const { count, next_try_at: nextTryAt } = result?.rows[0] ?? {};
      return { count: Number(count ?? 0), nextTryAt: typeof nextTryAt === 'number' ? nextTryAt : undefined };
    },
  };
}

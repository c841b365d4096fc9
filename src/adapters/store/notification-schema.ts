/** Of the files of notifications (`PRAGMA application_id`): "EdwN". */
export const notificationFileId = 0x4564774e;

/** What was released is never changed; what is new is added behind it. */
export const notificationMigrations: readonly string[] = [
  `CREATE TABLE notification (
     id TEXT PRIMARY KEY,
     user_id TEXT NOT NULL,
     event TEXT,
     handler TEXT,
     -- JSON, as it was asked for.
     config TEXT,
     -- Of what was asked for: the same of one user waits once.
     fingerprint TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('waiting', 'matched', 'sending', 'sent', 'failed')),
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     triggered_at INTEGER,
     trigger_event TEXT,
     attempts INTEGER NOT NULL DEFAULT 0,
     next_try_at INTEGER,
     failure TEXT
   ) STRICT;
   CREATE UNIQUE INDEX notification_once ON notification (user_id, fingerprint) WHERE state = 'waiting';
   CREATE INDEX notification_waiting ON notification (user_id) WHERE state = 'waiting';
   -- Of what waits, the texts in the config that some rule looks at.
   CREATE TABLE notification_field (
     user_id TEXT NOT NULL,
     event TEXT NOT NULL,
     name TEXT NOT NULL,
     value TEXT NOT NULL,
     id TEXT NOT NULL REFERENCES notification (id) ON DELETE CASCADE,
     PRIMARY KEY (user_id, event, name, value, id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX notification_field_id ON notification_field (id);
   CREATE TRIGGER notification_fired AFTER UPDATE OF state ON notification WHEN old.state = 'waiting' BEGIN
     DELETE FROM notification_field WHERE id = new.id;
   END;
   -- A JSON list of the names that notification_field has, once it has all of them.
   CREATE TABLE notification_index (names TEXT NOT NULL) STRICT;
   CREATE INDEX notification_due ON notification (handler, next_try_at) WHERE state = 'matched';
   CREATE INDEX notification_sending ON notification (id) WHERE state = 'sending';
   CREATE INDEX notification_user ON notification (user_id, id);
   CREATE INDEX notification_through ON notification (updated_at) WHERE state IN ('sent', 'failed');
   CREATE INDEX notification_old ON notification (created_at) WHERE state = 'waiting';`,
];

/** `EdgH`: tells such a file from others. */
export const historyApplicationId = 0x4564_6748;

export const historyMigrations: readonly string[] = [
  `CREATE TABLE room (
     name TEXT PRIMARY KEY,
     last INTEGER NOT NULL,
     said_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX room_said ON room (said_at);
   CREATE TABLE event (
     room TEXT NOT NULL,
     position INTEGER NOT NULL,
     id TEXT NOT NULL,
     stream TEXT NOT NULL,
     key TEXT NOT NULL,
     attributes TEXT NOT NULL,
     payload BLOB NOT NULL,
     content_type TEXT,
     published_at INTEGER NOT NULL,
     source TEXT NOT NULL,
     PRIMARY KEY (room, position),
     UNIQUE (room, id)
   ) STRICT;
   CREATE INDEX event_published ON event (published_at);
   CREATE TABLE given_up (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     last INTEGER NOT NULL
   ) STRICT;`,
];

-- quarq's tables, format 4. docs/sqlite_schema.md says what they mean. Runs inside the transaction that found them missing.

CREATE TABLE quarq_meta (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO quarq_meta (name, value) VALUES ('format', 4);

CREATE TABLE quarq_leases (
  number   INTEGER PRIMARY KEY,
  token    TEXT    NOT NULL UNIQUE,
  boot     TEXT    NOT NULL,
  until    INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  spared   INTEGER NOT NULL DEFAULT 0,
  card     BLOB    NOT NULL,
  tasks    BLOB    NOT NULL
) STRICT;

CREATE TABLE quarq_served (
  queue TEXT    NOT NULL,
  lease INTEGER NOT NULL,
  PRIMARY KEY (queue, lease)
) STRICT, WITHOUT ROWID;

CREATE INDEX quarq_served_by ON quarq_served (lease);

CREATE TABLE quarq_heard (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  boot TEXT    NOT NULL,
  at   INTEGER NOT NULL
) STRICT;

CREATE TABLE quarq_jobs (
  number         INTEGER PRIMARY KEY,
  state          INTEGER NOT NULL,
  priority       INTEGER NOT NULL,
  place          INTEGER NOT NULL,
  lease          INTEGER,
  tries          INTEGER NOT NULL DEFAULT 0,
  losses         INTEGER NOT NULL DEFAULT 0,
  unstarted      INTEGER NOT NULL DEFAULT 0,
  awaited        INTEGER NOT NULL DEFAULT 0,
  cancel_wanted  INTEGER NOT NULL DEFAULT 0,
  enqueued_at    INTEGER NOT NULL,
  due_at         INTEGER NOT NULL,
  expires_at     INTEGER,
  kept_until     INTEGER,
  queue          TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  record         BLOB    NOT NULL,
  outcome        BLOB,
  cancel_keep    INTEGER,
  cancel_outcome BLOB,
  UNIQUE (queue, id)
) STRICT;

CREATE INDEX quarq_jobs_ready     ON quarq_jobs (queue, priority DESC, place) WHERE state = 0;
CREATE INDEX quarq_jobs_deferred  ON quarq_jobs (queue, place)                WHERE state = 1;
CREATE INDEX quarq_jobs_running   ON quarq_jobs (lease)                       WHERE state = 2;
CREATE INDEX quarq_jobs_to_cancel ON quarq_jobs (lease)                       WHERE cancel_wanted = 1;
CREATE INDEX quarq_jobs_ended     ON quarq_jobs (queue, state, kept_until)   WHERE kept_until IS NOT NULL;

CREATE TABLE quarq_told (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  queue   TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  state   INTEGER,
  outcome BLOB    NOT NULL,
  until   INTEGER NOT NULL
) STRICT;

CREATE INDEX quarq_told_until ON quarq_told (until);

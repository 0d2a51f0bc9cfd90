-- What has happened, added to format 3 later: a file without these tables gets them when it is opened, and older versions leave
-- them alone.

CREATE TABLE IF NOT EXISTS quarq_stats (
  queue  TEXT    NOT NULL,
  minute INTEGER NOT NULL,
  task   TEXT    NOT NULL,
  counts BLOB    NOT NULL,
  PRIMARY KEY (queue, minute, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS quarq_enqueued (
  queue  TEXT    NOT NULL,
  minute INTEGER NOT NULL,
  task   TEXT    NOT NULL,
  count  INTEGER NOT NULL,
  PRIMARY KEY (queue, minute, task)
) STRICT, WITHOUT ROWID;

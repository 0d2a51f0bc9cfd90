-- What running jobs say of themselves, and what operators have set for queues. Added to format 4 later: a file without these
-- tables gets them when it is opened, and older versions leave them alone.

CREATE TABLE IF NOT EXISTS quarq_notes (
  queue TEXT    NOT NULL,
  id    TEXT    NOT NULL,
  text  BLOB    NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS quarq_notes_until ON quarq_notes (until);

CREATE TABLE IF NOT EXISTS quarq_marks (
  queue TEXT NOT NULL,
  name  TEXT NOT NULL,
  text  TEXT NOT NULL,
  PRIMARY KEY (queue, name)
) STRICT, WITHOUT ROWID;

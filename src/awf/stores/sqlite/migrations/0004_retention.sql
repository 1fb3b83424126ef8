-- Executions whose rows have been removed. Their journals and steps follow bit by bit; no reader finds them any more.
CREATE TABLE removed (ordinal INTEGER PRIMARY KEY);

-- The latest execution that pinned a text: once nothing as old is kept, nobody needs the text.
CREATE TABLE source_uses (
    digest  TEXT PRIMARY KEY,
    ordinal INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX oldest_uses ON source_uses (ordinal);
INSERT INTO source_uses SELECT digest, coalesce((SELECT max(ordinal) FROM executions), 0) FROM sources;

-- Those that are still to take over results of another one, which must be kept until they have.
CREATE INDEX heirs ON executions (resumed_from)
    WHERE resumed_from IS NOT NULL AND running_since IS NULL AND completed_at IS NULL;

-- What people should know of a step: warnings of its start (a JSON array), a note of its end.
ALTER TABLE steps ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE steps ADD COLUMN note TEXT NOT NULL DEFAULT '';

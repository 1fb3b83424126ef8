INSERT INTO events (ordinal, seq, at, step, type, version, body) VALUES (?, ?, ?, ?, ?, ?, ?)
